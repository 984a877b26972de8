"""Repeated bars: how alike the bars of an excerpt are, by their distance.

Conventions: at a lag of 1 a bar is compared with the next bar. Two bars are equal if the line has
the same symbol at every step. Their likeness is, of all onsets in either bar, the share that both
bars have: the same symbol at the same step. Pairs of bars without any onset do not count.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int16

from musicvae.evaluation.lines import Line
from musicvae.representation import Representation

FEWEST_BARS = 4
"""Shorter excerpts are too short for form."""


@dataclass(frozen=True, kw_only=True)
class SelfSimilarity:
    """How alike bars are at lags of 1, 2, 3 and so on, the mean over all excerpts.

    Attributes:
        equal: The share of pairs of bars that are equal.
        likeness: The mean likeness of a pair.
    """

    equal: tuple[float, ...]
    likeness: tuple[float, ...]

    def distance(self, other: "SelfSimilarity") -> float:
        """Measures the mean difference of the likenesses over all lags; 0 for the same form."""
        return float(np.abs(np.subtract(self.likeness, other.likeness)).mean())


def compare_bars(
    representation: Representation, line: Line, events: Int16[np.ndarray, "batch step stream"]
) -> SelfSimilarity:
    """Compares the bars of each excerpt."""
    shape = (len(events), representation.bars, representation.rows_per_bar)
    symbols = line.symbols(events).reshape(shape)
    is_onset = line.is_onset(representation, events).reshape(shape)
    equal, likeness = [], []
    for lag in range(1, representation.bars):
        one, other = is_onset[:, lag:], is_onset[:, :-lag]
        is_same = symbols[:, lag:] == symbols[:, :-lag]
        either = (one | other).sum(-1)
        # Where the two bars start different notes at a step, both onsets count.
        either += (one & other & ~is_same).sum(-1)
        counts = either > 0
        both = (one & other & is_same).sum(-1)
        equal.append(_mean(is_same.all(-1)[counts]))
        likeness.append(_mean(both[counts] / either[counts]))
    return SelfSimilarity(equal=tuple(equal), likeness=tuple(likeness))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else 0.0
