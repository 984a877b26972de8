"""Histograms of sets of values over the same bins, and how alike the sets are.

Conventions: an overlap is the area that two normalised histograms share: 1 for equal distributions,
0 for distributions that never meet. A divergence is the KL of the first set from the second, in
nats; half a value is added to every bin of both, so that it is finite.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Several sets of values, counted in the same bins.

    Attributes:
        start: The lower edge of the first bin.
        width: The width of a bin; its upper edge belongs to the next bin.
        counts: The counts of each set, by its name.
    """

    start: float
    width: float
    counts: dict[str, tuple[int, ...]]

    def overlap(self, one: str, other: str) -> float:
        """Measures the area that two sets share, 0 to 1; 0 where a set has no values."""
        a, b = (np.array(self.counts[name], np.float64) for name in (one, other))
        return float(np.minimum(a / max(1, a.sum()), b / max(1, b.sum())).sum())

    def divergence(self, one: str, other: str) -> float:
        """Measures the KL of the first set from the second, in nats."""
        a, b = (np.array(self.counts[name]) + 0.5 for name in (one, other))
        a, b = a / a.sum(), b / b.sum()
        return float((a * np.log(a / b)).sum())


def count(
    values: Mapping[str, Int[np.ndarray, " _a"] | Float[np.ndarray, " _b"]], width: float
) -> Histogram:
    """Counts sets of values in bins whose edges are multiples of the width.

    >>> count({"a": np.array([1, 2]), "b": np.array([2, 3])}, width=1.0).overlap("a", "b")
    0.5
    """
    filled = [each for each in values.values() if each.size]
    first = math.floor(min((each.min() for each in filled), default=0.0) / width)
    places = {name: np.floor(each / width).astype(int) - first for name, each in values.items()}
    bins = 1 + max((each.max() for each in places.values() if each.size), default=0)
    return Histogram(
        start=first * width,
        width=width,
        counts={
            name: tuple(np.bincount(each, minlength=bins).tolist()) for name, each in places.items()
        },
    )
