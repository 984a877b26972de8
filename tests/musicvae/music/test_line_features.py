import numpy as np
import pytest

from musicvae.music.line_features import FEATURES, STEP_IN_BAR, describe_line, describe_lines

STARTS, ENDS = np.array([0, 4, 6, 11, 16]), np.array([4, 6, 10, 16, 32])
PITCHES = np.array([60, 60, 67, 64, 84])
GRID = {"steps_per_bar": 16, "steps_per_quarter": 4}


def test_key_and_whole_bars_before_do_not_matter():
    features = describe_line(STARTS, ENDS, PITCHES, **GRID)
    moved = describe_line(STARTS + 48, ENDS + 48, PITCHES - 7, **GRID)
    assert features.shape == (5, FEATURES)
    np.testing.assert_allclose(moved, features, atol=1e-6)
    assert not np.allclose(describe_line(STARTS + 1, ENDS + 1, PITCHES, **GRID), features)


def test_one_note_can_be_described():
    assert np.isfinite(describe_line(STARTS[:1], ENDS[:1], PITCHES[:1], **GRID)).all()


@pytest.mark.parametrize("fine", [1, 3])
def test_a_finer_grid_does_not_matter(fine):
    features = describe_line(STARTS, ENDS, PITCHES, **GRID)
    finer = {name: fine * value for name, value in GRID.items()}
    np.testing.assert_allclose(
        describe_line(fine * STARTS, fine * ENDS, PITCHES, **finer), features, atol=1e-6
    )


@pytest.mark.parametrize(("steps_per_bar", "expected"), [(16, 0.75), (12, 0.0), (20, 0.6)])
def test_the_place_is_the_share_of_the_bar(steps_per_bar, expected):
    features = describe_line(
        np.array([12]), np.array([13]), np.array([60]),
        steps_per_bar=steps_per_bar, steps_per_quarter=4,
    )  # fmt: skip
    assert features[0, STEP_IN_BAR] == pytest.approx(expected)


def test_a_line_is_described_alike_beside_any_lines():
    cuts = [slice(0, 5), slice(2, 3), slice(1, 4)]
    every = [np.concatenate([each[cut] for cut in cuts]) for each in (STARTS, ENDS, PITCHES)]
    together = describe_lines(*every, np.array([5, 1, 3]), **GRID)
    alone = [describe_line(STARTS[cut], ENDS[cut], PITCHES[cut], **GRID) for cut in cuts]
    assert np.array_equal(together, np.concatenate(alone))
