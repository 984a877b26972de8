import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicvae.errors import RepresentationError
from musicvae.music.chords import Chord
from musicvae.music.notes import Key, Meter, Note, NoteSequence
from musicvae.music.top_line import on_grid, top_line
from musicvae.representation import Melody
from musicvae.representation.melody import write_line

TWO_BARS = Melody(bars=2)
IN_TWELFTHS = Melody(bars=1, steps_per_quarter=12)


def melody(*notes, length_steps=32, **settings):
    return NoteSequence(tuple(sorted(notes)), length_steps, **settings)


def draw_line(data, length_steps):
    """Legal notes: each after the one before, with silence between them or none."""
    bounds = data.draw(st.lists(st.integers(0, length_steps), unique=True, max_size=30).map(sorted))
    notes = []
    for start, end in itertools.pairwise(bounds):
        if data.draw(st.booleans()):
            notes.append(Note(start, data.draw(st.integers(21, 108)), end))
    return notes


@settings(max_examples=300)
@given(data=st.data(), bars=st.integers(1, 4), steps_per_quarter=st.sampled_from([4, 12]))
def test_legal_music_comes_back(data, bars, steps_per_quarter):
    representation = Melody(bars=bars, steps_per_quarter=steps_per_quarter)
    notes = draw_line(data, representation.length_steps)
    excerpt = melody(
        *notes, length_steps=representation.length_steps, steps_per_quarter=steps_per_quarter
    )
    assert representation.to_notes(representation.to_tensor(excerpt)) == excerpt


def test_events_are_numbered_as_in_the_paper():
    excerpt = melody(Note(0, 21, 2), Note(2, 60, 4), Note(6, 108, 32))
    events = TWO_BARS.to_tensor(excerpt)[:, 0]
    assert TWO_BARS.vocabulary_sizes == (90,)
    assert events[:8].tolist() == [2, 0, 41, 0, 1, 0, 89, 0]
    assert (events[8:] == 0).all()


def test_silence_is_nothing_but_holds():
    assert not TWO_BARS.to_tensor(melody()).any()


def test_a_stop_in_silence_is_silence():
    assert TWO_BARS.to_notes(np.ones((32, 1), dtype=np.int16)) == melody()


def test_a_note_goes_on_to_the_end():
    events = np.zeros((32, 1), dtype=np.int16)
    events[31] = 41
    assert TWO_BARS.to_notes(events).notes == (Note(31, 60, 32),)


def test_what_is_not_kept():
    plain = melody(Note(0, 60, 4))
    rich = replace(
        plain,
        notes=(Note(0, 60, 4, 33, program=40, offset=0.2),),
        qpm=77.0,
        key=Key(5),
        chords=(Chord(0, 5, "maj"),),
    )
    assert TWO_BARS.to_notes(TWO_BARS.to_tensor(rich)) == plain


def test_a_finer_grid_holds_triplets():
    triplet = [Note(4 * i, 60 + i, 4 * i + 4) for i in range(3)]
    excerpt = melody(*triplet, length_steps=48, steps_per_quarter=12)
    events = IN_TWELFTHS.to_tensor(excerpt)
    assert events[:13, 0].tolist() == [41, 0, 0, 0, 42, 0, 0, 0, 43, 0, 0, 0, 1]
    assert IN_TWELFTHS.to_notes(events) == excerpt
    # As far off as a step can be: nothing is off this grid.
    far = replace(excerpt, notes=(Note(0, 60, 4, offset=0.5),))
    assert IN_TWELFTHS.check(far) is None


# What is refused

ILLEGAL = {
    "drums": melody(Note(0, 38, 1, is_drum=True)),
    "wrong_resolution": replace(melody(), steps_per_quarter=12),
    "wrong_meter": melody(meter=Meter(2, 2)),
    "wrong_length": melody(length_steps=48),
    "off_grid": melody(Note(0, 60, 4), Note(5, 62, 8, offset=1 / 3)),
    "polyphonic": melody(Note(0, 60, 8), Note(7, 62, 12)),
    "out_of_range": melody(Note(0, 20, 8)),
}


@pytest.mark.parametrize("cause", ILLEGAL)
def test_each_cause_of_refusal(cause):
    found = TWO_BARS.check(ILLEGAL[cause])
    assert found is not None
    assert found.cause == cause
    with pytest.raises(RepresentationError) as caught:
        TWO_BARS.to_tensor(ILLEGAL[cause])
    assert caught.value.cause == cause
    assert caught.value.found
    assert caught.value.expected
    assert caught.value.action.endswith(".")


@pytest.mark.parametrize(
    "excerpt",
    [
        melody(Note(0, 60, 4), Note(4, 60, 8)),  # side by side
        melody(Note(0, 21, 1), Note(31, 108, 32)),  # the ends of the piano
        melody(Note(5, 62, 8, offset=-0.25)),  # as far as may be
    ],
)
def test_what_is_just_legal(excerpt):
    assert TWO_BARS.check(excerpt) is None


