import math

import pytest
import torch

from musicvae.errors import LatentError
from musicvae.model.latent import moves
from musicvae.model.noise import latent_noise

LINE = torch.linspace(0, 1, 9)


def point(*values):
    return torch.tensor(values, dtype=torch.float32)


def draws(count, size=64, seed=0):
    return latent_noise(seed, range(count), size)


def test_a_great_circle_turns_and_lengthens_evenly():
    points = moves.slerp(point(2, 0, 0), point(0, 4, 0), torch.tensor([0.0, 1 / 3, 0.5, 1.0]))
    a_third = 8 / 3 * torch.tensor([math.cos(math.pi / 6), math.sin(math.pi / 6), 0])
    half = 3 * torch.tensor([math.sqrt(0.5), math.sqrt(0.5), 0])
    torch.testing.assert_close(points, torch.stack([point(2, 0, 0), a_third, half, point(0, 4, 0)]))


def test_a_path_between_draws_is_as_long_as_draws_are():
    a, b = draws(2)
    lengths = moves.slerp(a, b, LINE).norm(dim=1)
    shorter, longer = sorted([a.norm().item(), b.norm().item()])
    assert ((lengths > shorter - 1e-4) & (lengths < longer + 1e-4)).all()
    assert torch.lerp(a, b, 0.5).norm() < 0.9 * shorter  # the straight line is not


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
        assert torch.isfinite(points).all()
        assert torch.equal(points[0], start)
        assert torch.equal(points[-1], stop)
        assert torch.equal(points, moves.slerp(start, stop, LINE))


def test_a_path_to_the_opposite_point_goes_round_it():
    points = moves.slerp(A, -A, LINE)
    torch.testing.assert_close(points.norm(dim=1), A.norm().expand(9))
    torch.testing.assert_close(torch.dot(points[4], A), torch.tensor(0.0), atol=1e-5, rtol=0)


def test_two_zeros_and_one_dimension_are_straight():
    zero = torch.zeros(3)
    assert torch.equal(moves.slerp(zero, zero, LINE), torch.zeros(9, 3))
    torch.testing.assert_close(moves.slerp(point(1), point(-1), LINE), 1 - 2 * LINE[:, None])


def test_a_path_visits_every_point_once():
    points = draws(4)
    path = moves.path(points, 5)
    assert path.shape == (13, 64)
    assert torch.equal(path[::4], points)
    assert torch.equal(path[:5], moves.path(points[:2], 5))
    assert len(path.unique(dim=0)) == 13


@pytest.mark.parametrize(("count", "steps"), [(0, 3), (1, 3), (2, 1)])
def test_a_path_needs_two_points_and_two_steps(count, steps):
    with pytest.raises(LatentError, match=f"{count} points and {steps} steps"):
        moves.path(torch.zeros(count, 4), steps)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(value):
    bad = torch.tensor([[0.0, 1.0], [2.0, value]])
    with pytest.raises(LatentError, match="not a finite number"):
        moves.path(bad, 3)
    with pytest.raises(LatentError, match="not a finite number"):
        moves.shift(torch.zeros(1, 2), torch.ones(2), value)


def test_a_shift_adds_so_much_of_the_vector():
    z = torch.zeros(2, 3)
    moved = moves.shift(moves.shift(z, point(1, 0, 0), 2.0), point(0, 1, 1), -0.5)
    assert torch.equal(moved, torch.tensor([[2, -0.5, -0.5]]).expand(2, 3))
    assert torch.equal(z, torch.zeros(2, 3))
