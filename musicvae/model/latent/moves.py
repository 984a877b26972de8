"""Moves in the latent space: draws, paths along great circles, shifts along attributes.

Conventions: a latent is one row, `(batch, latent)` many of them. Randomness is keyed by a seed and
a row, never shared between rows: row 3 is the same alone and among a thousand.
"""

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution

from musicvae.errors import LatentError
from musicvae.music.attributes import get_attribute

SEED_BITS = 63
"""Keys stay below 2 to the 63rd: they fit a signed integer of 64 bits, torch's own kind."""

SMALLEST_SINE = 1e-6
"""Two directions whose angle has a smaller sine lie on one line, as far as float32 can tell."""


def check(z: Float[Tensor, "batch _"], latent_size: int) -> None:
    """Judges latents that someone else gave.

    Raises:
        LatentError: If they are not of `latent_size`, or hold a value that is not finite.
    """
    if z.shape[1] != latent_size:
        raise LatentError(
            f"a latent of {z.shape[1]} values",
            expected=f"{latent_size} values",
            action="Use a latent of this model.",
            field="latent",
        )
    _check_finite(z)


def row_seed(seed: int, row: int, purpose: str) -> int:
    """The seed of one row's own random numbers, 0 to 2**63 - 1, the same everywhere and for ever.

    Args:
        seed: The seed of the whole request.
        row: The row, from 0.
        purpose: What is drawn, such as `latent` or `events`: two purposes share no noise.
    """
    key = hashlib.blake2b(f"{purpose}/{seed}/{row}".encode(), digest_size=8).digest()
    return int.from_bytes(key, "big") >> (64 - SEED_BITS)


def noise(seed: int, rows: Sequence[int], size: int) -> Float[Tensor, "batch noise"]:
    """Draws the given rows from a standard Gaussian; each depends on nothing but itself."""
    drawn = np.empty((len(rows), size), dtype=np.float32)
    for i, row in enumerate(rows):
        # Not torch.randn: what it draws depends on the processor's vector width.
        philox = np.random.Philox(key=row_seed(seed, row, "latent"))
        drawn[i] = np.random.Generator(philox).standard_normal(size)
    return torch.from_numpy(drawn)


def draw(
    posterior: Distribution, generator: torch.Generator | None = None
) -> Float[Tensor, "batch latent"]:
    """Draws one latent from each row of a Gaussian posterior; gradients flow through.

    Source: Kingma and Welling 2014, Auto-Encoding Variational Bayes, section 2.4.
    """
    mean = posterior.mean
    device = mean.device if generator is None else generator.device
    standard = torch.randn(mean.shape, generator=generator, device=device, dtype=mean.dtype)
    return mean + posterior.stddev * standard.to(mean.device)


def slerp(
    start: Float[Tensor, " latent"],
    end: Float[Tensor, " latent"],
    fractions: Float[Tensor, " batch"],
) -> Float[Tensor, "batch latent"]:
    """Moves along the great circle from one latent to another.

    The direction turns evenly and the length changes evenly. Draws of a Gaussian of many
    dimensions all have nearly the same length, and a straight line between two would pass through
    points that are too short to be any. Where there is no one great circle it takes the straight
    line (the same or no direction), or one fixed half circle (opposite directions).

    Args:
        start: Where the path begins.
        end: Where it ends.
        fractions: How far along, 0 (exactly `start`) to 1 (exactly `end`).

    Raises:
        LatentError: If a value is not finite.

    Source: Shoemake 1985, Animating Rotation with Quaternion Curves, for unit vectors; White 2016,
    Sampling Generative Networks, section 2.1, for latents. Unlike both we divide direction and
    length, so that latents of different lengths turn evenly too.
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
    # The ends themselves, not their images under rounding: they must decode alike.
    return torch.where(t == 0, a, torch.where(t == 1, b, points)).to(start)


def path(points: Float[Tensor, "_ latent"], steps: int) -> Float[Tensor, "batch latent"]:
    """Moves through two or more latents in turn, along great circles.

    Args:
        points: Where the path leads.
        steps: Number of latents from one point to the next, both included; at least 2. A point
            between two others comes once: `(points - 1) * (steps - 1) + 1` latents in all.

    Raises:
        LatentError: If there are fewer than two points, fewer than two steps, or a value that is
            not finite.
    """
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
    z: Float[Tensor, "batch latent"],
    vectors: Mapping[str, Float[Tensor, " latent"]],
    amounts: Mapping[str, float],
) -> Float[Tensor, "batch latent"]:
    """Adds so much of each attribute to latents.

    Args:
        z: The latents to move.
        vectors: What `attribute_vectors.fit_vectors` found.
        amounts: How much of each, by name: 1 is the whole way from the lower to the upper quartile
            of the training data, below 0 takes away.

    Raises:
        AttributeNameError: If there is no such attribute.
        LatentError: If an amount is not finite.

    Source: Roberts et al. 2018, section on attribute vector arithmetic.
    """
    for name, amount in amounts.items():
        vector = vectors[get_attribute(name, vectors).name]
        z = z + amount * vector.to(z)
    _check_finite(z)
    return z


@dataclass(frozen=True, kw_only=True, eq=False)
class _Turn:
    """The plane and the angle between two directions.

    Attributes:
        start: Unit vector of the first.
        across: Unit vector at a right angle to it, towards the second.
        angle: From the first to the second, in radians, above 0 up to pi.
    """

    start: Float[Tensor, " latent"]
    across: Float[Tensor, " latent"]
    angle: Float[Tensor, ""]


def _turn(a: Float[Tensor, " latent"], b: Float[Tensor, " latent"]) -> _Turn | None:
    """The turn from one vector to another, or None where there is none to make."""
    if a.norm() == 0 or b.norm() == 0:
        return None
    u, v = a / a.norm(), b / b.norm()
    cosine = torch.dot(u, v)
    across = v - cosine * u
    angle = torch.atan2(across.norm(), cosine)
    if across.norm() < SMALLEST_SINE:
        if cosine > 0 or len(u) == 1:
            return None
        # Every half circle leads to the opposite point. Take the one by way of the axis that u is
        # furthest from, the same one every time.
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
