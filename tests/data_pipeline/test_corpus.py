import os

import pytest

from musicvae import midi
from musicvae.data_pipeline.corpus import (
    BEATS_NAME,
    MOST_NAMESAKES,
    find_corpora,
    normalise_title,
)
from musicvae.errors import DataError, ScoreError


def test_each_tune_of_an_abc_file_is_a_piece(abc_folder):
    (corpus,) = find_corpora([str(abc_folder)])
    assert corpus.source == "tunes"
    assert corpus.licence == "Tunes of nobody"
    assert len(corpus.pieces) == 12
    assert corpus.pieces[7].id == "tunes/book6.abc#2:7"
    assert len({piece.id for piece in corpus.pieces}) == 12


def test_a_midi_file_is_known_by_its_content(midi_folder, melody):
    (midi_folder / "unnamed").write_bytes(midi.write(melody(9)))
    (corpus,) = find_corpora([str(midi_folder)])
    assert [piece.split_key for piece in corpus.pieces] == [
        *(f"melody{number}" for number in range(6)),
        "unnamed",
    ]
    assert all(piece.kind == "midi" for piece in corpus.pieces)


def test_ids_do_not_depend_on_where_the_input_lies(midi_folder, tmp_path):
    before = find_corpora([str(midi_folder)])
    elsewhere = tmp_path / "deep" / "down"
    elsewhere.mkdir(parents=True)
    after = find_corpora([str(midi_folder.rename(elsewhere / "files"))])
    assert [p.id for p in before[0].pieces] == [p.id for p in after[0].pieces]


def test_versions_of_a_song_share_a_key(tmp_path, melody):
    for path in ("song1/a.mid", "song1/versions/b.mid", "song2/a.mid"):
        (tmp_path / "songs" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "songs" / path).write_bytes(midi.write(melody(1)))
    for song in ("song1", "song2"):
        (tmp_path / "songs" / song / BEATS_NAME).write_text("0 1 1\n")
    (corpus,) = find_corpora([str(tmp_path / "songs")])
    assert [piece.split_key for piece in corpus.pieces] == ["song1/a", "song1/a", "song2/a"]
    assert [piece.beats_path is not None for piece in corpus.pieces] == [True, False, True]


def test_inputs_of_one_name_are_told_apart(midi_folder, tmp_path):
    other = tmp_path / "other" / "files"
    other.parent.mkdir()
    midi_folder.rename(other)
    midi_folder.symlink_to(other)
    names = [str(midi_folder), str(other.parent / "files"), str(other)]
    assert [corpus.source for corpus in find_corpora(names)] == ["files", "files-2", "files-3"]


def test_a_music21_collection():
    (corpus,) = find_corpora(["music21:airdsAirs"])
    assert corpus.source == "music21:airdsAirs"
    assert len(corpus.pieces) == 1180
    assert "Aird" in corpus.licence


@pytest.mark.parametrize(
    ("name", "error", "found"),
    [
        ("missing", DataError, "no file or folder"),
        ("music21:nothing", DataError, "no collection 'nothing'"),
        ("music21:../corpus", DataError, "no collection"),
        ("empty", DataError, "no music in the folder"),
        ("page.html", ScoreError, "no music that can be read"),
    ],
)
def test_what_is_no_music_is_refused(tmp_path, monkeypatch, name, error, found):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "page.html").write_text("<p>")
    with pytest.raises(error, match=found):
        find_corpora([name])


def test_no_inputs_are_refused():
    with pytest.raises(DataError, match="no inputs"):
        find_corpora([])


def test_a_name_in_no_encoding_becomes_text(tmp_path, melody):
    folder = tmp_path / "files"
    folder.mkdir()
    try:
        path = os.path.join(os.fsencode(folder), b"caf\xe9.mid")  # noqa: PTH118 (bytes)
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(midi.write(melody(1)))
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    (corpus,) = find_corpora([str(folder)])
    corpus.pieces[0].id.encode()
    corpus.pieces[0].split_key.encode()


def split_keys(folder):
    return [piece.split_key for piece in find_corpora([str(folder)])[0].pieces]


@pytest.mark.parametrize("namesakes", [MOST_NAMESAKES, MOST_NAMESAKES + 1])
def test_a_name_that_too_many_bear_is_no_title(tmp_path, melody, tune, namesakes):
    for number in range(namesakes):
        folder = tmp_path / "scores" / f"book{number}"
        folder.mkdir(parents=True)
        (folder / "minuet.mid").write_bytes(midi.write(melody(number)))
    tunes = [tune(number, title="Menuet") for number in range(namesakes)]
    (tmp_path / "tunes.abc").write_text("\n".join(tunes))
    of_files, of_tunes = split_keys(tmp_path / "scores"), split_keys(tmp_path / "tunes.abc")
    if namesakes <= MOST_NAMESAKES:
        assert set(of_files) == {"minuet"}
        assert set(of_tunes) == {"menuet"}
    else:
        assert of_files == [f"book{number}/minuet" for number in range(namesakes)]
        assert len(set(of_tunes)) == namesakes
        assert all(len(key) == 32 for key in of_tunes)  # the hash of what the tune says


def test_a_file_in_folders_by_composer_is_known_by_its_own_name(tmp_path, tune):
    paths = [
        "Paul_Francis_Webster-Sammy_Fain/The_Wind_Blows/The_Wind_Blows.mxl",
        "Sammy_Fain/Wind_Blows,_The/Wind_Blows,_The.mxl",
        "Sammy_Fain/12/12.mxl",
    ]
    for path in paths:
        (tmp_path / "songs" / path).parent.mkdir(parents=True)
        (tmp_path / "songs" / path).write_bytes(b"PK")
    by_id = {
        piece.id: piece.split_key for piece in find_corpora([str(tmp_path / "songs")])[0].pieces
    }
    assert [by_id[f"songs/{path}"] for path in paths] == [
        "windblows",
        "windblows",
        "Sammy_Fain/12/12",
    ]
    (tmp_path / "book.abc").write_text(tune(1, title="The Wind Blows -- Reel"))
    assert split_keys(tmp_path / "book.abc") == ["windblows"]


@pytest.mark.parametrize("title", ["", "Reel", "The Jig", "007", "Polka 12", "***"])
def test_a_kind_of_dance_or_a_number_is_no_title(title):
    assert normalise_title(title) == ""


@pytest.mark.parametrize(
    "titles",
    [
        (
            "WindThatShakestheBarleyreelThe",
            "The Wind That Shakes The Barley -- Reel",
            "Wind That Shakes the Barley, The",
        ),
        ("Acacia -- Reel", "The Acacia", "ACACIA."),
        ("Paddy O'Rafferty", "Paddy ORafferty"),
        ("The Lads of the Village.", "Lads Of Village"),
    ],
)
def test_titles_of_one_tune_are_brought_together(titles):
    assert len({normalise_title(title) for title in titles}) == 1
