"""Keeps one copy of each excerpt; transpositions count as copies.

Within a split the first copy is kept. Across splits the training split gives way: no excerpt that
a figure is measured on was trained on, and the other splits keep as much as they can.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8, UInt64

from .split import TRAIN

KEPT, DUPLICATE, LEAK = range(3)
"""The outcomes: the excerpt is kept; a copy is kept in the same split; or in another split."""

_ROWS_AT_ONCE = 1 << 22
"""The digests of about this many excerpts are sorted at once: some 250 MB."""

_MAPPED_BYTES = 1 << 26
"""This much of the outcomes' file is in memory at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shapes:
    """Some excerpts, in the order in which the first copy is kept.

    Attributes:
        digests: Equal for excerpts that are the same up to transposition.
        ranks: The index of each excerpt's split in `order_of_splits`.
    """

    digests: UInt64[np.ndarray, " batch"]
    ranks: UInt8[np.ndarray, " batch"]


def order_of_splits(names: Iterable[str]) -> list[str]:
    """The order in which splits may keep an excerpt: training last."""
    return sorted(names, key=lambda name: name == TRAIN)


def decide(
    read: Callable[[], Iterable[Shapes]],
    count: int,
    path: Path,
    *,
    rows_at_once: int = _ROWS_AT_ONCE,
) -> int:
    """Writes the outcome of each excerpt, and returns the number of kept excerpts.

    Args:
        read: Gives all excerpts from the first on, each time it is called.
        count: The number of excerpts.
        path: The file of the outcomes, a byte each, in the excerpts' order.
        rows_at_once: About this many excerpts are in memory at once; it changes no outcome.
    """
    _make_room(path, count)
    kept = 0
    ranges = max(1, -(-count // rows_at_once))
    for number in range(ranges):
        rows, shapes = _read_range(read(), number, ranges, count)
        outcomes = _decide_range(shapes)
        _put(path, rows, outcomes)
        kept += int((outcomes == KEPT).sum())
    return kept


def _make_room(path: Path, count: int) -> None:
    """Writes all bytes of the file: a mapped one with holes ends the process on a full disk."""
    zeros = memoryview(bytes(min(count, _MAPPED_BYTES)))
    with path.open("wb") as file:
        for start in range(0, count, _MAPPED_BYTES):
            file.write(zeros[: count - start])


def _read_range(
    groups: Iterable[Shapes], number: int, ranges: int, count: int
) -> tuple[Int64[np.ndarray, " batch"], Shapes]:
    """The excerpts whose digests fall in one of some ranges, with their rows among all excerpts."""
    rows, digests, ranks = (
        [np.zeros(0, np.int64)],
        [np.zeros(0, np.uint64)],
        [np.zeros(0, np.uint8)],
    )
    first = 0
    for shapes in groups:
        # The high bits choose the range, as even as a digest is.
        chosen = (shapes.digests >> np.uint64(32)) % np.uint64(ranges) == number
        rows.append(first + np.flatnonzero(chosen))
        digests.append(shapes.digests[chosen])
        ranks.append(shapes.ranks[chosen])
        first += len(shapes.digests)
    assert first == count, (first, count)
    return np.concatenate(rows), Shapes(
        digests=np.concatenate(digests), ranks=np.concatenate(ranks)
    )


def _put(
    path: Path, rows: Int64[np.ndarray, " batch"], outcomes: UInt8[np.ndarray, " batch"]
) -> None:
    """Writes the outcomes of these rows, in rising order, into the file."""
    end = path.stat().st_size
    for start in range(0, end, _MAPPED_BYTES):
        window = np.memmap(path, np.uint8, "r+", start, min(_MAPPED_BYTES, end - start))
        low, high = np.searchsorted(rows, (start, start + _MAPPED_BYTES))
        window[rows[low:high] - start] = outcomes[low:high]


def _decide_range(shapes: Shapes) -> UInt8[np.ndarray, " batch"]:
    order = np.lexsort((shapes.ranks, shapes.digests))  # stable: the first stays first
    digests, ranks = shapes.digests[order], shapes.ranks[order]
    is_first = np.append(True, digests[1:] != digests[:-1])[: len(order)]
    firsts = np.flatnonzero(is_first)
    holder = np.repeat(ranks[firsts], np.diff(firsts, append=len(order)))
    outcomes = np.empty(len(order), np.uint8)
    outcomes[order] = np.where(is_first, KEPT, np.where(ranks == holder, DUPLICATE, LEAK))
    return outcomes
