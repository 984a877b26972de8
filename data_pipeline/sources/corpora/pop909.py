"""POP909: pop songs as performances, with lists of their beats, chords and keys beside them."""

import re

from .recipe import Corpus, Download, Facts, FactsOf, Listing

_BEATS = "beat_midi.txt"
_SIDE_FILES = {"beats": _BEATS, "chords": "chord_midi.txt", "keys": "key_audio.txt"}


def _look_up(listing: Listing, _mark: str) -> FactsOf:
    def facts_of(path: str) -> Facts | None:
        """A folder with a list of beats is one song, in however many versions in and below it."""
        own, _, _ = path.rpartition("/")
        folder = own
        while folder and listing.locate(f"{folder}/{_BEATS}") is None:
            folder, _, _ = folder.rpartition("/")
        if not folder:
            return None
        song = folder.rpartition("/")[2]
        side = {}
        # The lists tell of the file beside them; its versions are timed otherwise.
        if folder == own:
            found = {role: listing.locate(f"{own}/{name}") for role, name in _SIDE_FILES.items()}
            side = {role: location for role, location in found.items() if location is not None}
        return Facts(title="", split_key=f"{song}/{song}", style="pop", side=side)

    return facts_of


POP909 = Corpus(
    name="pop909",
    about="POP909: 909 pop songs with melody, bridge and piano; beats, chords and keys",
    licence="MIT",
    homepage="https://github.com/music-x-lab/POP909-Dataset",
    download=Download(
        url="https://codeload.github.com/music-x-lab/POP909-Dataset/zip/d83e6edba6872a704f5d3b8b32f5cb540088dae6",
        file_name="POP909-Dataset-d83e6ed.zip",
        size=50_105_665,
        sha256="fe3d861f6eeaee6b40987e64ae26552b4c7b824f6fa40d29b0c5e5ebd62b03ea",
        source="a public inventory of music corpora that pins the same commit",
    ),
    mark=re.compile(rf"(^|/)\d{{3}}/{re.escape(_BEATS)}$"),
    side_files=re.compile(r"(^|/)(beat_midi|chord_midi|key_audio)\.txt$"),
    look_up=_look_up,
)
