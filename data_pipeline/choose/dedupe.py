"""Keeps one copy of each excerpt in a split; transpositions count as copies.

Within a split the first copy is kept. An excerpt that training has is common: it leaves the splits
that measure, which hold only excerpts new to training, and goes to splits of their own, such as
`validation_common`. So training loses no music, least of all the commonest. Between two measuring
splits the first keeps an excerpt.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int64, UInt8, UInt32, UInt64

from musicvae.identity import compare_by_identity

from .split import TRAIN

KEPT, DUPLICATE, LEAK, COMMON = range(4)
"""The outcomes: the excerpt is kept; a copy is kept in the same split; a copy is kept in another
split; training has a copy, and this copy is the first of its own split."""

_ROWS_AT_ONCE = 1 << 22
"""The digests of about this many excerpts are sorted at once: some 250 MB."""

_MAPPED_BYTES = 1 << 26
"""This much of a file of outcomes or counts is in memory at once."""


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
    """The order in which splits keep an excerpt: training first."""
    return sorted(names, key=lambda name: name != TRAIN)


def decide(
    read: Callable[[], Iterable[Shapes]],
    count: int,
    outcomes: Path,
    counts: Path,
    *,
    has_training: bool,
    rows_at_once: int = _ROWS_AT_ONCE,
) -> int:
    """Writes the outcome of each excerpt, and returns the number of kept excerpts.

    Args:
        read: Gives all excerpts from the first on, each time it is called.
        count: The number of excerpts.
        outcomes: The file of the outcomes, a byte each, in the excerpts' order.
        counts: The file of the counts, four bytes each: how many excerpts of the same split have
            the same shape, the excerpt itself included.
        has_training: Whether rank 0 is training.
        rows_at_once: About this many excerpts are in memory at once; it changes no outcome.
    """
    _make_room(outcomes, count)
    _make_room(counts, count * np.dtype(np.uint32).itemsize)
    kept = 0
    ranges = max(1, -(-count // rows_at_once))
    for number in range(ranges):
        rows, shapes = _read_range(read(), number, ranges, count)
        decided = _decide_range(shapes, has_training=has_training)
        _put(outcomes, rows, decided.outcomes)
        _put(counts, rows, decided.counts)
        kept += int((decided.outcomes == KEPT).sum())
    return kept


def _make_room(path: Path, size: int) -> None:
    """Writes all bytes of the file: a mapped one with holes ends the process on a full disk."""
    zeros = memoryview(bytes(min(size, _MAPPED_BYTES)))
    with path.open("wb") as file:
        for start in range(0, size, _MAPPED_BYTES):
            file.write(zeros[: size - start])


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
    path: Path,
    rows: Int64[np.ndarray, " batch"],
    values: UInt8[np.ndarray, " batch"] | UInt32[np.ndarray, " batch"],
) -> None:
    """Writes the values of these rows, in rising order, into the file."""
    size = values.dtype.itemsize
    end = path.stat().st_size // size
    rows_mapped = _MAPPED_BYTES // size
    for start in range(0, end, rows_mapped):
        shape = min(rows_mapped, end - start)
        window = np.memmap(path, values.dtype, "r+", start * size, shape)
        low, high = np.searchsorted(rows, (start, start + rows_mapped))
        window[rows[low:high] - start] = values[low:high]


@compare_by_identity
class _Decided(NamedTuple):
    """The outcome and the count of each excerpt; see `decide`."""

    outcomes: UInt8[np.ndarray, " batch"]
    counts: UInt32[np.ndarray, " batch"]


def _decide_range(shapes: Shapes, *, has_training: bool) -> _Decided:
    order = np.lexsort((shapes.ranks, shapes.digests))  # stable: the first stays first
    digests, ranks = shapes.digests[order], shapes.ranks[order]
    is_first = np.append(True, digests[1:] != digests[:-1])[: len(order)]
    is_first_of_split = is_first | np.append(True, ranks[1:] != ranks[:-1])[: len(order)]
    holders = ranks[is_first].repeat(_sizes(is_first))
    is_common = (holders == 0) & (ranks > 0) & has_training
    judged = np.where(ranks == holders, DUPLICATE, np.where(is_common, DUPLICATE, LEAK))
    judged[is_first_of_split & is_common] = COMMON
    judged[is_first] = KEPT
    sizes = _sizes(is_first_of_split)
    decided = _Decided(np.empty(len(order), np.uint8), np.empty(len(order), np.uint32))
    decided.outcomes[order] = judged
    decided.counts[order] = sizes.repeat(sizes)
    return decided


def _sizes(is_first: Bool[np.ndarray, " batch"]) -> Int64[np.ndarray, " _"]:
    """The size of each run; every run starts with a True."""
    sizes: Int64[np.ndarray, " _"] = np.diff(np.flatnonzero(is_first), append=len(is_first))
    return sizes
