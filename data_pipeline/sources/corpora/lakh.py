"""Lakh: MIDI files from the web, all of them, or the files named by artist and title."""

import re

from musicvae.data_pipeline.sources.titles import normalise_title

from .recipe import Corpus, Download, Facts

_VERSION = re.compile(r"\.\d+$")


def _nameless(path: str) -> Facts | None:
    """A file is named by its checksum: no title."""
    return Facts(title="") if LAKH.mark.search(path) else None


def _song(path: str) -> Facts | None:
    """A song is `Artist/Title.mid`, its further versions `Artist/Title.1.mid` and so on."""
    if not LAKH_CLEAN.mark.search(path):
        return None
    *_, artist, name = path.split("/")
    title = normalise_title(_VERSION.sub("", name.rpartition(".")[0]))
    return Facts(split_key=f"{artist.casefold()}/{title}") if title else None


LAKH = Corpus(
    name="lakh",
    about="Lakh MIDI Dataset 0.1: 178,561 MIDI files from the web",
    licence="CC BY 4.0 for the collection; the songs' own rights are unclear",
    homepage="https://colinraffel.com/projects/lmd/",
    download=Download(
        url="http://hog.ee.columbia.edu/craffel/lmd/lmd_full.tar.gz",
        file_name="lmd_full.tar.gz",
        size=1_768_163_879,
        sha256="6fcfe2ac49ca08f3f214cec86ab138d4fc4dabcd7f27f491a838dae6db45a12b",
        source="salu133445/muspy, datasets/lmd.py",
    ),
    mark=re.compile(r"(^|/)([0-9a-f])/\2[0-9a-f]{31}\.mid$"),
    facts=_nameless,
)

LAKH_CLEAN = Corpus(
    name="lakh_clean",
    about="Lakh, clean subset: 17,256 MIDI files by artist and title",
    licence="CC BY 4.0 for the collection; the songs' own rights are unclear",
    homepage="https://colinraffel.com/projects/lmd/",
    download=Download(
        url="http://hog.ee.columbia.edu/craffel/lmd/clean_midi.tar.gz",
        file_name="clean_midi.tar.gz",
        size=234_283_029,
        sha256="de1bb64cbc0cf35545a05b5c3e786aa6890cfa144edffc4b827ff41bf8c33dc5",
        source="a public inventory of music corpora; its checksum of lmd_full is muspy's",
    ),
    mark=re.compile(r"(^|/)clean_midi/[^/]+/[^/]+\.mid$"),
    facts=_song,
)
