import os
import pickle

import pytest

from musicvae.data_pipeline.readers import read_piece
from musicvae.data_pipeline.sources.corpus import MOST_NAMESAKES, UNREADABLE, open_sources
from musicvae.data_pipeline.sources.locations import MOST_BYTES
from musicvae.errors import DataError, ScoreError
from musicvae.music import midi


def pieces(*inputs):
    return [piece for source in open_sources(list(map(str, inputs))) for piece in source.pieces()]


def test_each_tune_of_an_abc_file_is_a_piece(abc_folder):
    (source,) = open_sources([str(abc_folder)])
    assert source.name == "tunes"
    assert source.licence == "Tunes of nobody"
    assert source.piece_count == 12
    tunes = list(source.pieces())
    assert tunes[7].id == "tunes/book6.abc#2:7"
    assert len({piece.id for piece in tunes}) == 12


def test_a_tune_is_read_with_the_head_of_its_file(abc_folder, tune):
    text = pieces(abc_folder)[7].read_bytes().decode()
    assert text == f"% a book of tunes\n\n{tune(7)}\n"


def test_a_piece_can_be_sent_to_another_process(abc_folder, midi_folder):
    for piece in pieces(abc_folder, midi_folder):
        sent = pickle.loads(pickle.dumps(piece))  # noqa: S301
        assert sent == piece
        assert sent.read_bytes() == piece.read_bytes()
        assert len(pickle.dumps(piece)) < 1000


def test_only_tunes_and_packed_members_travel_with_their_bytes(abc_folder, midi_folder):
    assert {piece.held_bytes for piece in pieces(midi_folder)} == {0}
    assert all(piece.held_bytes == len(piece.read_bytes()) for piece in pieces(abc_folder))


def test_a_source_gives_the_same_pieces_every_time(abc_folder):
    (source,) = open_sources([str(abc_folder)])
    assert list(source.pieces()) == list(source.pieces())


def test_a_midi_file_is_known_by_its_content(midi_folder, melody):
    (midi_folder / "unnamed").write_bytes(midi.write(melody(9)))
    found = pieces(midi_folder)
    assert [piece.split_key for piece in found] == [
        *(f"files/melody{n}" for n in range(6)),
        "unnamed",
    ]
    assert all(piece.kind == "midi" for piece in found)


def test_a_midi_file_in_an_envelope_is_a_piece(midi_folder, melody):
    data = midi.write(melody(0))
    chunk = b"RMIDdata" + len(data).to_bytes(4, "little") + data
    (midi_folder / "0.rmi").write_bytes(b"RIFF" + len(chunk).to_bytes(4, "little") + chunk)
    first, *_ = pieces(midi_folder)
    assert (first.id.endswith("0.rmi"), first.kind) == (True, "midi")
    assert read_piece(first.read_bytes(), first.kind, {}).parts


def test_what_is_no_music_is_counted(midi_folder):
    (source,) = open_sources([str(midi_folder)])
    (skip,) = source.rejected_files
    assert (skip.reason, skip.count, skip.found) == ("no_music", 1, "notes.txt")


def test_a_file_named_as_music_that_is_none_says_so_when_read(midi_folder):
    (midi_folder / "broken.mid").write_bytes(b"RIFFxxxx")
    (midi_folder / "empty.mid").touch()
    broken, empty, *_ = pieces(midi_folder)
    assert broken.kind == empty.kind == UNREADABLE
    with pytest.raises(DataError, match="starts with b'RIFFxxxx'"):
        broken.read_bytes()
    with pytest.raises(DataError, match="starts with b''"):
        empty.read_bytes()


def test_a_file_past_the_limit_says_so_when_read(midi_folder, tune):
    (midi_folder / "a.mid").write_bytes(b"MThd" + bytes(MOST_BYTES))
    (midi_folder / "b.abc").write_bytes(tune(1).encode() + bytes(MOST_BYTES))
    large, book, *_ = pieces(midi_folder)
    for piece in (large, book):
        with pytest.raises(DataError, match="more than"):
            piece.read_bytes()


def test_a_file_that_went_away_says_so_when_read(midi_folder):
    piece, *_ = pieces(midi_folder)
    (midi_folder / "melody0.mid").unlink()
    with pytest.raises(DataError, match="can't be opened"):
        piece.read_bytes()


def test_ids_do_not_depend_on_where_the_input_lies(midi_folder, tmp_path):
    before = [piece.id for piece in pieces(midi_folder)]
    elsewhere = tmp_path / "deep" / "down"
    elsewhere.mkdir(parents=True)
    assert [piece.id for piece in pieces(midi_folder.rename(elsewhere / "files"))] == before


def test_a_fingerprint_changes_with_the_files(midi_folder):
    def fingerprint():
        return open_sources([str(midi_folder)])[0].fingerprint()

    before = fingerprint()
    assert fingerprint() == before
    (midi_folder / "notes.txt").write_text("not music either")
    assert fingerprint() != before