def test_a_chord_and_a_high_note_are_refused():
    assert TWO_BARS.check(melody(Note(0, 60, 4), Note(0, 64, 4))).cause == "polyphonic"
    assert TWO_BARS.check(melody(Note(0, 109, 4))).cause == "out_of_range"
    assert TWO_BARS.check(melody(Note(0, 60, 32), Note(4, 62, 5))).cause == "polyphonic"


# Whole parts as arrays


def columns(*notes):
    return tuple(np.array(notes, np.int32).reshape(-1, 3).T)


@given(data=st.data(), start=st.integers(0, 48))
def test_a_window_of_a_line_is_the_line_of_the_window(data, start):
    """But for what is left of a note that began before it."""
    notes = draw_line(data, 80)
    window = NoteSequence(tuple(notes), 80).window(start, 32)
    line = write_line(*columns(*((n.start_step, n.end_step, n.pitch) for n in notes)), 80)
    cut = line[start : start + 32].copy()
    cut[: (cut >= 2).argmax() if (cut >= 2).any() else 32] = 0
    assert np.array_equal(cut, TWO_BARS.to_tensor(window)[:, 0])


@pytest.mark.parametrize(
    ("notes", "events"),
    [
        ([], [0, 0, 0, 0, 0, 0]),
        ([(1, 3, 60)], [0, 41, 0, 1, 0, 0]),
        ([(1, 6, 60)], [0, 41, 0, 0, 0, 0]),
        ([(1, 9, 60)], [0, 41, 0, 0, 0, 0]),  # past the end
        ([(0, 4, 60), (2, 6, 62)], [41, 0, 43, 0, 0, 0]),  # the end of the first is not heard
        ([(0, 2, 60), (0, 4, 64), (0, 1, 67)], [48, 1, 0, 0, 0, 0]),  # the last of a chord
        ([(0, 1, 20), (1, 2, 109)], [1, 90, 1, 0, 0, 0]),  # events that are none: not checked
    ],
)
def test_a_line_of_any_notes(notes, events):
    line = write_line(*columns(*notes), 6)
    assert line.dtype == np.int16
    assert line.tolist() == events


# The top line

any_notes = st.lists(
    st.builds(
        lambda start, length, pitch, is_drum, offset: Note(
            start, pitch, min(start + length, 32), 64, 0, is_drum, offset
        ),
        *(st.integers(0, 31), st.integers(1, 32), st.integers(0, 127)),
        *(st.booleans(), st.floats(-0.5, 0.5)),
    ),
    max_size=30,
)


@given(any_notes)
def test_the_top_line_of_any_music_is_a_melody(made):
    line = top_line(melody(*made))
    assert TWO_BARS.check(on_grid(line)) is None
    assert top_line(line) == line
    starts = {note.start_step for note in made if not note.is_drum}
    assert {note.start_step for note in line.notes} <= starts
    assert bool(line.notes) == bool(starts)


@given(st.data())
def test_the_top_line_of_a_melody_is_itself(data):
    excerpt = TWO_BARS.to_notes(
        np.array(
            data.draw(
                st.lists(st.one_of(st.just(0), st.integers(0, 89)), min_size=32, max_size=32)
            ),
            np.int16,
        )[:, None]
    )
    assert top_line(excerpt) == excerpt


@pytest.mark.parametrize(
    ("notes", "line"),
    [
        # The highest of a chord
        ([Note(0, 60, 4), Note(0, 64, 4), Note(0, 67, 2)], [Note(0, 67, 2)]),
        # A higher note cuts a lower one short
        ([Note(0, 60, 8), Note(4, 64, 6)], [Note(0, 60, 4), Note(4, 64, 6)]),
        # A lower one under a higher is not heard
        ([Note(0, 64, 8), Note(4, 60, 12)], [Note(0, 64, 8)]),
        # The same pitch again is played again
        ([Note(0, 64, 8), Note(4, 64, 12)], [Note(0, 64, 4), Note(4, 64, 12)]),
        # Drums are no voice
        ([Note(0, 90, 8, is_drum=True), Note(0, 60, 4)], [Note(0, 60, 4)]),
        # Octaves lead back to the piano
        ([Note(0, 20, 4), Note(4, 120, 8), Note(8, 0, 9)],
         [Note(0, 32, 4), Note(4, 108, 8), Note(8, 24, 9)]),
        # Triplets stay triplets, loudness and program go
        ([Note(3, 60, 4, 33, 40, offset=0.4)], [Note(3, 60, 4, offset=0.4)]),
    ],
)  # fmt: skip
def test_top_line(notes, line):
    assert top_line(melody(*notes)) == melody(*line)


def test_a_triplet_in_the_top_line_is_refused_until_it_is_put_on_the_grid():
    line = top_line(melody(Note(0, 60, 4), Note(0, 64, 4), Note(5, 62, 8, offset=1 / 3)))
    assert TWO_BARS.check(line).cause == "off_grid"
    assert on_grid(line) == melody(Note(0, 64, 4), Note(5, 62, 8))


@given(any_notes)
def test_on_the_grid_only_offsets_change(made):
    music = melody(*made)
    moved = on_grid(music)
    assert {note.offset for note in moved.notes} <= {0}
    assert [replace(note, offset=0.0) for note in music.notes] == list(moved.notes)
