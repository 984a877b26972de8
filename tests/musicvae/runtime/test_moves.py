import math

import numpy as np
import pytest
from numpy.linalg import norm

from musicvae.errors import LatentError
from musicvae.runtime import moves
from musicvae.runtime.noise import latent_noise

LINE = np.linspace(0, 1, 9, dtype=np.float32)


def point(*values):
    return np.array(values, np.float32)


def draws(count, size=64, seed=0):
    return latent_noise(seed, range(count), size)


def test_a_great_circle_turns_and_lengthens_evenly():
    points = moves.slerp(
        point(2, 0, 0), point(0, 4, 0), np.array([0.0, 1 / 3, 0.5, 1.0], np.float32)
    )
    a_third = 8 / 3 * np.array([math.cos(math.pi / 6), math.sin(math.pi / 6), 0])
    half = 3 * np.array([math.sqrt(0.5), math.sqrt(0.5), 0])
    expected = [point(2, 0, 0), a_third, half, point(0, 4, 0)]
    np.testing.assert_allclose(points, expected, atol=1e-6)


def test_a_path_between_draws_is_as_long_as_draws_are():
    a, b = draws(2)
    lengths = norm(moves.slerp(a, b, LINE), axis=1)
    shorter, longer = sorted([norm(a), norm(b)])
    assert ((lengths > shorter - 1e-4) & (lengths < longer + 1e-4)).all()
    assert norm((a + b) / 2) < 0.9 * shorter  # the straight line is not


A = point(1, 2, -3, 0.5)


@pytest.mark.parametrize(
    "end",
    [A, 2 * A, -A, -3 * A, 0 * A, A + 1e-7, -A + 1e-7, point(0, 0, 0, 1), 1e-30 * A, 1e30 * A],
    ids=["same", "longer", "opposite", "opposite longer", "zero", "near", "near opposite", "other",
         "tiny", "huge"],
)  # fmt: skip
def test_every_path_is_finite_and_keeps_its_ends(end):
    for start, stop in [(A, end), (end, A)]:
        points = moves.slerp(start, stop, LINE)
        assert np.isfinite(points).all()
        assert np.array_equal(points[0], start)
        assert np.array_equal(points[-1], stop)
        assert np.array_equal(points, moves.slerp(start, stop, LINE))


def test_a_path_to_the_opposite_point_goes_round_it():
    points = moves.slerp(A, -A, LINE)
    np.testing.assert_allclose(norm(points, axis=1), np.full(9, norm(A)), rtol=1e-6)
    assert points[4] @ A == pytest.approx(0, abs=1e-5)


def test_two_zeros_and_one_dimension_are_straight():
    zero = np.zeros(3, np.float32)
    assert np.array_equal(moves.slerp(zero, zero, LINE), np.zeros((9, 3)))
    straight = moves.slerp(point(1), point(-1), LINE)
    np.testing.assert_allclose(straight, 1 - 2 * LINE[:, None], atol=1e-6)


def test_a_path_visits_every_point_once():
    points = draws(4)
    path = moves.path(points, 5)
    assert path.shape == (13, 64)
    assert np.array_equal(path[::4], points)
    assert np.array_equal(path[:5], moves.path(points[:2], 5))
    assert len(np.unique(path, axis=0)) == 13


@pytest.mark.parametrize(("count", "steps"), [(0, 3), (1, 3), (2, 1)])
def test_a_path_needs_two_points_and_two_steps(count, steps):
    with pytest.raises(LatentError, match=f"{count} points and {steps} steps"):
        moves.path(np.zeros((count, 4), np.float32), steps)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(value):
    bad = np.array([[0.0, 1.0], [2.0, value]])
    with pytest.raises(LatentError, match="not a finite number"):
        moves.path(bad, 3)
    with pytest.raises(LatentError, match="not a finite number"):
        moves.shift(np.zeros((1, 2)), np.ones(2), value)


def test_a_shift_adds_so_much_of_the_vector():
    z = np.zeros((2, 3))
    moved = moves.shift(moves.shift(z, point(1, 0, 0), 2.0), point(0, 1, 1), -0.5)
    assert np.array_equal(moved, np.tile([2, -0.5, -0.5], (2, 1)))
    assert np.array_equal(z, np.zeros((2, 3)))
