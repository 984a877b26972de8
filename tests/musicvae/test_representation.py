from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae.errors import RepresentationError, SettingError
from musicvae.notes import Key, Meter, Note, NoteSequence
from musicvae.representation import (
    REPRESENTATIONS,
    Melody,
    on_grid,
    representation_from_config,
    top_line,
)

METERS = [Meter(4, 4), Meter(3, 4), Meter(6, 8), Meter(2, 2), Meter(7, 8)]
TWO_BARS = Melody(bars=2)

every_representation = pytest.mark.parametrize(
    "kind", REPRESENTATIONS.values(), ids=REPRESENTATIONS
)


def draw_representation(data, kind):
    return kind(bars=data.draw(st.integers(1, 16)), meter=data.draw(st.sampled_from(METERS)))


def draw_events(data, representation):
    """Any tensor within the vocabulary, with holds as frequent as in music."""
    columns = [
        data.draw(
            st.lists(
                st.one_of(st.just(0), st.integers(0, size - 1)),
                min_size=representation.length_steps,
                max_size=representation.length_steps,
            )
        )
        for size in representation.vocabulary_sizes
    ]
    return np.array(columns, dtype=np.int16).T


# The law of every representation


@every_representation
@given(data=st.data())
def test_every_tensor_is_a_legal_excerpt_and_notes_come_back(kind, data):
    """`to_notes` maps every tensor within `vocabulary_sizes` to an excerpt that `check` passes,
    and `to_notes(to_tensor(x)) == x`."""
    representation = draw_representation(data, kind)
    events = draw_events(data, representation)
    excerpt = representation.to_notes(events)
    assert representation.check(excerpt) is None
    again = representation.to_tensor(excerpt)
    assert again.shape == (representation.length_steps, len(representation.vocabulary_sizes))
    assert again.dtype == np.int16
    assert (again >= 0).all()
    assert (again < representation.vocabulary_sizes).all()
    assert representation.to_notes(again) == excerpt


@every_representation
@given(data=st.data())
def test_tensors_of_notes_come_back(kind, data):
    """What `to_tensor` writes is the one way to write it."""
    representation = draw_representation(data, kind)
    events = representation.to_tensor(representation.to_notes(draw_events(data, representation)))
    assert np.array_equal(representation.to_tensor(representation.to_notes(events)), events)


@every_representation
@given(data=st.data(), semitones=st.integers(-24, 24))
def test_transposing_back_is_identity_where_it_fits(kind, data, semitones):
    representation = draw_representation(data, kind)
    excerpt = representation.to_notes(draw_events(data, representation))
    events = representation.to_tensor(excerpt)
    moved, same = representation.transpose(
        np.stack([events, events]), np.array([semitones, 0], dtype=np.int64)
    )
    assert np.array_equal(same, events)
    assert (moved < representation.vocabulary_sizes).all()
    if np.array_equal(moved, events):
        return  # it would have left the range, or there is nothing to move
    assert representation.to_notes(moved) == excerpt.transpose(semitones)
    (back,) = representation.transpose(moved[None], np.array([-semitones], dtype=np.int64))
    assert np.array_equal(back, events)


@every_representation
@pytest.mark.parametrize("meter", METERS, ids=str)
def test_a_config_makes_the_same_representation(kind, meter):
    representation = kind(bars=3, meter=meter)
    config = representation.config()
    assert representation_from_config(config) == representation
    assert REPRESENTATIONS[str(config["name"])] is kind
    assert representation.length_steps == 3 * representation.steps_per_bar
    assert representation.steps_per_bar == meter.steps_per_bar()


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"name": "polka", "bars": 2},
        {"name": 3},
        {"name": "melody", "bars": "two"},
        {"name": "melody", "bars": 2.5},
        {"name": "melody", "bars": True},
        {"name": "melody", "bars": 0},
        {"name": "melody", "bars": 2, "voices": 4},
        {"name": "melody", "meter": "4/4"},
        {"name": "melody", "meter": {"numerator": 0, "denominator": 4}},
        {"name": "melody", "meter": {"numerator": 4, "denominator": 3}},
        {"name": "melody", "meter": {"numerator": 4, "beats": 4}},
        {"name": "melody", "meter": {"numerator": 5, "denominator": 32}},
    ],
    ids=str,
)
def test_a_config_of_no_representation_is_refused(config):
    with pytest.raises(SettingError):
        representation_from_config(config)


# The melody


def melody(*notes, length_steps=32, **settings):
    return NoteSequence(tuple(sorted(notes)), length_steps, **settings)


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


def test_loudness_program_tempo_and_key_are_not_kept():
    plain = melody(Note(0, 60, 4))
    rich = replace(plain, notes=(Note(0, 60, 4, 33, program=40, offset=0.2),), qpm=77.0, key=Key(5))
    assert TWO_BARS.to_notes(TWO_BARS.to_tensor(rich)) == plain


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


@pytest.mark.parametrize("settings", [{"bars": 0}, {"bars": -1}, {"meter": Meter(5, 32)}], ids=str)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(SettingError) as caught:
        Melody(**settings)
    assert caught.value.field in settings


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
    excerpt = TWO_BARS.to_notes(draw_events(data, TWO_BARS))
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
