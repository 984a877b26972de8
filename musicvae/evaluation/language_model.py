"""An n-gram model of the data, which measures how usual music is.

Conventions: a line (`musicvae.evaluation.lines`) has a symbol at each step. The model predicts a
symbol from the four before it; a start symbol stands before an excerpt's first step. Costs are in
nats a step; usual music costs less.

Source: Witten and Bell 1991, The Zero-Frequency Problem, method C, interpolated as in Chen and
Goodman 1998, An Empirical Study of Smoothing Techniques for Language Modeling, section 2.4: the
more different symbols follow a context, the more weight the next lower order gets.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Int64

ORDER = 5


@dataclass(frozen=True, eq=False)
class _Counts:
    """The counts of one order, sorted by code; a code is an n-gram as a number.

    Attributes:
        grams: The n-grams in the music.
        gram_counts: The count of each n-gram.
        contexts: The n-grams without their last symbols.
        context_counts: The count of each context.
        followers: The number of different symbols that follow each context.
    """

    grams: Int64[np.ndarray, " _grams"]
    gram_counts: Int64[np.ndarray, " _grams"]
    contexts: Int64[np.ndarray, " _contexts"]
    context_counts: Int64[np.ndarray, " _contexts"]
    followers: Int64[np.ndarray, " _contexts"]


class LanguageModel:
    """A 5-gram model with Witten and Bell's smoothing.

    Args:
        symbols: The music to count, an excerpt a row.
        size: The number of symbols, at most 6,000: a code of five must fit into 64 bits.
    """

    def __init__(self, symbols: Int[np.ndarray, "batch step"], size: int) -> None:
        assert (size + 1) ** ORDER < 2**63, size
        self._size = size
        self._orders = [
            _count(self._codes(symbols, order), self._base) for order in range(1, ORDER + 1)
        ]

    def cost(self, symbols: Int[np.ndarray, "batch step"]) -> Float[np.ndarray, " batch"]:
        """Measures the mean cost of the steps of each row, in nats."""
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
        """The number of symbols, the start symbol included."""
        return self._size + 1

    def _codes(
        self, symbols: Int[np.ndarray, "batch step"], order: int
    ) -> Int64[np.ndarray, "batch step"]:
        """Codes the n-gram that ends at each step."""
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
    """Looks up the value of each code, 0 where it is not among the keys."""
    places = np.minimum(np.searchsorted(keys, codes), len(keys) - 1)
    return np.where(keys[places] == codes, values[places], 0)
