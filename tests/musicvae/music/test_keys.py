import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from pieces import make_part, make_piece

from musicvae.data_pipeline.cut.inference import infer_piece_keys
from musicvae.music.keys import correlate, estimate_key
from musicvae.music.notes import Key

MAJOR = np.array([5, 0, 2, 0, 3, 2, 0, 4, 0, 2, 0, 1.0])
MINOR = np.array([5, 0, 2, 3, 0, 2, 0, 4, 2, 0, 0, 1.0])


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize(("weights", "is_minor"), [(MAJOR, False), (MINOR, True)])
def test_each_key_is_found(weights, is_minor, tonic):
    estimated = estimate_key(np.roll(weights, tonic))
    assert estimated.key == Key(tonic, is_minor)
    assert 0.7 < estimated.confidence < 1


@pytest.mark.parametrize("weights", [np.zeros(12), np.ones(12)])
def test_what_says_nothing_of_a_key_has_none(weights):
    assert estimate_key(weights) is None


def test_a_clear_key_is_surer_than_a_vague_one():
    clear, vague = estimate_key(MAJOR), estimate_key(MAJOR + np.roll(MAJOR, 7))
    assert clear.confidence > vague.confidence


@given(
    arrays(np.float64, (12, 3), elements=st.floats(0, 100).filter(lambda x: x == 0 or x > 0.01)),
    st.integers(0, 11),
)
def test_transposing_transposes_the_fits(weights, semitones):
    fits = correlate(weights).reshape(3, 2, 12)
    moved = correlate(np.roll(weights, semitones, axis=0)).reshape(3, 2, 12)
    np.testing.assert_allclose(moved, np.roll(fits, semitones, axis=2), atol=1e-9)
    assert (np.abs(fits) <= 1 + 1e-9).all()


@given(arrays(np.int64, (12, 300), elements=st.integers(0, 10_000)))
@settings(max_examples=20)
def test_whole_weights_have_the_same_fits_alone_and_together(weights):
    together = correlate(weights.astype(float))
    alone = [correlate(weights[:, number, None].astype(float))[0] for number in range(300)]
    np.testing.assert_array_equal(together, alone)


def tune(*pitches):
    return make_part(*((4 * step, pitch, 4 * step + 4) for step, pitch in enumerate(pitches)))


def test_the_end_tells_relative_keys_apart():
    scale = (60, 62, 64, 65, 67, 69, 71)
    assert infer_piece_keys([make_piece(tune(*scale, *scale, 72))])[0].key == Key(0)
    assert infer_piece_keys([make_piece(tune(*scale, *scale, 69))])[0].key == Key(9, is_minor=True)


def test_the_lowest_note_of_the_end_counts():
    scale = (60, 62, 64, 65, 67, 69, 71)
    bass = make_part((56, 45, 60))
    piece = make_piece(tune(*scale, *scale, 72), bass)
    assert infer_piece_keys([piece])[0].key == Key(9, is_minor=True)


def test_drums_have_no_key():
    assert infer_piece_keys([make_piece(make_part((0, 60, 4), is_drum=True))]) == [None]


def test_the_highest_pitches_count():
    low, high = tune(60, 64, 67, 72), tune(120, 124, 127, 120)
    expected = infer_piece_keys([make_piece(low)])[0]
    assert infer_piece_keys([make_piece(high)])[0] == expected
