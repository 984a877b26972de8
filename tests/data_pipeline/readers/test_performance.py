import pytest

from musicvae.data_pipeline.readers import read_piece
from musicvae.data_pipeline.readers.piece import KeyChange, MeterChange
from musicvae.errors import DataError, MidiError
from musicvae.music import midi
from musicvae.music.chords import QUALITIES
from musicvae.music.notes import Key, Meter, Note, NoteSequence


@pytest.fixture(scope="module")
def song():
    """Eighths at 120, of which the fifth is played at 0.5 s, in a file that says 3/4."""
    notes = tuple(Note(step, 60 + step % 7, step + 2) for step in range(0, 160, 2))
    return midi.write(NoteSequence(notes=notes, length_steps=160, meter=Meter(3, 4)))


def beats(downbeats, count, *, seconds=0.5):
    """Beats from half a second on."""
    lines = [f"{0.5 + seconds * beat} 0 {int(beat in downbeats)}" for beat in range(count)]
    return "\n".join(lines).encode()


def read(song, **side):
    return read_piece(song, "midi", side)


def test_a_list_of_beats_is_the_grid(song):
    piece = read(song, beats=beats({1, 5, 9, 13}, 20))
    assert piece.meters == (MeterChange(0, Meter()),)
    assert piece.bar_lines.tolist() == [0, 1, 5, 9, 13, 17]
    (part,) = piece.parts
    # The file's step 4 is at the first beat.
    assert (part.onsets[0], part.pitches[0], part.ends[0]) == (0, 60 + 4 % 7, 0.5)
    assert part.onsets[:4].tolist() == [0, 0.5, 1, 1.5]
    assert [change.qpm for change in piece.tempos] == [120]


def test_a_bar_of_six_beats_is_two_bars_of_three(song):
    lines = "\n".join(
        f"{0.5 * beat} {int(beat % 3 == 1)} {int(beat % 6 == 1)}" for beat in range(20)
    )
    piece = read(song, beats=lines.encode())
    assert piece.meters == (MeterChange(0, Meter(3, 4)),)
    assert piece.bar_lines.tolist() == [0, 1, 4, 7, 10, 13, 16, 19]


def test_beats_twice_as_far_apart_hold_twice_as_many_notes(song):
    (part,) = read(song, beats=beats({0, 4, 8}, 9, seconds=1.0)).parts
    assert part.onsets[:4].tolist() == [0, 0.25, 0.5, 0.75]
    assert part.onsets.max() < 8


def test_the_tempo_follows_the_beats(song):
    times = [0.5, 1.0, 1.5, 2.0, 2.5, 3.5, 4.5, 5.5, 6.5]
    lines = "\n".join(f"{time} 0 {int(index % 4 == 0)}" for index, time in enumerate(times))
    tempos = read(song, beats=lines.encode()).tempos
    assert [(change.quarter, change.qpm) for change in tempos] == [(0, 120), (4, 60)]


def test_irregular_downbeats_are_irregular_bars(song):
    piece = read(song, beats=beats({0, 4, 8, 10, 14, 18}, 23))
    assert piece.bar_lines.tolist() == [0, 4, 8, 10, 14, 18, 22]


def test_notes_outside_the_beats_are_left_out(song):
    late = "\n".join(f"{100 + beat} 0 {int(beat % 4 == 0)}" for beat in range(9))
    assert read(song, beats=late.encode()).parts == ()


def test_chords_and_keys_stand_at_the_beats_that_are_nearest(song):
    piece = read(
        song,
        beats=beats({0, 4, 8, 12}, 16),
        chords=b"0.5 1.5 N\n1.51\t2.5\tG:min7/b3\n2.5 4.5 A#:maj\n4.5 8 A#:maj\n",
        keys=b"0.7 4.4 Gb:maj\n4.4 9.0 Eb:min\n",
    )
    line = piece.chords
    assert line.onsets.tolist() == [0, 2, 4]
    assert line.roots.tolist() == [-1, 7, 10]
    assert [list(QUALITIES)[each] for each in line.qualities[1:]] == ["min7", "maj"]
    assert line.basses.tolist() == [-1, 10, 10]
    assert piece.keys == (KeyChange(0.0, Key(6)), KeyChange(8.0, Key(3, is_minor=True)))


def test_nothing_but_no_chord_is_no_line(song):
    assert read(song, beats=beats({0, 4}, 9), chords=b"0.5 5 N\n").chords is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "no lines"),
        ("\n \n", "no lines"),
        ("# 0.5 1 1\n", "could not convert"),
        ("0.5 1\n1.0 0\n", "2 numbers"),
        ("0.5 1 1\n1.0 0 0\n", "fewer than two downbeats"),
        ("a b c\n", "could not convert"),
        ("1.0 1 1\n0.5 0 1\n", "ascend"),
        ("0.5 1 1\n0.5 0 1\n", "ascend"),
        ("nan 1 1\n0.5 0 1\n", "ascend"),
        (beats({0, 300}, 301).decode(), "a bar of more than 64 beats"),
    ],
)
def test_a_damaged_list_of_beats_is_refused(song, text, found):
    with pytest.raises(DataError, match=found):
        read(song, beats=text.encode())


@pytest.mark.parametrize(
    ("role", "text", "found"),
    [
        ("chords", "0.5 1.0\n", "the line"),
        ("chords", "now 1.0 C:maj\n", "the line"),
        ("chords", "2.0 3.0 C:maj\n1.0 2.0 C:maj\n", "ascend"),
        ("keys", "0.5 1.0 H:maj\n", "the label 'H:maj'"),
        ("keys", "0.5 1.0 C:hdim7\n", "the label 'C:hdim7'"),
    ],
)
def test_damaged_lists_of_chords_and_keys_are_refused(song, role, text, found):
    with pytest.raises(DataError, match=found):
        read(song, beats=beats({0, 4}, 9), **{role: text.encode()})


def test_damaged_midi_is_refused():
    with pytest.raises(MidiError):
        read(b"MThd", beats=beats({0, 4}, 9))
