"""Each recipe, on a small set of files laid out as its corpus is."""

import tarfile

import pytest

from musicvae.data_pipeline.sources.corpora import CORPORA
from musicvae.data_pipeline.sources.corpus import open_sources
from musicvae.errors import DataError
from musicvae.music import midi

SPLIT_NAMES = {"train", "validation", "test", None}


@pytest.fixture
def lay_out(tmp_path, melody):
    """Writes files below a folder; `...` stands for a melody as MIDI."""

    def write(name, files):
        for number, (path, data) in enumerate(files.items()):
            place = tmp_path / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(midi.write(melody(number)) if data is ... else data.encode())
        return tmp_path / name

    return write


def open_one(folder):
    (source,) = open_sources([str(folder)])
    return source, {piece.id.partition("/")[2]: piece for piece in source.pieces()}


def packed(folder):
    """The same as a compressed tar, the files in another order than the folder's."""
    path = folder.parent / f"{folder.name}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for file in sorted(folder.rglob("*.*"), reverse=True):
            archive.add(file, file.relative_to(folder.parent), recursive=False)
    return path


GROOVE_HEAD = "drummer,session,id,style,bpm,beat_type,time_signature,midi_filename"
GROOVE_FILES = {
    "info.csv": f"{GROOVE_HEAD},audio_filename,duration,split\n"
    "drummer1,d/1,d/1/1,funk/groove1,138,beat,4-4,d/1/1_funk.mid,d/1/1.wav,27.8,test\n"
    "drummer1,d/1,d/1/2,soul,102,beat,4-4,d/1/2_soul.mid,,37.6,train\n",
    "d/1/1_funk.mid": ...,
    "d/1/2_soul.mid": ...,
    "d/1/3_unlisted.mid": ...,
}


@pytest.mark.parametrize("form", [lambda folder: folder, packed])
def test_groove_brings_its_split_and_styles(lay_out, form):
    source, pieces = open_one(form(lay_out("drums", GROOVE_FILES)))
    assert (source.name, source.corpora, source.licence) == ("drums", ("groove",), "CC BY 4.0")
    assert {name: (piece.given_split, piece.style) for name, piece in pieces.items()} == {
        "d/1/1_funk.mid": ("test", "funk/groove1"),
        "d/1/2_soul.mid": ("train", "soul"),
        "d/1/3_unlisted.mid": (None, ""),
    }
    assert pieces["d/1/1_funk.mid"].split_key == "drums/d/1/1_funk"


def test_another_table_of_the_same_name_is_not_grooves(lay_out):
    source, _ = open_one(lay_out("songs", {"info.csv": "name,year\n", "a.mid": ...}))
    assert source.corpora == ()
    assert source.licence is None


@pytest.mark.parametrize(
    ("table", "found"),
    [
        (f"{GROOVE_HEAD}\n", "no column split"),
        (f"{GROOVE_HEAD},split\n{'x' * 200_000}\n", "can't be read"),
    ],
)
def test_a_table_that_was_changed_is_refused(lay_out, table, found):
    folder = lay_out("drums", {"info.csv": table, "a.mid": ...})
    with pytest.raises(DataError, match=found):
        open_one(folder)


@pytest.mark.parametrize("form", [lambda folder: folder, packed])
def test_pop909_brings_its_lists_and_holds_versions_together(lay_out, form):
    files = {
        "001/001.mid": ...,
        "001/versions/001-v1.mid": ...,
        "001/beat_midi.txt": "0 1 1\n",
        "001/chord_midi.txt": "0 1 N\n",
        "001/key_audio.txt": "0 1 C:maj\n",
        "002/002.mid": ...,
        "002/beat_midi.txt": "0 1 1\n",
    }
    source, pieces = open_one(form(lay_out("songs", files)))
    assert (source.corpora, source.licence) == (("pop909",), "MIT")
    assert {name: piece.split_key for name, piece in pieces.items()} == {
        "001/001.mid": "001/001",
        "001/versions/001-v1.mid": "001/001",
        "002/002.mid": "002/002",
    }
    assert {name: piece.read_side() for name, piece in pieces.items()} == {
        "001/001.mid": {"beats": b"0 1 1\n", "chords": b"0 1 N\n", "keys": b"0 1 C:maj\n"},
        "001/versions/001-v1.mid": {},
        "002/002.mid": {"beats": b"0 1 1\n"},
    }
    assert [(each.reason, each.count) for each in source.rejected_files] == [("side_file", 4)]


