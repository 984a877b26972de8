"""Intervals of figures by the bootstrap over pieces.

Excerpts of one piece are alike, so a thousand of them count for less than a thousand independent
excerpts. Therefore whole pieces are drawn, with replacement.

Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13 (the percentile
interval); Field and Welsh 2007, Bootstrapping clustered data (whole clusters).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

RESAMPLES = 1_000
"""With so many, the ends of an interval are known to about a twentieth of its length."""

COVERAGE = 0.95
_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True)
class Interval:
    """The range that holds the figure in 95 % of the draws of as many pieces."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure and its interval: None where the pieces are unknown or there is only one piece."""

    value: float
    interval: Interval | None = None


def ratios(
    parts: Float[np.ndarray, "batch _"],
    wholes: Float[np.ndarray, "batch _"],
    *,
    pieces: Shaped[np.ndarray, " batch"] | None,
    seed: int,
) -> tuple[Estimate, ...]:
    """Divides sums over excerpts by other sums: shares, means, F1.

    Args:
        parts: The share of each excerpt in the upper sum, a column a figure.
        wholes: The share of each excerpt in the lower sum; a figure whose lower sum is 0 is 0.
        pieces: The piece of each excerpt, or None for figures without intervals.
        seed: The seed of the draws.
    """
    values = _divide(parts.sum(0), wholes.sum(0))
    names = (
        np.zeros(len(parts), int) if pieces is None else np.unique(pieces, return_inverse=True)[1]
    )
    count = int(names.max(initial=0)) + 1
    if count < 2:
        return tuple(Estimate(value=float(value)) for value in values)
    sums = np.zeros((count, 2, parts.shape[1]))
    np.add.at(sums, names, np.stack([parts, wholes], axis=1))
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(0, RESAMPLES, _AT_ONCE):
        # The number of times that each piece is drawn.
        weights = random.multinomial(count, np.full(count, 1 / count), size=_AT_ONCE)
        resampled = np.tensordot(weights, sums, axes=1)
        drawn.append(_divide(resampled[:, 0], resampled[:, 1]))
    rest = (1 - COVERAGE) / 2
    lows, highs = np.quantile(np.concatenate(drawn), [rest, 1 - rest], axis=0)
    return tuple(
        Estimate(value=float(value), interval=Interval(low=float(low), high=float(high)))
        for value, low, high in zip(values, lows, highs, strict=True)
    )


def mean(
    values: Float[np.ndarray, " batch"], *, pieces: Shaped[np.ndarray, " batch"] | None, seed: int
) -> Estimate:
    """Takes the mean of a value over excerpts."""
    column = values[:, None].astype(np.float64)
    return ratios(column, np.ones_like(column), pieces=pieces, seed=seed)[0]


def _divide(
    parts: Float[np.ndarray, "*any"], wholes: Float[np.ndarray, "*any"]
) -> Float[np.ndarray, "*any"]:
    quotient: Float[np.ndarray, "*any"] = np.divide(
        parts, wholes, out=np.zeros_like(parts, dtype=np.float64), where=wholes > 0
    )
    return quotient
