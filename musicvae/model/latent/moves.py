"""Moves among latents with Gaussian posteriors: paths along great circles, shifts along vectors."""

import itertools
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from musicvae.errors import LatentError

SMALLEST_SINE = 1e-6
"""Two directions whose angle has a smaller sine lie on one line, as far as float32 can tell."""


def slerp(
    start: Float[Tensor, " latent"],
    end: Float[Tensor, " latent"],
    fractions: Float[Tensor, " batch"],
) -> Float[Tensor, "batch latent"]:
    """Moves along the great circle from one latent to another.

    The direction turns evenly and the length changes evenly. Draws of a Gaussian of many
    dimensions all have nearly the same length; the points of a straight line between two draws
    would be shorter than any draw. Where there is no one great circle, the path is the straight
    line (the same or no direction), or one fixed half circle (opposite directions).

    Args:
        start: Where the path begins.
        end: Where it ends.
        fractions: How far along, 0 (exactly `start`) to 1 (exactly `end`).

    Raises:
        LatentError: If a value is not finite.

    Source: Shoemake 1985, Animating Rotation with Quaternion Curves, for unit vectors; White 2016,
    Sampling Generative Networks, section 2.1, for latents. Unlike both, direction and length are
    interpolated apart, so that latents of different lengths turn evenly too.
    """
    _check_finite(torch.stack([start, end]))
    # On the CPU, since not every accelerator knows doubles.
    a, b, t = start.cpu().double(), end.cpu().double(), fractions.cpu().double()[:, None]
    points = a + t * (b - a)
    turn = _turn(a, b)
    if turn is not None:
        lengths = a.norm() + t * (b.norm() - a.norm())
        angles = t * turn.angle
        points = lengths * (torch.cos(angles) * turn.start + torch.sin(angles) * turn.across)
    # The ends are given back as they are, not rounded: they must decode alike.
    return torch.where(t == 0, a, torch.where(t == 1, b, points)).to(start)


def path(points: Float[Tensor, "_ latent"], steps: int) -> Float[Tensor, "batch latent"]:
    """Moves through two or more latents in turn, along great circles; see `Latent.path`."""
    if len(points) < 2 or steps < 2:
        raise LatentError(
            f"{len(points)} points and {steps} steps",
            expected="2 or more of both",
            action="Give where to start and where to end, and a step for each.",
        )
    fractions = torch.linspace(0, 1, steps, dtype=points.dtype, device=points.device)
    legs = [slerp(a, b, fractions)[:-1] for a, b in itertools.pairwise(points)]
    return torch.cat([*legs, points[-1:]])


def shift(
    z: Float[Tensor, "batch latent"], vector: Float[Tensor, " latent"], amount: float
) -> Float[Tensor, "batch latent"]:
    """Moves latents along a vector, such as `attribute_vectors.fit_vectors` gives for an attribute.

    Args:
        z: The latents to move.
        vector: The direction, and the length of a move by 1.
        amount: How far; below 0 moves the other way.

    Raises:
        LatentError: If a moved value is not finite.

    Source: Roberts et al. 2018, section on attribute vector arithmetic.
    """
    moved = z + amount * vector.to(z)
    _check_finite(moved)
    return moved


@dataclass(frozen=True, kw_only=True, eq=False)
class _Turn:
    """The plane and the angle between two directions.

    Attributes:
        start: Unit vector of the first.
        across: Unit vector at a right angle to the first, towards the second.
        angle: From the first to the second, in radians, above 0 up to pi.
    """

    start: Float[Tensor, " latent"]
    across: Float[Tensor, " latent"]
    angle: Float[Tensor, ""]


def _turn(a: Float[Tensor, " latent"], b: Float[Tensor, " latent"]) -> _Turn | None:
    """The turn from one vector to another, or None if both lie on one line from the origin."""
    if a.norm() == 0 or b.norm() == 0:
        return None
    u, v = a / a.norm(), b / b.norm()
    cosine = torch.dot(u, v)
    across = v - cosine * u
    angle = torch.atan2(across.norm(), cosine)
    if across.norm() < SMALLEST_SINE:
        if cosine > 0 or len(u) == 1:
            return None
        # Every half circle leads to the opposite point. The axis that u is furthest from fixes
        # the same half circle every time.
        across = torch.zeros_like(u)
        across[u.abs().argmin()] = 1
        across -= torch.dot(across, u) * u
    return _Turn(start=u, across=across / across.norm(), angle=angle)


def _check_finite(z: Float[Tensor, "batch latent"]) -> None:
    if not torch.isfinite(z).all():
        raise LatentError(
            "a latent with a value that is not a finite number",
            expected="finite numbers",
            action="Give the latent as a clip or an encoding reported it.",
            field="latent",
        )
