from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicvae.errors import RepresentationError
from musicvae.music.chords import QUALITIES, Chord
from musicvae.music.notes import Meter, Note, NoteSequence
from musicvae.representation import Chords, LeadSheet, Melody

BAR = LeadSheet(bars=1)
TUNE = (Note(0, 72, 4), Note(8, 76, 16))
CHORDS = (Chord(0, 0, "maj"), Chord(6, 9, "min7", 7), Chord(14))


def sheet(*notes, chords=CHORDS, length_steps=16, **settings):
    return NoteSequence(tuple(sorted(notes)), length_steps, chords=chords, **settings)


@settings(max_examples=200)
@given(
    st.lists(st.one_of(st.just(0), st.integers(0, 89)), min_size=16, max_size=16),
    st.lists(st.tuples(st.integers(0, 204), st.integers(0, 12)), min_size=16, max_size=16),
)
def test_melody_and_chords_are_as_alone(line, harmony):
    events = np.column_stack([line, harmony]).astype(np.int16)
    excerpt = BAR.to_notes(events)
    assert excerpt.notes == Melody(bars=1).to_notes(events[:, :1]).notes
    by_step = Chords(bars=1, resolution="step")
    assert excerpt.chords == by_step.to_notes(events[:, 1:]).chords
    written = BAR.to_tensor(excerpt)
    assert np.array_equal(written[:, 1:], by_step.to_tensor(excerpt))


def test_one_stream_is_made_and_two_are_given():
    assert [stream.is_condition for stream in BAR.streams] == [False, True, True]
    assert BAR.vocabulary_sizes == (90, 205, 13)
    assert LeadSheet().bars == 4


def test_the_numbers_of_a_bar():
    events = BAR.to_tensor(sheet(*TUNE))
    a_minor = 1 + 9 * len(QUALITIES) + list(QUALITIES).index("min7")
    assert events[[0, 4, 5, 6, 8, 14]].tolist() == [
        [53, 1, 0],
        [1, 1, 0],
        [0, 1, 0],
        [0, a_minor, 8],
        [57, a_minor, 8],
        [0, 0, 0],
    ]
    assert BAR.to_notes(events) == sheet(*TUNE)


def test_a_chord_may_start_at_any_step_of_any_grid():
    by_twelfths = LeadSheet(bars=1, meter=Meter(3, 4), steps_per_quarter=12)
    excerpt = sheet(
        Note(4, 60, 8),
        chords=(Chord(7, 2, "7"),),
        length_steps=36,
        meter=Meter(3, 4),
        steps_per_quarter=12,
    )
    assert by_twelfths.to_notes(by_twelfths.to_tensor(excerpt)) == excerpt


def test_what_is_not_kept():
    rich = sheet(
        replace(TUNE[0], velocity=100, program=40), TUNE[1], chords=(Chord(0), *CHORDS[1:])
    )
    assert BAR.to_notes(BAR.to_tensor(rich)) == sheet(*TUNE, chords=CHORDS[1:])


def test_nothing_starts_in_what_is_condition():
    (is_onset,) = BAR.is_onset(BAR.to_tensor(sheet(*TUNE))[None])
    assert np.argwhere(is_onset).tolist() == [[0, 0], [8, 0]]


def test_melody_and_chords_move_together_or_not_at_all():
    high = sheet(Note(0, 107, 4))
    events = BAR.to_tensor(high)
    up, two_up, down = BAR.transpose(np.stack([events] * 3), np.array([1, 2, -7]))
    assert BAR.to_notes(up) == high.transpose(1)
    assert np.array_equal(two_up, events)
    assert BAR.to_notes(down) == high.transpose(-7)


def test_chords_without_a_melody_move():
    silent = sheet()
    (up,) = BAR.transpose(BAR.to_tensor(silent)[None], np.array([24 + 3]))
    assert BAR.to_notes(up) == silent.transpose(3)


@pytest.mark.parametrize(
    ("cause", "note"),
    [
        ("drums", Note(4, 36, 5, is_drum=True)),
        ("off_grid", Note(4, 60, 8, offset=1 / 3)),
        ("polyphonic", Note(2, 60, 8)),
        ("out_of_range", Note(4, 20, 8)),
    ],
)
def test_a_melody_is_refused_as_alone(cause, note):
    with pytest.raises(RepresentationError) as caught:
        BAR.to_tensor(sheet(*TUNE, note))
    assert caught.value.cause == cause
