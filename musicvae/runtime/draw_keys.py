"""The key and the style of each draw from a prior over events."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from musicvae.music.chords import QUALITIES, Chord
from musicvae.music.constraint import Constraint
from musicvae.music.keys import correlate, estimate_key
from musicvae.representation.key_relative import (
    UNKNOWN_MODE,
    UNKNOWN_TONIC,
    keys_of_numbers,
)
from musicvae.runtime.noise import row_seed


def choose_keys(
    weights: Float[np.ndarray, " key"],
    seed: int,
    rows: Sequence[int],
    constraint: Constraint | None = None,
    chords: Sequence[Sequence[Chord]] | None = None,
    length_steps: int = 0,
) -> Int[np.ndarray, "batch 2"]:
    """Chooses the key of each row: the key asked for, the chords' key, or a draw.

    Args:
        weights: The share of each key in the training music, and of no key.
        seed: The seed of the draws.
        rows: The rows.
        constraint: Its nearest key counts; of a scale without a tonic the keys that share most
            pitch classes with it are drawn from.
        chords: The chords of each row.
        length_steps: The end of the last chord.
    """
    key = constraint.nearest_key if constraint else None
    if key is not None:
        return np.tile(np.array([key.tonic, int(key.is_minor)]), (len(rows), 1))
    if chords is not None:
        return np.array([key_of_chords(each, length_steps) for each in chords])
    shares = weights.astype(np.float64)
    if constraint is not None and constraint.scale is not None:
        classes = np.isin(np.arange(12), list(constraint.scale.pitch_classes))
        fits = np.append(correlate(classes.astype(np.float64)[:, None])[0], -np.inf)
        shares = np.where(fits >= fits.max() - 1e-9, np.maximum(shares, 1e-9), 0)
    return keys_of_numbers(_draw(shares, seed, rows, "key"))


def choose_styles(
    weights: Float[np.ndarray, " style"], seed: int, rows: Sequence[int]
) -> Int[np.ndarray, " batch"]:
    """Draws the style of each row.

    Args:
        weights: The share of each style in the training music, and of no style.
        seed: The seed of the draws.
        rows: The rows.
    """
    return _draw(weights.astype(np.float64), seed, rows, "style")


def _draw(
    shares: Float[np.ndarray, " share"], seed: int, rows: Sequence[int], name: str
) -> Int[np.ndarray, " batch"]:
    """Draws a number for each row, each number in proportion to its share."""
    bounds = np.cumsum(shares) / shares.sum()
    uniform = [
        np.random.Generator(np.random.Philox(key=row_seed(seed, row, name))).random()
        for row in rows
    ]
    return np.searchsorted(bounds, uniform, side="right").clip(max=len(shares) - 1)


def key_of_chords(chords: Sequence[Chord], length_steps: int) -> tuple[int, int]:
    """The key that the tones of chords fit best, weighted by length: tonic and mode."""
    weights = np.zeros(12)
    ends = [*(chord.start_step for chord in chords[1:]), length_steps]
    for chord, end in zip(chords, ends, strict=False):
        if chord.root is not None:
            tones = (chord.root + np.array(QUALITIES[chord.quality])) % 12
            weights[tones] += end - chord.start_step
            weights[chord.root] += end - chord.start_step
    found = estimate_key(weights)
    if found is None:
        return UNKNOWN_TONIC, UNKNOWN_MODE
    return found.key.tonic, int(found.key.is_minor)
