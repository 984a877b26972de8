"""The law of every representation, one test body for all; what is special has files of its own.

Tensors are drawn sparse, as music is; `hypothesis` shrinks them to nothing but holds.
"""

from dataclasses import asdict
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from musicvae.errors import RepresentationError, SettingError
from musicvae.music.notes import Meter, NoteSequence
from musicvae.representation import (
    REPRESENTATIONS,
    Chords,
    Representation,
    representation_from_config,
)

METERS = [Meter(4, 4), Meter(3, 4), Meter(6, 8), Meter(2, 4), Meter(5, 4), Meter(7, 8), Meter(2, 2)]

FORMS = {
    **REPRESENTATIONS,
    **{f"{name} by twelfths": partial(make, steps_per_quarter=12)
       for name, make in REPRESENTATIONS.items()},
    **{f"chords by {slot}": partial(Chords, resolution=slot) for slot in ("bar", "step")},
}  # fmt: skip

every_form = pytest.mark.parametrize("make", FORMS.values(), ids=FORMS)
every_meter = pytest.mark.parametrize("meter", METERS, ids=str)


# These are no composite strategies: the checker of shapes draws random numbers of its own.


def draw_representation(data, make):
    return make(bars=data.draw(st.integers(1, 3)), meter=data.draw(st.sampled_from(METERS)))


def draw_events(data, representation):
    """Any tensor within the vocabulary, with holds as frequent as in music."""
    sizes = np.array(representation.vocabulary_sizes, np.int16)
    shape = (representation.bars * representation.rows_per_bar, len(sizes))
    drawn = st_numpy.arrays(np.int16, shape, elements=st.integers(0, 1024), fill=st.just(0))
    return data.draw(drawn) % sizes


@every_form
@settings(max_examples=100)
@given(data=st.data())
def test_every_tensor_is_a_legal_excerpt_and_notes_come_back(make, data):
    """`to_notes` maps every tensor within `vocabulary_sizes` to an excerpt that `check` passes,
    `to_notes(to_tensor(x)) == x`, and what `to_tensor` writes is the one way to write it."""
    representation = draw_representation(data, make)
    excerpt = representation.to_notes(draw_events(data, representation))
    assert representation.check(excerpt) is None
    events = representation.to_tensor(excerpt)
    assert events.shape == (
        representation.bars * representation.rows_per_bar,
        len(representation.vocabulary_sizes),
    )
    assert events.dtype == np.int16
    assert (events >= 0).all()
    assert (events < representation.vocabulary_sizes).all()
    assert representation.to_notes(events) == excerpt


@every_form
@settings(max_examples=100)
@given(data=st.data(), semitones=st.integers(-24, 24))
def test_transposing_back_is_identity_where_it_fits(make, data, semitones):
    """And it does what transposing the notes does, or nothing at all."""
    representation = draw_representation(data, make)
    excerpt = representation.to_notes(draw_events(data, representation))
    events = representation.to_tensor(excerpt)
    moved, same = representation.transpose(np.stack([events, events]), np.array([semitones, 0]))
    assert np.array_equal(same, events)
    assert moved.dtype == np.int16
    assert (moved >= 0).all()
    assert (moved < representation.vocabulary_sizes).all()
    if np.array_equal(moved, events):
        return  # it would have left the range, or there is nothing to move
    assert representation.to_notes(moved) == excerpt.transpose(semitones)
    (back,) = representation.transpose(moved[None], np.array([-semitones]))
    assert np.array_equal(back, events)


@every_form
@settings(max_examples=25)
@given(data=st.data())
def test_an_onset_stands_where_something_starts(make, data):
    representation = draw_representation(data, make)
    excerpt = representation.to_notes(draw_events(data, representation))
    events = representation.to_tensor(excerpt)
    (is_onset,) = representation.is_onset(events[None])
    assert is_onset.shape == events.shape
    steps_per_row = representation.steps_per_bar // representation.rows_per_bar
    starts = {note.start_step for note in excerpt.notes}
    if not any(stream.is_condition for stream in representation.streams):
        starts |= {chord.start_step for chord in excerpt.chords if chord.root is not None}
    assert set((np.flatnonzero(is_onset.any(axis=1)) * steps_per_row).tolist()) == starts


@every_form
@every_meter
def test_a_config_makes_the_same_representation(make, meter):
    representation = make(bars=3, meter=meter)
    config = representation.config()
    assert representation_from_config(config) == representation
    assert config["name"] in REPRESENTATIONS
    steps = meter.steps_per_bar(representation.steps_per_quarter)
    assert representation.steps_per_bar == steps
    assert representation.length_steps == 3 * steps
    assert steps % representation.rows_per_bar == 0


@every_form
def test_it_is_a_representation(make):
    assert isinstance(make(), Representation)


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_a_config_may_leave_out_what_is_the_default(name):
    """Those that were written before there was a choice of resolution do."""
    made = representation_from_config({"name": name, "bars": 2, "meter": asdict(Meter(3, 4))})
    assert made.name == name
    assert made.steps_per_quarter == 4
    assert made.meter == Meter(3, 4)


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
        {"name": "melody", "steps_per_quarter": 8},
        {"name": "melody", "meter": "4/4"},
        {"name": "melody", "meter": {"numerator": 0, "denominator": 4}},
        {"name": "melody", "meter": {"numerator": 4, "denominator": 3}},
        {"name": "melody", "meter": {"numerator": 4, "beats": 4}},
        {"name": "melody", "meter": {"numerator": True, "denominator": 4}},
        {"name": "melody", "meter": {"numerator": 5, "denominator": 32}},
        {"name": "drums", "resolution": "bar"},
        {"name": "chords", "resolution": "beat"},
        {"name": "chords", "resolution": 2},
    ],
    ids=str,
)
def test_a_config_of_no_representation_is_refused(config):
    with pytest.raises(SettingError):
        representation_from_config(config)


@every_form
@pytest.mark.parametrize(
    "change",
    [{"bars": 0}, {"bars": -1}, {"meter": Meter(5, 64)}, {"steps_per_quarter": 5}],
    ids=str,
)
def test_impossible_settings_are_refused(make, change):
    with pytest.raises(SettingError) as caught:
        make(**change)
    assert caught.value.field in change


@every_form
@pytest.mark.parametrize(
    ("cause", "change"),
    [
        ("wrong_resolution", {"steps_per_quarter": 24}),
        ("wrong_meter", {"meter": Meter(9, 8)}),
        ("wrong_length", {"length_steps": 7}),
    ],
)
def test_an_excerpt_on_another_grid_is_refused(make, cause, change):
    representation = make(meter=Meter(3, 4))
    excerpt = {
        "notes": (),
        "length_steps": representation.length_steps,
        "meter": representation.meter,
        "steps_per_quarter": representation.steps_per_quarter,
    }
    assert representation.check(NoteSequence(**excerpt)) is None
    with pytest.raises(RepresentationError) as caught:
        representation.to_tensor(NoteSequence(**(excerpt | change)))
    assert caught.value.cause == cause
    assert caught.value.found
    assert caught.value.expected
    assert caught.value.action.endswith(".")
