"""A plain language model of the data, to ask of any music how usual its course is.

Conventions: symbols are those of a line (`musicvae.evaluation.lines`), one a step. A model looks at
the four symbols before each; before an excerpt's first step stands a symbol of its own. Costs are
in nats for one step; lower is more usual.

Source: Witten and Bell 1991, The Zero-Frequency Problem, method C, interpolated as in Chen and
Goodman 1998, An Empirical Study of Smoothing Techniques for Language Modeling, section 2.4: the
more often a context was followed by something new, the more an order leaves to the order below.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Int64

ORDER = 5


@dataclass(frozen=True, eq=False)
class _Counts:
    """What was counted for one order, sorted by code; a code is an n-gram as one number.

    Attributes:
        grams: The n-grams that were seen.
        gram_counts: How often.
        contexts: What stood before their last symbols.
        context_counts: How often.
        followers: By how many different symbols each was followed.
    """

    grams: Int64[np.ndarray, " _grams"]
    gram_counts: Int64[np.ndarray, " _grams"]
    contexts: Int64[np.ndarray, " _contexts"]
    context_counts: Int64[np.ndarray, " _contexts"]
    followers: Int64[np.ndarray, " _contexts"]


class LanguageModel:
    """A 5-gram model with Witten and Bell's smoothing.

    Args:
        symbols: The music it is made from, each row by itself.
        size: Number of symbols; five of them must fit an integer of 64 bits, at most 6,000 each.
    """

    def __init__(self, symbols: Int[np.ndarray, "batch step"], size: int) -> None:
        assert (size + 1) ** ORDER < 2**63, size
        self._size = size
        self._orders = [
            _count(self._codes(symbols, order), self._base) for order in range(1, ORDER + 1)
        ]

    def cost(self, symbols: Int[np.ndarray, "batch step"]) -> Float[np.ndarray, " batch"]:
        """The mean cost of each row's steps, in nats a step."""
        share = np.full(symbols.shape, 1 / self._size)
        for order, counts in enumerate(self._orders, start=1):
            codes = self._codes(symbols, order)
            seen = _look_up(codes, counts.grams, counts.gram_counts)
            contexts = codes // self._base
            before = _look_up(contexts, counts.contexts, counts.context_counts)
            new = _look_up(contexts, counts.contexts, counts.followers)
            known = before > 0
            blend = (seen + new * share) / np.maximum(before + new, 1)
            share = np.where(known, blend, share)
        cost: Float[np.ndarray, " batch"] = -np.log(share).mean(1)
        return cost

    @property
    def _base(self) -> int:
        """The symbols and the one before the first step."""
        return self._size + 1

    def _codes(
        self, symbols: Int[np.ndarray, "batch step"], order: int
    ) -> Int64[np.ndarray, "batch step"]:
        """The n-gram that ends at each step."""
        start = np.full((len(symbols), order - 1), self._size, np.int64)
        padded = np.concatenate([start, symbols.astype(np.int64)], axis=1)
        codes = np.zeros(symbols.shape, np.int64)
        for place in range(order):
            codes = codes * self._base + padded[:, place : place + symbols.shape[1]]
        return codes


def _count(codes: Int64[np.ndarray, "batch step"], base: int) -> _Counts:
    grams, gram_counts = np.unique(codes, return_counts=True)
    contexts, first, followers = np.unique(grams // base, return_index=True, return_counts=True)
    return _Counts(
        grams=grams,
        gram_counts=gram_counts.astype(np.int64),
        contexts=contexts,
        context_counts=np.add.reduceat(gram_counts, first).astype(np.int64),
        followers=followers.astype(np.int64),
    )


def _look_up(
    codes: Int64[np.ndarray, "batch step"],
    keys: Int64[np.ndarray, " _keys"],
    values: Int64[np.ndarray, " _keys"],
) -> Int64[np.ndarray, "batch step"]:
    """The value of each code, 0 where it is not among the keys."""
    places = np.minimum(np.searchsorted(keys, codes), len(keys) - 1)
    return np.where(keys[places] == codes, values[places], 0)
