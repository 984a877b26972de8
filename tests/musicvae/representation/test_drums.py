import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicvae.errors import RepresentationError
from musicvae.music.instruments import CLASS_OF_PITCH, DRUM_CLASSES
from musicvae.music.notes import Note, NoteSequence
from musicvae.representation import DrumHits, Drums
from musicvae.representation.hits import join_hits, split_hits, write_hits

BAR = Drums(bars=1)
BAR_OF_BITS = DrumHits(bars=1)
PLAYED = [drum.pitch for drum in DRUM_CLASSES]


def hit(step, pitch, end_step=None, **settings):
    return Note(step, pitch, end_step or step + 1, is_drum=True, **settings)


def drums(*notes, length_steps=16, **settings):
    return NoteSequence(tuple(sorted(notes)), length_steps, **settings)


@settings(max_examples=300)
@given(
    st.sets(st.tuples(st.integers(0, 47), st.sampled_from(PLAYED)), max_size=60),
    st.sampled_from([Drums(bars=3), DrumHits(bars=3)]),
)
def test_legal_music_comes_back(hits, representation):
    excerpt = drums(*(hit(*each) for each in hits), length_steps=48)
    assert representation.to_notes(representation.to_tensor(excerpt)) == excerpt


def test_every_drum_of_general_midi_has_one_class():
    pitches = [pitch for drum in DRUM_CLASSES for pitch in (drum.pitch, *drum.others)]
    assert sorted(pitches) == [22, 26, *range(27, 88)]
    assert len(DRUM_CLASSES) == 9
    assert [CLASS_OF_PITCH[pitch] for pitch in PLAYED] == list(range(9))
    assert set(np.flatnonzero(CLASS_OF_PITCH < 0)) == set(range(128)) - set(pitches)


@pytest.mark.parametrize(
    ("pitch", "name"),
    [(35, "kick"), (40, "snare"), (39, "snare"), (44, "closed hi-hat"), (22, "closed hi-hat"),
     (26, "open hi-hat"), (43, "low tom"), (47, "mid tom"), (50, "high tom"), (57, "crash cymbal"),
     (52, "crash cymbal"), (59, "ride cymbal"), (53, "ride cymbal")],
)  # fmt: skip
def test_usual_drums_have_the_class_that_one_expects(pitch, name):
    assert DRUM_CLASSES[CLASS_OF_PITCH[pitch]].name == name


def test_an_event_has_a_bit_for_each_class():
    excerpt = drums(hit(0, 36), hit(0, 42), hit(4, 38), hit(15, 51))
    events = BAR.to_tensor(excerpt)
    assert BAR.vocabulary_sizes == (512,)
    assert events.shape == (16, 1)
    assert events[[0, 4, 15], 0].tolist() == [1 + 4, 2, 256]
    assert events.sum() == 5 + 2 + 256


def test_the_nine_bits_say_the_same():
    excerpt = drums(hit(0, 36), hit(0, 42), hit(4, 38), hit(15, 51))
    bits = BAR_OF_BITS.to_tensor(excerpt)
    assert BAR_OF_BITS.vocabulary_sizes == (2,) * 9
    assert np.argwhere(bits).tolist() == [[0, 0], [0, 2], [4, 1], [15, 8]]
    assert np.array_equal(join_hits(bits > 0), BAR.to_tensor(excerpt)[:, 0])
    assert BAR_OF_BITS.to_notes(bits) == excerpt


def test_numbers_and_bits_are_two_ways_to_write_a_step():
    numbers = np.arange(512, dtype=np.int16)
    assert np.array_equal(join_hits(split_hits(numbers)), numbers)


def test_what_is_not_kept():
    rich = drums(hit(0, 35, 7, velocity=33), hit(0, 36), hit(4, 40, offset=0.2), qpm=90.0)
    assert BAR.to_notes(BAR.to_tensor(rich)) == drums(hit(0, 36), hit(4, 38))


def test_a_finer_grid_holds_triplets():
    fine = Drums(bars=1, steps_per_quarter=12)
    excerpt = drums(hit(0, 42), hit(4, 42), hit(8, 42), length_steps=48, steps_per_quarter=12)
    assert fine.to_notes(fine.to_tensor(excerpt)) == excerpt


@pytest.mark.parametrize(
    ("cause", "note"),
    [
        ("no_drums", Note(0, 60, 4)),
        ("off_grid", hit(4, 38, offset=1 / 3)),
        ("out_of_range", hit(0, 21)),
        ("out_of_range", hit(0, 88)),
    ],
)
def test_each_cause_of_refusal(cause, note):
    with pytest.raises(RepresentationError) as caught:
        BAR.to_tensor(drums(note))
    assert caught.value.cause == cause
    assert caught.value.found
    assert caught.value.action.endswith(".")


def test_hits_of_whole_parts_may_come_in_any_order():
    hits = write_hits(np.array([5, 0, 0, 3]), np.array([36, 38, 40, 99]), 6)
    assert hits.dtype == np.bool_
    assert np.argwhere(hits).tolist() == [[0, 1], [5, 0]]
    assert not write_hits(np.zeros(0, np.int32), np.zeros(0, np.int32), 6).any()


def test_transposing_leaves_drums_alone():
    events = np.arange(16, dtype=np.int16).reshape(1, 16, 1)
    assert np.array_equal(BAR.transpose(events, np.array([3])), events)
