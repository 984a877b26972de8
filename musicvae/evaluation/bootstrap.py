"""How sure a figure is: intervals by drawing the pieces anew.

Excerpts of one piece are alike, so that a thousand of them are no thousand witnesses: whole pieces
are drawn.

Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13 (the percentile
interval); Field and Welsh 2007, Bootstrapping clustered data (whole clusters).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

RESAMPLES = 1_000
"""The ends of an interval are then known to about a twentieth of its length."""

COVERAGE = 0.95
_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Where a figure would lie in 95 % of other draws of as many pieces."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure and its interval, None where the pieces are not known or there is only one."""

    value: float
    interval: Interval | None = None


def ratios(
    parts: Float[np.ndarray, "batch _"],
    wholes: Float[np.ndarray, "batch _"],
    *,
    pieces: Shaped[np.ndarray, " batch"] | None,
    seed: int,
) -> tuple[Estimate, ...]:
    """Figures that are a sum over excerpts divided by another: shares, means, F1.

    Args:
        parts: What each excerpt adds to the first sum, a column a figure.
        wholes: What it adds to the second; a figure whose sum is 0 is 0.
        pieces: The piece of each excerpt, or None for figures without intervals.
        seed: Of the draws.
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
        # How often each piece is drawn.
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
    """The mean of a value over excerpts."""
    column = values[:, None].astype(np.float64)
    return ratios(column, np.ones_like(column), pieces=pieces, seed=seed)[0]


def _divide(
    parts: Float[np.ndarray, "*any"], wholes: Float[np.ndarray, "*any"]
) -> Float[np.ndarray, "*any"]:
    quotient: Float[np.ndarray, "*any"] = np.divide(
        parts, wholes, out=np.zeros_like(parts, dtype=np.float64), where=wholes > 0
    )
    return quotient
