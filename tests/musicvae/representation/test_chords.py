from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicvae.errors import RepresentationError, SettingError
from musicvae.music.chords import QUALITIES, Chord
from musicvae.music.notes import Meter, Note, NoteSequence
from musicvae.representation import Chords
from musicvae.representation.chords import write_chords, write_events

BY_BAR = Chords(bars=2, resolution="bar")
BY_HALF = Chords(bars=2)
BY_STEP = Chords(bars=2, resolution="step")


def harmony(*chords, length_steps=32, **settings):
    return NoteSequence((), length_steps, chords=chords, **settings)


def draw_chord(data, start):
    if data.draw(st.integers(0, 4)) == 0:
        return Chord(start)
    root = data.draw(st.integers(0, 11))
    bass = data.draw(st.none() | st.integers(0, 11))
    quality = data.draw(st.sampled_from(list(QUALITIES)))
    return Chord(start, root, quality, None if bass == root else bass)


@settings(max_examples=300)
@given(st.data(), st.sampled_from(["bar", "half_bar", "step"]))
def test_legal_music_comes_back(data, resolution):
    representation = Chords(bars=4, resolution=resolution)
    rows = data.draw(
        st.lists(st.integers(0, 4 * representation.rows_per_bar - 1), unique=True, max_size=12)
    )
    chords = []
    for row in sorted(rows):
        chord = draw_chord(data, row * representation.steps_per_row)
        last = chords[-1] if chords else Chord(0)
        if replace(last, start_step=chord.start_step) != chord:
            chords.append(chord)
    excerpt = harmony(*chords, length_steps=64)
    assert representation.to_notes(representation.to_tensor(excerpt)) == excerpt


@pytest.mark.parametrize(
    ("representation", "rows"),
    [(BY_BAR, 1), (BY_HALF, 2), (BY_STEP, 16)],
    ids=["bar", "half", "step"],
)
def test_rows_are_slots(representation, rows):
    assert representation.rows_per_bar == rows
    assert representation.steps_per_bar == 16
    assert representation.length_steps == 32
    assert representation.to_tensor(harmony()).shape == (2 * rows, 2)


def test_the_numbers_of_a_chord():
    excerpt = harmony(Chord(8, 0, "maj"), Chord(16, 9, "min7", 7), Chord(24))
    assert BY_HALF.vocabulary_sizes == (205, 13)
    assert BY_HALF.to_tensor(excerpt).tolist() == [[0, 0], [1, 0], [1 + 9 * 17 + 11, 8], [0, 0]]


def test_a_chord_holds_until_the_next():
    events = BY_STEP.to_tensor(harmony(Chord(3, 2, "7"), Chord(20, 7, "maj")))
    assert events[:, 0].tolist() == [0] * 3 + [1 + 2 * 17 + 9] * 17 + [1 + 7 * 17] * 12


def test_what_is_not_kept():
    rich = NoteSequence(
        (Note(0, 60, 4),),
        32,
        qpm=90.0,
        chords=(Chord(0), Chord(8, 0, "maj"), Chord(16, 0, "maj")),
    )
    assert BY_HALF.to_notes(BY_HALF.to_tensor(rich)) == harmony(Chord(8, 0, "maj"))


def test_a_bass_that_says_nothing_is_written_as_none():
    events = np.array([[1, 1], [0, 5], [1, 3], [1, 3]], np.int16)
    excerpt = BY_HALF.to_notes(events)
    assert excerpt == harmony(Chord(0, 0, "maj"), Chord(8), Chord(16, 0, "maj", 2))
    assert BY_HALF.to_tensor(excerpt).tolist() == [[1, 0], [0, 0], [1, 3], [1, 3]]


def test_transposing_goes_round_the_octave():
    events = BY_HALF.to_tensor(harmony(Chord(0, 11, "min", 2), Chord(16)))
    (up,) = BY_HALF.transpose(events[None], np.array([3]))
    assert BY_HALF.to_notes(up) == harmony(Chord(0, 2, "min", 5), Chord(16))


def test_a_chord_within_a_slot_is_refused():
    with pytest.raises(RepresentationError, match="start of a half_bar") as caught:
        BY_HALF.to_tensor(harmony(Chord(4, 0, "maj")))
    assert caught.value.cause == "off_grid"
    assert BY_BAR.check(harmony(Chord(8, 0, "maj"))).cause == "off_grid"
    assert BY_STEP.check(harmony(Chord(5, 0, "maj"))) is None


def test_half_a_bar_is_whole_steps():
    assert Chords(meter=Meter(7, 8)).steps_per_row == 7
    with pytest.raises(SettingError) as caught:
        Chords(meter=Meter(7, 16))
    assert caught.value.field == "resolution"
    assert Chords(meter=Meter(7, 16), resolution="bar").rows_per_bar == 1


def test_chords_of_whole_pieces_as_columns():
    starts, roots = np.array([1, 3, 3, 5]), np.array([0, 5, 7, -1])
    qualities, basses = np.array([0, 1, 9, -1]), np.array([0, -1, 11, -1])
    events = write_chords(starts, roots, qualities, basses, 6)
    assert events.dtype == np.int16
    g7 = 1 + 7 * 17 + 9
    assert events.tolist() == [[0, 0], [1, 0], [1, 0], [g7, 12], [g7, 12], [0, 0]]
    assert write_events(roots, qualities, basses)[:, 0].tolist() == [1, 1 + 5 * 17 + 1, g7, 0]
    nothing = np.zeros(0, np.int16)
    assert not write_chords(nothing, nothing, nothing, nothing, 3).any()