def test_inputs_of_one_name_are_told_apart(midi_folder, tmp_path):
    other = tmp_path / "other" / "files"
    other.parent.mkdir()
    midi_folder.rename(other)
    midi_folder.symlink_to(other)
    names = [str(midi_folder), str(other.parent / "files"), str(other)]
    assert [source.name for source in open_sources(names)] == ["files", "files-2", "files-3"]
    assert len({piece.id for piece in pieces(*names)}) == 18


def test_a_music21_collection():
    (source,) = open_sources(["music21:airdsAirs"])
    assert source.name == "music21:airdsAirs"
    assert source.piece_count == 1180
    assert "Aird" in source.licence


@pytest.mark.parametrize(
    ("name", "error", "found"),
    [
        ("missing", DataError, "no file or folder"),
        ("music21:nothing", DataError, "no collection 'nothing'"),
        ("music21:../corpus", DataError, "no collection"),
        ("empty", DataError, "no music in empty"),
        ("page.html", ScoreError, "no music that can be read"),
    ],
)
def test_what_holds_no_music_is_refused(tmp_path, monkeypatch, name, error, found):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "page.html").write_text("<p>")
    with pytest.raises(error, match=found):
        open_sources([name])


def test_no_inputs_are_refused():
    with pytest.raises(DataError, match="no inputs"):
        open_sources([])


def test_a_name_in_no_encoding_becomes_text(tmp_path, melody):
    folder = tmp_path / "files"
    folder.mkdir()
    try:
        for name in (b"caf\xe9.mid", b"caf\xe8.mid"):
            path = os.path.join(os.fsencode(folder), name)  # noqa: PTH118 (bytes)
            with open(path, "wb") as file:  # noqa: PTH123
                file.write(midi.write(melody(1)))
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    found = pieces(folder)
    assert [piece.id for piece in found] == ["files/caf\ufffd.mid", "files/caf\ufffd.mid~2"]
    for piece in found:
        piece.id.encode()
        piece.split_key.encode()
        assert piece.read_bytes()


@pytest.mark.parametrize("namesakes", [MOST_NAMESAKES, MOST_NAMESAKES + 1])
def test_a_name_that_too_many_bear_is_no_title(tmp_path, melody, tune, namesakes):
    for number in range(namesakes):
        folder = tmp_path / "scores" / f"book{number}"
        folder.mkdir(parents=True)
        (folder / "minuet.mid").write_bytes(midi.write(melody(number)))
    tunes = [tune(number, title="Menuet") for number in range(namesakes)]
    (tmp_path / "tunes.abc").write_text("\n".join(tunes))
    of_files = [piece.split_key for piece in pieces(tmp_path / "scores")]
    of_tunes = [piece.split_key for piece in pieces(tmp_path / "tunes.abc")]
    if namesakes <= MOST_NAMESAKES:
        assert set(of_files) == {"minuet"}
        assert set(of_tunes) == {"menuet"}
    else:
        assert of_files == [f"scores/book{number}/minuet" for number in range(namesakes)]
        assert len(set(of_tunes)) == namesakes
        assert all(len(key) == 32 for key in of_tunes)  # the hash of what the tune says


def test_a_name_is_counted_over_all_sources(tmp_path, melody):
    for number in range(MOST_NAMESAKES + 1):
        folder = tmp_path / f"set{number % 2}" / f"book{number}"
        folder.mkdir(parents=True)
        (folder / "minuet.mid").write_bytes(midi.write(melody(number)))
    alone = pieces(tmp_path / "set0")
    both = pieces(tmp_path / "set0", tmp_path / "set1")
    assert {piece.split_key for piece in alone} == {"minuet"}
    assert [piece.split_key for piece in both] == [
        f"set{number % 2}/book{number}/minuet" for number in (0, 2, 4, 1, 3, 5)
    ]


@pytest.mark.parametrize("past_limit", [False, True])
def test_a_book_of_too_many_tunes_says_so_when_read(tmp_path, past_limit):
    count = 50_000 + past_limit
    (tmp_path / "book.abc").write_text("X:1\nK:C\nc\n" * count)
    found = pieces(tmp_path / "book.abc")
    assert len(found) == (1 if past_limit else count)
    if past_limit:
        with pytest.raises(DataError, match="more than 50000 tunes"):
            found[0].read_bytes()


def test_a_file_in_folders_by_composer_is_known_by_its_own_name(tmp_path, tune):
    paths = [
        "Paul_Francis_Webster-Sammy_Fain/The_Wind_Blows/The_Wind_Blows.mxl",
        "Sammy_Fain/Wind_Blows,_The/Wind_Blows,_The.mxl",
        "Sammy_Fain/12/12.mxl",
    ]
    for path in paths:
        (tmp_path / "songs" / path).parent.mkdir(parents=True)
        (tmp_path / "songs" / path).write_bytes(b'<?xml version="1.0"?><score-partwise/>')
    by_id = {piece.id: piece.split_key for piece in pieces(tmp_path / "songs")}
    assert [by_id[f"songs/{path}"] for path in paths] == [
        "windblows",
        "windblows",
        "songs/Sammy_Fain/12/12",
    ]
    (tmp_path / "book.abc").write_text(tune(1, title="The Wind Blows -- Reel"))
    assert [piece.split_key for piece in pieces(tmp_path / "book.abc")] == ["windblows"]
