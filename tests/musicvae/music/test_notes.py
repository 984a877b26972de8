from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae.music.chords import Chord
from musicvae.music.notes import BarChange, Key, Meter, Note, NoteSequence, TimeGrid

LENGTH_STEPS = 64

notes = st.builds(
    lambda start, length, pitch, is_drum: Note(
        start, pitch, min(start + length, LENGTH_STEPS), is_drum=is_drum
    ),
    *(st.integers(0, LENGTH_STEPS - 1), st.integers(1, 32), st.integers(12, 115), st.booleans()),
)
note_lists = st.lists(notes, max_size=20)


def music(made, **settings):
    return NoteSequence(tuple(sorted(made)), LENGTH_STEPS, **settings)


@pytest.mark.parametrize(
    ("meter", "steps"),
    [((4, 4), 16), ((3, 4), 12), ((6, 8), 12), ((2, 2), 16), ((5, 8), 10), ((7, 16), 7),
     ((5, 32), None), ((6, 32), 3), ((1, 1), 16), ((1, 64), None)],
)  # fmt: skip
def test_bars_in_steps(meter, steps):
    assert Meter(*meter).steps_per_bar() == steps


def test_a_finer_grid_has_longer_bars():
    assert Meter(6, 8).steps_per_bar(12) == 36
    assert Meter(5, 32).steps_per_bar(8) == 5


def test_a_meter_has_its_usual_name():
    assert str(Meter(12, 8)) == "12/8"


def test_values_do_not_change():
    note = Note(0, 60, 4)
    with pytest.raises(FrozenInstanceError):
        note.pitch = 61
    with pytest.raises(FrozenInstanceError):
        music([note]).qpm = 60.0


@pytest.mark.parametrize(
    "change",
    [{"start_step": -1}, {"end_step": 0}, {"end_step": -1}, {"pitch": 128}, {"pitch": -1},
     {"velocity": 0}, {"velocity": 128}, {"program": 128}],
    ids=str,
)  # fmt: skip
def test_an_impossible_note_is_our_mistake(change):
    with pytest.raises(AssertionError):
        replace(Note(0, 60, 4), **change)


def test_an_impossible_sequence_is_our_mistake():
    early, late = Note(0, 60, 4), Note(4, 60, 8)
    with pytest.raises(AssertionError, match="unsorted"):
        NoteSequence((late, early), 16)
    with pytest.raises(AssertionError, match="past the end"):
        NoteSequence((early, late), 7)
    with pytest.raises(AssertionError):
        NoteSequence((), 16, qpm=0.0)
    with pytest.raises(AssertionError, match="unsorted chords"):
        NoteSequence((), 16, chords=(Chord(4), Chord(4, 0, "maj")))
    with pytest.raises(AssertionError, match="a chord past the end"):
        NoteSequence((), 16, chords=(Chord(16),))
    with pytest.raises(AssertionError):
        Meter(4, 3)
    with pytest.raises(AssertionError):
        Key(12)


def test_a_window_keeps_what_starts_inside():
    sequence = music([Note(0, 60, 20), Note(16, 62, 18), Note(30, 64, 40), Note(32, 65, 33)])
    window = sequence.window(16, 16)
    assert window.notes == (Note(0, 62, 2), Note(14, 64, 16))
    assert window.length_steps == 16


@pytest.mark.parametrize(
    ("start", "chords"),
    [
        (0, (Chord(8, 0, "maj"),)),
        (8, (Chord(0, 0, "maj"), Chord(12, 7, "7", 11))),
        (12, (Chord(0, 0, "maj"), Chord(8, 7, "7", 11))),  # it began before and still holds
        (20, (Chord(0, 7, "7", 11), Chord(10))),
        (32, ()),  # that there is no chord needs not be said at the start
    ],
)
def test_a_window_keeps_the_chords_that_hold_in_it(start, chords):
    harmony = (Chord(8, 0, "maj"), Chord(20, 7, "7", 11), Chord(30))
    assert music([], chords=harmony).window(start, 16).chords == chords


@given(note_lists, st.integers(1, 4))
def test_windows_side_by_side_hold_every_note_once(made, bars):
    sequence = music(made, meter=Meter(4, 4))
    length = 16 * bars
    windows = [sequence.window(start, length) for start in range(0, LENGTH_STEPS, length)]
    starts = [
        (note.start_step + i * length, note.pitch)
        for i, window in enumerate(windows)
        for note in window.notes
    ]
    assert starts == [(note.start_step, note.pitch) for note in sequence.notes]
    assert all(note.end_step <= length for window in windows for note in window.notes)


@given(note_lists, st.integers(-12, 12), st.none() | st.builds(Key, st.integers(0, 11)))
def test_transposing_up_and_down_changes_nothing(made, semitones, key):
    sequence = music(made, key=key)
    assert sequence.transpose(semitones).transpose(-semitones) == sequence


def test_transposing_moves_notes_key_and_chords_and_no_drums():
    sequence = music(
        [Note(0, 60, 4), Note(0, 36, 1, is_drum=True)],
        key=Key(9, is_minor=True),
        chords=(Chord(0, 9, "min", 4), Chord(4)),
    )
    moved = sequence.transpose(5)
    assert moved.chords == (Chord(0, 2, "min", 9), Chord(4))
    assert moved.notes == (Note(0, 36, 1, is_drum=True), Note(0, 65, 4))
    assert moved.key == Key(2, is_minor=True)


def test_a_finer_grid_takes_all_steps_along_and_finds_triplets():
    three = Meter(3, 4)
    sequence = music(
        [Note(0, 60, 4), Note(1, 62, 4, offset=1 / 3), Note(12, 64, 16, is_drum=True)],
        chords=(Chord(4, 0, "maj"),),
        bar_changes=(BarChange(0, Meter()), BarChange(16, three)),
    )
    fine = sequence.refine(12)
    assert [(note.start_step, note.end_step) for note in fine.notes] == [(0, 12), (4, 12), (36, 48)]
    assert all(abs(note.offset) < 1e-9 for note in fine.notes)
    assert [bar.start_step for bar in fine.bars] == [3 * bar.start_step for bar in sequence.bars]
    assert fine.chords == (Chord(12, 0, "maj"),)
    assert (fine.length_steps, fine.grid) == (3 * LENGTH_STEPS, TimeGrid(Meter(), 12))


def test_transposing_past_the_range_is_refused():
    sequence = music([Note(0, 120, 4), Note(0, 5, 4, is_drum=True)])
    assert sequence.transpose(7).notes[-1].pitch == 127
    with pytest.raises(ValueError, match="0 to 127"):
        sequence.transpose(8)
