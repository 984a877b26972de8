"""Moves among latents with Gaussian posteriors: paths along great circles, shifts along vectors."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.linalg import norm

from musicvae.errors import LatentError

SMALLEST_SINE = 1e-6
"""Two directions whose angle has a smaller sine lie on one line, as far as float32 can tell."""


def slerp(
    start: Float[np.ndarray, " latent"],
    end: Float[np.ndarray, " latent"],
    fractions: Float[np.ndarray, " batch"],
) -> Float[np.ndarray, "batch latent"]:
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
    _check_finite(np.stack([start, end]))
    a, b, t = (each.astype(np.float64) for each in (start, end, fractions[:, None]))
    points = a + t * (b - a)
    turn = _turn(a, b)
    if turn is not None:
        lengths = norm(a) + t * (norm(b) - norm(a))
        angles = t * turn.angle
        points = lengths * (np.cos(angles) * turn.start + np.sin(angles) * turn.across)
    # The ends are given back as they are, not rounded: they must decode alike.
    exact = np.where(t == 0, a, np.where(t == 1, b, points))
    return exact.astype(start.dtype)


def path(points: Float[np.ndarray, "_ latent"], steps: int) -> Float[np.ndarray, "batch latent"]:
    """Moves through two or more latents in turn, along great circles.

    Args:
        points: Two or more latents.
        steps: Number of latents from one point to the next, both included; at least 2. A point
            between two others comes once: `(points - 1) * (steps - 1) + 1` latents in all.

    Raises:
        LatentError: If there are fewer than two points, fewer than two steps, or a value that
            is not finite.
    """
    if len(points) < 2 or steps < 2:
        raise LatentError(
            f"{len(points)} points and {steps} steps",
            expected="2 or more of both",
            action="Give where to start and where to end, and a step for each.",
        )
    fractions = _fractions(steps).astype(points.dtype)
    legs = [slerp(a, b, fractions)[:-1] for a, b in itertools.pairwise(points)]
    return np.concatenate([*legs, points[-1:]])


def _fractions(steps: int) -> Float[np.ndarray, " step"]:
    """Even steps from 0 to 1, counted from both ends: a way back is the way there turned round."""
    step, number = np.float64(np.float32(1 / (steps - 1))), np.arange(steps)
    return np.where(number < steps // 2, step * number, 1 - step * (steps - 1 - number))


def shift(
    z: Float[np.ndarray, "batch latent"], vector: Float[np.ndarray, " latent"], amount: float
) -> Float[np.ndarray, "batch latent"]:
    """Moves latents along a vector, such as `attribute_vectors.fit_vectors` gives for an attribute.

    Args:
        z: The latents to move.
        vector: The direction, and the length of a move by 1.
        amount: How far; below 0 moves the other way.

    Raises:
        LatentError: If a moved value is not finite.

    Source: Roberts et al. 2018, section on attribute vector arithmetic.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # the check below says so
        moved: Float[np.ndarray, "batch latent"] = z + z.dtype.type(amount) * vector.astype(z.dtype)
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

    start: Float[np.ndarray, " latent"]
    across: Float[np.ndarray, " latent"]
    angle: float


def _turn(a: Float[np.ndarray, " latent"], b: Float[np.ndarray, " latent"]) -> _Turn | None:
    """The turn from one vector to another, or None if both lie on one line from the origin."""
    if norm(a) == 0 or norm(b) == 0:
        return None
    u, v = a / norm(a), b / norm(b)
    cosine = u @ v
    across = v - cosine * u
    angle = math.atan2(norm(across), cosine)
    if norm(across) < SMALLEST_SINE:
        if cosine > 0 or len(u) == 1:
            return None
        # Every half circle leads to the opposite point. The axis that u is furthest from fixes
        # the same half circle every time.
        across = np.zeros_like(u)
        across[np.abs(u).argmin()] = 1
        across -= (across @ u) * u
    return _Turn(start=u, across=across / norm(across), angle=angle)


def _check_finite(z: Float[np.ndarray, "batch latent"]) -> None:
    if not np.isfinite(z).all():
        raise LatentError(
            "a latent with a value that is not a finite number",
            expected="finite numbers",
            action="Give the latent as a clip or an encoding reported it.",
            field="latent",
        )
