"""Keeps one of each excerpt, counting transpositions of it as the same.

Within a split the first is kept. Across splits the training split gives way, so that nothing that
is measured on was trained on, and every split keeps as much as it can to be measured on.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8, UInt64

from .split import TRAIN

KEPT, DUPLICATE, LEAK = range(3)
"""Verdicts: it is kept; one like it is kept in the same split; or in another."""

_ROWS_AT_ONCE = 1 << 22
"""Of about so many excerpts the digests are sorted at once: some 150 MB."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shapes:
    """Some excerpts, in the order in which the first is kept.

    Attributes:
        digests: Equal for excerpts that are the same up to transposition.
        ranks: The place of each one's split in `order_of_splits`.
    """

    digests: UInt64[np.ndarray, " batch"]
    ranks: UInt8[np.ndarray, " batch"]


def order_of_splits(names: Iterable[str]) -> list[str]:
    """The order in which splits may keep an excerpt: training last."""
    return sorted(names, key=lambda name: name == TRAIN)


def judge(
    read: Callable[[], Iterable[Shapes]], count: int, *, rows_at_once: int = _ROWS_AT_ONCE
) -> UInt8[np.ndarray, " batch"]:
    """The verdict on each of `count` excerpts.

    Args:
        read: Gives all excerpts from the first on, each time it is called.
        count: How many they are.
        rows_at_once: Memory is needed for about so many of them; beyond, for a byte each. The
            verdicts are the same.
    """
    verdicts = np.zeros(count, np.uint8)
    ranges = max(1, -(-count // rows_at_once))
    for number in range(ranges):
        rows, digests, ranks = [], [], []
        first = 0
        for shapes in read():
            # The high bits choose the range, as even as a digest is.
            chosen = (shapes.digests >> np.uint64(32)) % np.uint64(ranges) == number
            rows.append(first + np.flatnonzero(chosen))
            digests.append(shapes.digests[chosen])
            ranks.append(shapes.ranks[chosen])
            first += len(shapes.digests)
        assert first == count, (first, count)
        if rows:
            at = np.concatenate(rows)
            verdicts[at] = _judge_range(np.concatenate(digests), np.concatenate(ranks))
    return verdicts


def _judge_range(
    digests: UInt64[np.ndarray, " batch"], ranks: UInt8[np.ndarray, " batch"]
) -> UInt8[np.ndarray, " batch"]:
    order = np.lexsort((ranks, digests))  # stable: the first stays first
    digests, ranks = digests[order], ranks[order]
    is_first = np.ones(len(order), bool)
    is_first[1:] = digests[1:] != digests[:-1]
    holder = ranks[np.flatnonzero(is_first)][np.cumsum(is_first) - 1]
    verdicts = np.empty(len(order), np.uint8)
    verdicts[order] = np.where(is_first, KEPT, np.where(ranks == holder, DUPLICATE, LEAK))
    return verdicts
