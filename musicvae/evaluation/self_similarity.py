"""Do bars come back: how alike the bars of an excerpt are, by their distance.

Conventions: a lag of 1 is the next bar. Two bars are equal where the line does the same at every
step; their likeness is the share of onsets that both have (the same symbol at the same step) among
those that either has. Pairs of bars without any onset are left out.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int16

from musicvae.evaluation.lines import Line
from musicvae.representation import Representation

FEWEST_BARS = 4
"""Shorter excerpts have no form to speak of."""


@dataclass(frozen=True, kw_only=True)
class SelfSimilarity:
    """How alike bars are, the mean over all excerpts, for lags of 1, 2, 3 and so on.

    Attributes:
        equal: The share of pairs of bars that are equal.
        likeness: The mean likeness of a pair.
    """

    equal: tuple[float, ...]
    likeness: tuple[float, ...]

    def distance(self, other: "SelfSimilarity") -> float:
        """The mean difference of the likenesses over all lags, 0 for the same form."""
        return float(np.abs(np.subtract(self.likeness, other.likeness)).mean())


def compare_bars(
    representation: Representation, line: Line, events: Int16[np.ndarray, "batch step stream"]
) -> SelfSimilarity:
    """Compares all bars of each excerpt with each other."""
    shape = (len(events), representation.bars, representation.rows_per_bar)
    symbols = line.symbols(events).reshape(shape)
    is_onset = line.is_onset(representation, events).reshape(shape)
    equal, likeness = [], []
    for lag in range(1, representation.bars):
        one, other = is_onset[:, lag:], is_onset[:, :-lag]
        is_same = symbols[:, lag:] == symbols[:, :-lag]
        either = (one | other).sum(-1)
        # At a step where both start something else, both onsets count.
        either += (one & other & ~is_same).sum(-1)
        counts = either > 0
        both = (one & other & is_same).sum(-1)
        equal.append(_mean(is_same.all(-1)[counts]))
        likeness.append(_mean(both[counts] / either[counts]))
    return SelfSimilarity(equal=tuple(equal), likeness=tuple(likeness))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else 0.0
