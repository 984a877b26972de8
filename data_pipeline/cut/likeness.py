"""Finds pieces that are the same tune, under any title, in any key and at any tempo.

A piece counts as the set of its patterns. A pattern is a run of `PATTERN_NOTES` notes of the top
line of a part; each note is an interval from the note before and a ratio of their lengths. In a
piece with only drums, a pattern is a run of `PATTERN_HITS` steps with hits, each with its
instruments. The likeness of two pieces is the share of their patterns that they have in common (the
Jaccard index), estimated from signatures of fixed size. Two pieces with a likeness of at least
`LEAST_LIKENESS` are one tune.

Source: Broder 1997, On the resemblance and containment of documents (MinHash); Leskovec, Rajaraman
and Ullman, Mining of Massive Datasets, section 3.4 (bands).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64, UInt32

from musicvae.data_pipeline.grid.grid import GridPart, GridPiece

HASHES = 64
"""The size of a signature: with 64 numbers the estimate is within 0.12 in 19 of 20 cases."""

PATTERN_NOTES = 5
PATTERN_HITS = 16
LEAST_LIKENESS = 0.2

_RANDOM = np.random.default_rng(20180313)
_FACTORS = _RANDOM.integers(0, 2**32, HASHES, dtype=np.uint32) | np.uint32(1)
_TERMS = _RANDOM.integers(0, 2**32, HASHES, dtype=np.uint32)
_SYMBOLS = _RANDOM.integers(0, 2**32, (3, 256), dtype=np.uint32)
"""The hashes of intervals, of ratios of lengths, and of drums."""

_MULTIPLIERS = _RANDOM.integers(0, 2**32, 8, dtype=np.uint32) | np.uint32(1)


def find_signatures(pieces: Sequence[GridPiece]) -> list[UInt32[np.ndarray, " hash"] | None]:
    """The signature of each piece, or None for a piece without one whole pattern."""
    lines: list[GridPart] = []
    owners: list[int] = []
    hits: list[tuple[int, UInt32[np.ndarray, " _"]]] = []
    for number, piece in enumerate(pieces):
        pitched = [part for part in piece.parts if not part.is_drum]
        lines += pitched
        owners += [number] * len(pitched)
        if not pitched:
            hits += [(number, _hash_hits(part)) for part in piece.parts]
    found = [_hash_lines(lines, owners), *(_Patterns.of(*each) for each in hits)]
    patterns = _Patterns(
        hashes=np.concatenate([each.hashes for each in found]),
        owners=np.concatenate([each.owners for each in found]),
    )
    rows: list[UInt32[np.ndarray, " hash"] | None] = [None] * len(pieces)
    if len(patterns.hashes):
        firsts = np.flatnonzero(np.diff(patterns.owners, prepend=-1))
        smallest = _find_smallest(patterns.hashes, firsts)
        for row, owner in enumerate(patterns.owners[firsts].tolist()):
            rows[owner] = smallest[row]
    return rows


@dataclass(frozen=True, kw_only=True, eq=False)
class _Patterns:
    """The hashes of patterns, and the number of the piece of each pattern."""

    hashes: UInt32[np.ndarray, " batch"]
    owners: Int64[np.ndarray, " batch"]

    @staticmethod
    def of(owner: int, hashes: UInt32[np.ndarray, " batch"]) -> "_Patterns":
        return _Patterns(hashes=hashes, owners=np.full(len(hashes), owner))


def _find_smallest(
    hashes: UInt32[np.ndarray, " batch"], firsts: Int64[np.ndarray, " _"]
) -> UInt32[np.ndarray, "_ hash"]:
    """The smallest value of each hash function among the patterns of each piece."""
    smallest = np.empty((HASHES, len(firsts)), np.uint32)
    mixed = np.empty_like(hashes)
    for row, (factor, term) in enumerate(zip(_FACTORS, _TERMS, strict=True)):
        np.multiply(hashes, factor, out=mixed)
        mixed += term
        np.minimum.reduceat(mixed, firsts, out=smallest[row])
    return np.ascontiguousarray(smallest.T)


def _hash_lines(lines: Sequence[GridPart], owners: Sequence[int]) -> _Patterns:
    """The patterns of the top line of each part."""
    if not lines:
        return _Patterns.of(0, np.zeros(0, np.uint32))
    sizes = [len(line.starts) for line in lines]
    starts = np.concatenate([line.starts for line in lines])
    pitches = np.concatenate([line.pitches for line in lines])
    numbers = np.repeat(np.arange(len(lines), dtype=np.int32), sizes)
    # Of notes that start together, the last is the highest.
    is_top = (starts[1:] != starts[:-1]) | (numbers[1:] != numbers[:-1])
    if not is_top.all():
        at = np.flatnonzero(np.append(is_top, True))
        starts, pitches, numbers = starts[at], pitches[at], numbers[at]
    intervals = pitches[1:] - pitches[:-1]
    # Between two lines there is no interval and no time: any values may stand there.
    lengths = np.log2(np.maximum(starts[1:] - starts[:-1], 1))
    ratios = np.rint(2 * (lengths[1:] - lengths[:-1])).astype(np.int32)
    symbols = _SYMBOLS[0][intervals[1:] & 255] + _SYMBOLS[1][ratios & 255]
    hashes = _join(symbols, PATTERN_NOTES)
    # The first symbol needs three notes.
    reach = PATTERN_NOTES + 1
    is_whole = numbers[reach:] == numbers[: len(hashes)]
    return _Patterns(
        hashes=hashes[is_whole], owners=np.array(owners)[numbers[: len(hashes)][is_whole]]
    )


def _hash_hits(part: GridPart) -> UInt32[np.ndarray, " batch"]:
    """The patterns of a drum part."""
    starts = part.starts
    hits = np.flatnonzero(np.append(True, starts[1:] != starts[:-1]))
    drums = np.add.reduceat(_SYMBOLS[2][part.pitches & 255], hits, dtype=np.uint32)
    gaps = np.diff(starts[hits], append=starts[hits[-1]])
    return _join(drums + _SYMBOLS[1][gaps & 255], PATTERN_HITS)


def _join(symbols: UInt32[np.ndarray, " note"], length: int) -> UInt32[np.ndarray, " batch"]:
    """A hash of each run of `length` symbols, built from pairs, pairs of pairs, and so on."""
    joined, size, level = symbols, 1, 0
    while size < length:
        shift = min(size, length - size)
        if len(joined) <= shift:
            return joined[:0]
        joined = joined[:-shift] * _MULTIPLIERS[level] + joined[shift:]
        joined ^= joined >> np.uint32(15)
        size += shift
        level += 1
    return joined
