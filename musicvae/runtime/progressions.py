"""Chord progressions of the training music, which a prior keeps to draw chords from.

Conventions: a kept progression is a row of whole numbers: its mode (see `key_relative`), then the
chord and the bass of each slot, as in `musicvae.representation.chords`, relative to the key. A slot
is half a bar, or a bar where half a bar is no whole number of steps.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int, Int16

from musicvae.music.chords import QUALITIES
from musicvae.music.constraint import Constraint
from musicvae.representation import Representation
from musicvae.representation.key_relative import UNKNOWN_TONIC, from_home
from musicvae.representation.streams import generated_streams
from musicvae.runtime.draw_keys import choose_keys
from musicvae.runtime.noise import row_seed
from musicvae.runtime.prior_draws import PriorDraws

FEWEST_CHOICES = 32
"""Chords for a scale are drawn from so many progressions, those with most tones in the scale, or
from all that have all tones in it."""

_TONES = np.array([np.isin(np.arange(12), tones) for tones in QUALITIES.values()])
"""The pitch classes of each quality, above the root."""


def slots_of(representation: Representation) -> int:
    """The number of slots of an excerpt."""
    return representation.bars * (2 - representation.steps_per_bar % 2)


def over_silence(
    representation: Representation, chords: Int16[np.ndarray, "batch step 2"]
) -> Int16[np.ndarray, "batch step stream"]:
    """The events of silent music over chords."""
    lines = len(generated_streams(representation.streams))
    return np.pad(chords, ((0, 0), (0, 0), (lines, 0)))


def draw_progressions(
    prior: PriorDraws,
    representation: Representation,
    *,
    seed: int,
    rows: Sequence[int],
    constraint: Constraint | None = None,
) -> Int16[np.ndarray, "batch step 2"]:
    """Draws the chords of each row, as events of the condition streams.

    A row's chords depend on the seed, the row and the constraint alone: a key is drawn, or the key
    that is asked for, and then a progression of its mode.

    Args:
        prior: A prior that keeps progressions.
        representation: The music over the chords.
        seed: The seed of all rows.
        rows: The rows.
        constraint: The key or scale that the music keeps to.
    """
    assert prior.progressions is not None
    kept = prior.progressions.astype(np.int16)
    modes, slots = kept[:, 0], kept[:, 1:].reshape(len(kept), -1, 2)
    weights = prior.keys_in(representation.grid).copy()
    weights[-1] = 0  # no key: chords have one
    keys = choose_keys(weights, seed, rows, constraint)
    chosen = np.empty((len(rows), *slots.shape[1:]), np.int16)
    for number, (row, (tonic, mode)) in enumerate(zip(rows, keys.tolist(), strict=True)):
        choices = _choose(slots, modes == mode, tonic, constraint)
        draw = np.random.Generator(np.random.Philox(key=row_seed(seed, row, "progression")))
        chosen[number] = slots[choices[draw.integers(len(choices))]]
    steps = chosen.repeat(representation.length_steps // slots.shape[1], axis=1)
    moved = from_home(representation, over_silence(representation, steps), keys[:, 0])
    return moved[..., -2:]


def _choose(
    slots: Int16[np.ndarray, "progression slot 2"],
    has_mode: Bool[np.ndarray, " progression"],
    tonic: int,
    constraint: Constraint | None,
) -> Int[np.ndarray, " choice"]:
    """The progressions to draw from: of the mode, and as far as possible of the scale."""
    choices = np.flatnonzero(has_mode) if has_mode.any() else np.arange(len(slots))
    if constraint is None or constraint.classes.all():
        return choices
    allowed = np.roll(constraint.classes[:12], -(0 if tonic == UNKNOWN_TONIC else tonic))
    shares = _shares_inside(slots[choices], allowed)
    least = np.sort(shares)[-FEWEST_CHOICES:][0]
    inside: Int[np.ndarray, " choice"] = choices[shares >= least]
    return inside


def _shares_inside(
    slots: Int16[np.ndarray, "progression slot 2"], allowed: Bool[np.ndarray, " 12"]
) -> Float[np.ndarray, " progression"]:
    """The share of each progression's slots whose chord has all tones among the allowed."""
    roots, qualities = np.divmod(np.maximum(slots[..., 0] - 1, 0), len(QUALITIES))
    above = (np.arange(12) - roots[..., None]) % 12
    is_outside = np.take_along_axis(_TONES[qualities], above, axis=-1) & ~allowed
    shares: Float[np.ndarray, " progression"] = 1 - is_outside.any(axis=-1).mean(axis=1)
    return shares