def test_maestro_holds_the_players_of_a_work_together(lay_out):
    files = {
        "maestro-v3.0.0.csv": "canonical_composer,canonical_title,split,year,midi_filename\n"
        'Chopin,"Ballade, Op. 23",train,2004,2004/a.midi\n'
        'Chopin,"Ballade, Op. 23",train,2006,2006/b.midi\n',
        "2004/a.midi": ...,
        "2006/b.midi": ...,
    }
    source, pieces = open_one(lay_out("maestro-v3.0.0", files))
    assert source.corpora == ("maestro",)
    assert {piece.split_key for piece in pieces.values()} == {"Chopin/Ballade, Op. 23"}
    assert {piece.given_split for piece in pieces.values()} == {"train"}


def test_lakh_has_no_titles(lay_out):
    digest = "ab" * 16
    source, pieces = open_one(lay_out("lmd_full", {f"a/{digest}.mid": ...}))
    assert source.corpora == ("lakh",)
    assert [(piece.title, piece.split_key) for piece in pieces.values()] == [
        ("", f"lmd_full/a/{digest}")
    ]


def test_lakhs_clean_subset_holds_versions_together(lay_out):
    versions = {f"The Artist/Some Song{n}.mid": ... for n in ("", *(f".{n}" for n in range(1, 9)))}
    source, pieces = open_one(lay_out("clean_midi", {**versions, "The Artist/Other.mid": ...}))
    assert source.corpora == ("lakh_clean",)
    assert {piece.split_key for piece in pieces.values()} == {
        "the artist/somesong",
        "the artist/other",
    }


def test_lieder_are_titled_by_their_folders(lay_out):
    score = '<?xml version="1.0"?><score-partwise version="3.1"/>'
    files = {"Arne,_Thomas/Songs/4_The_Rose/lc123.mxl": score}
    source, pieces = open_one(lay_out("lieder", files))
    assert source.corpora == ("openscore_lieder",)
    assert [piece.title for piece in pieces.values()] == ["rose"]


def test_patterns_have_the_style_of_their_folder(lay_out):
    pattern = "<drumkit_pattern><info>260 Drum Machine Patterns</info></drumkit_pattern>"
    source, pieces = open_one(lay_out("hydrogen", {"patterns/pop/pop-09.h2pattern": pattern}))
    assert source.corpora == ("hydrogen_patterns",)
    assert [(piece.style, piece.title) for piece in pieces.values()] == [("pop", "")]


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"CREDITS-MUSIC": "--Phase 1--\nE1M1: x", "d_e1m1.mid": ...}, "freedoom"),
        ({"README.md": "# OpenMSX - base music set for OpenTTD\n", "a.mid": ...}, "openmsx"),
        ({"README.md": "# 2018 OpenEWLD\n", "a.mid": ...}, "openewld"),
        ({"reelsa-c.abc": "% Nottingham Music Database\nX:1\nT:A\nK:C\nC|\n"}, "nottingham"),
    ],
)
def test_a_corpus_is_recognised_by_a_file_of_its_own(lay_out, files, name):
    source, pieces = open_one(lay_out("some", files))
    assert source.corpora == (name,)
    assert source.licence == CORPORA[name].licence
    assert len(pieces) == 1


@pytest.mark.parametrize("name", sorted(CORPORA))
def test_a_recipe_says_what_it_is(name):
    corpus = CORPORA[name]
    assert corpus.name == name
    assert corpus.about
    assert corpus.licence
    assert corpus.homepage.startswith("https://")
    if corpus.download is not None:
        assert len(corpus.download.sha256) == 64
        assert corpus.download.size > 0
        assert "/" not in corpus.download.file_name
