from dataclasses import replace

import pytest

from musicvae import midi
from musicvae.data_pipeline.corpus import BEATS_NAME, find_corpora
from musicvae.data_pipeline.read import read_piece
from musicvae.errors import MusicVAEError
from musicvae.notes import Meter, Note, NoteSequence


def only_piece(path):
    ((corpus,),) = (find_corpora([str(path)]),)
    (piece,) = corpus.pieces
    return piece


@pytest.fixture
def song(tmp_path):
    """A folder with a performance of eighths at 120, half a second before the first beat."""
    folder = tmp_path / "song"
    folder.mkdir()
    notes = tuple(Note(step, 60 + step % 7, step + 2) for step in range(0, 160, 2))
    data = midi.write(NoteSequence(notes=notes, length_steps=160, meter=Meter(3, 4)))
    (folder / "song.mid").write_bytes(data)
    return folder


def write_beats(folder, downbeats, count):
    """Beats every half second from 0.5 s on."""
    lines = [f"{0.5 + beat / 2} 0 {int(beat in downbeats)}" for beat in range(count)]
    (folder / BEATS_NAME).write_text("\n".join(lines))


def test_a_midi_file_has_bars_from_its_start(midi_folder):
    piece = read_piece(only_piece(midi_folder / "melody0.mid"))
    assert piece.meters == (Meter(4, 4),)
    assert piece.parts[0].bar_lines == tuple(range(0, 129, 16))


def test_bars_begin_where_the_accents_say(tmp_path, melody):
    plain = melody(0, bars=10)
    accented = replace(
        plain,
        notes=tuple(
            replace(note, velocity=105 if note.start_step % 16 == 4 else 80) for note in plain.notes
        ),
    )
    (tmp_path / "tune.mid").write_bytes(midi.write(accented))
    piece = read_piece(only_piece(tmp_path / "tune.mid"))
    assert piece.parts[0].bar_lines[:3] == (0, 4, 20)


def test_a_list_of_beats_is_the_grid(song):
    write_beats(song, downbeats={1, 5, 9, 13}, count=20)
    piece = read_piece(only_piece(song))
    (part,) = piece.parts
    # The file says 3/4; the beats say 4/4, the first bar line on the second beat.
    assert piece.meters == (Meter(4, 4),)
    assert part.notes.meter == Meter(4, 4)
    assert part.bar_lines == (4, 20, 36, 52, 68)
    # The file's step 4 is at 0.5 s, the first beat.
    assert part.notes.notes[0] == Note(0, 60 + 4 % 7, 2)


def test_irregular_downbeats_are_irregular_bars(song):
    write_beats(song, downbeats={0, 4, 8, 10, 14, 18}, count=23)
    assert read_piece(only_piece(song)).parts[0].bar_lines == (0, 16, 32, 40, 56, 72, 88)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "downbeats|columns"),
        ("0.5 1\n1.0 0\n", "2 columns"),
        ("0.5 1 1\n1.0 0 0\n", "1 downbeats"),
        ("a b c\n", "could not convert"),
        ("1.0 1 1\n0.5 0 1\n", "ascend"),
    ],
)
@pytest.mark.filterwarnings("ignore:loadtxt")
def test_a_damaged_list_of_beats_is_refused(song, text, found):
    (song / BEATS_NAME).write_text(text)
    with pytest.raises(MusicVAEError, match=found):
        read_piece(only_piece(song))


def test_tunes_and_scores_are_read(abc_folder, tmp_path):
    (corpus,) = find_corpora([str(abc_folder)])
    assert read_piece(corpus.pieces[7]).parts[0].bar_lines == tuple(range(0, 129, 16))
    (tmp_path / "score.xml").write_bytes(b"<html/>")
    with pytest.raises(MusicVAEError, match="a root named html"):
        read_piece(only_piece(tmp_path / "score.xml"))


def test_a_huge_file_is_refused(tmp_path):
    with (tmp_path / "big.mid").open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    with pytest.raises(MusicVAEError, match="bytes"):
        read_piece(only_piece(tmp_path / "big.mid"))
