"""Keeps one of each excerpt, counting transpositions of it as the same.

Within a split the first is kept. Across splits the training split gives way, so that nothing that
is measured on was trained on, and every split keeps as much as it can to be measured on.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8, UInt64

from .split import TRAIN

KEPT, DUPLICATE, LEAK = range(3)
"""Verdicts: it is kept; one like it is kept in the same split; or in another."""

_ROWS_AT_ONCE = 1 << 22
"""Of about so many excerpts the digests are sorted at once: some 250 MB."""

_MAPPED_BYTES = 1 << 26
"""Of the verdicts' file so much is in memory at once."""


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
    read: Callable[[], Iterable[Shapes]],
    count: int,
    path: Path,
    *,
    rows_at_once: int = _ROWS_AT_ONCE,
) -> int:
    """Writes the verdict on each of `count` excerpts, and says how many are kept.

    Args:
        read: Gives all excerpts from the first on, each time it is called.
        count: How many they are.
        path: The file of the verdicts, a byte each, in the excerpts' order.
        rows_at_once: Memory is needed for about so many of them. The verdicts are the same.
    """
    _make_room(path, count)
    kept = 0
    ranges = max(1, -(-count // rows_at_once))
    for number in range(ranges):
        rows, shapes = _read_range(read(), number, ranges, count)
        verdicts = _judge_range(shapes)
        _put(path, rows, verdicts)
        kept += int((verdicts == KEPT).sum())
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
    """The excerpts whose digests fall in one of so many ranges, with their rows among all."""
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
    path: Path, rows: Int64[np.ndarray, " batch"], verdicts: UInt8[np.ndarray, " batch"]
) -> None:
    """Writes the verdicts on these rows, which rise, into the file."""
    end = path.stat().st_size
    for start in range(0, end, _MAPPED_BYTES):
        window = np.memmap(path, np.uint8, "r+", start, min(_MAPPED_BYTES, end - start))
        low, high = np.searchsorted(rows, (start, start + _MAPPED_BYTES))
        window[rows[low:high] - start] = verdicts[low:high]


def _judge_range(shapes: Shapes) -> UInt8[np.ndarray, " batch"]:
    order = np.lexsort((shapes.ranks, shapes.digests))  # stable: the first stays first
    digests, ranks = shapes.digests[order], shapes.ranks[order]
    is_first = np.append(True, digests[1:] != digests[:-1])[: len(order)]
    firsts = np.flatnonzero(is_first)
    holder = np.repeat(ranks[firsts], np.diff(firsts, append=len(order)))
    verdicts = np.empty(len(order), np.uint8)
    verdicts[order] = np.where(is_first, KEPT, np.where(ranks == holder, DUPLICATE, LEAK))
    return verdicts
