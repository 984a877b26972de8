"""Joins the pieces that are one tune into clusters, by their signatures and by their keys.

Two pieces are compared if a band of their signatures agrees. Memory holds some 40 bytes for each
piece while the pieces are sorted by a band, and 12 bytes for each pair that was found.

Source: Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4 (bands).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt64

from musicvae.data_pipeline.cut.likeness import HASHES, LEAST_LIKENESS

from .signature_file import SignatureFile

_BAND = 2
"""The numbers of a band. With 32 bands, 73 % of the pairs of likeness 0.2 agree in a band, 95 % of
the pairs of 0.3, and 0.3 % of the pairs of 0.01."""

_MOST_PAIRED = 24
"""In a larger group with a band in common, each piece is compared only with its neighbours: a
thousand copies of a tune would make half a million pairs, which add no information."""

_PAIRS_AT_ONCE = 1 << 21
"""This many pairs are compared at once: some 60 MB."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """Pairs of similar pieces, each pair once, in order.

    Attributes:
        first: The number of each pair's first piece.
        second: The number of each pair's second piece, which is higher.
        likenesses: The estimated share of the patterns that both pieces have.
    """

    first: Int32[np.ndarray, " batch"]
    second: Int32[np.ndarray, " batch"]
    likenesses: Float32[np.ndarray, " batch"]


def find_pairs(signatures: SignatureFile) -> Pairs:
    """Finds the pairs of at least `LEAST_LIKENESS`, among the pairs that agree in a band."""
    count = max(len(signatures), 1)  # without pieces there are no pairs
    found = np.zeros(0, np.int64)
    waiting: list[Int64[np.ndarray, " _"]] = []
    for band in range(0, HASHES, _BAND):
        for codes in _pair_equals(_band_keys(signatures, band), count):
            waiting.append(codes)
            if sum(map(len, waiting)) >= _PAIRS_AT_ONCE:
                found = _add_alike(found, waiting, signatures)
                waiting = []
    found = _add_alike(found, waiting, signatures)
    return Pairs(
        first=(found // count).astype(np.int32),
        second=(found % count).astype(np.int32),
        likenesses=_compare(signatures, found),
    )


def _band_keys(signatures: SignatureFile, band: int) -> UInt64[np.ndarray, " piece"]:
    keys = signatures.column(band).astype(np.uint64)
    keys <<= np.uint64(32)
    keys |= signatures.column(band + 1)
    return keys


def _pair_equals(
    keys: UInt64[np.ndarray, " piece"], count: int
) -> Iterator[Int64[np.ndarray, " _"]]:
    """Pairs of rows with equal keys as `lower * count + higher`."""
    if len(keys) < 2:
        return
    order = np.argsort(keys, kind="stable")
    is_equal = keys[order[1:]] == keys[order[:-1]]
    is_shared = np.append(is_equal, False) | np.append(False, is_equal)
    order = order[is_shared].astype(np.int32)
    starts = np.flatnonzero(~np.append(False, is_equal)[is_shared])
    sizes = np.diff(starts, append=len(order)).astype(np.int32)
    # How far behind each row its group ends.
    later = np.repeat(starts.astype(np.int32) + sizes, sizes)
    later -= np.arange(1, len(order) + 1, dtype=np.int32)
    is_small = np.repeat(sizes <= _MOST_PAIRED, sizes)
    for distance in range(1, _MOST_PAIRED):
        at = np.flatnonzero((later >= distance) & (is_small | (distance == 1)))
        if not len(at):
            break
        yield order[at] * np.int64(count) + order[at + distance]


def _add_alike(
    found: Int64[np.ndarray, " _"],
    codes: Sequence[Int64[np.ndarray, " _"]],
    signatures: SignatureFile,
) -> Int64[np.ndarray, " _"]:
    """The pairs found so far and the similar pairs among the new codes, in order."""
    if not codes:
        return found
    new = np.concatenate(codes)
    new.sort()
    new = new[np.diff(new, prepend=-1) > 0]
    new = new[np.append(found, -1)[np.searchsorted(found, new)] != new]
    both = np.concatenate([found, new[_compare(signatures, new) >= LEAST_LIKENESS]])
    both.sort()
    return both


def _compare(
    signatures: SignatureFile, codes: Int64[np.ndarray, " batch"]
) -> Float32[np.ndarray, " batch"]:
    """The estimated likeness of each pair."""
    likenesses = np.empty(len(codes), np.float32)
    for start in range(0, len(codes), _PAIRS_AT_ONCE):
        rows = slice(start, start + _PAIRS_AT_ONCE)
        first, second = np.divmod(codes[rows], len(signatures))
        agreements = np.zeros(len(first), np.uint8)
        for number in range(HASHES):
            column = signatures.column(number)
            agreements += column[first] == column[second]
        likenesses[rows] = agreements / np.float32(HASHES)
    return likenesses


def join_clusters(pairs: Pairs, keys: UInt64[np.ndarray, " piece"]) -> Int32[np.ndarray, " piece"]:
    """Each piece's cluster, named by the lowest number of a piece in it.

    Args:
        pairs: The similar pairs.
        keys: Each piece's split key, hashed: pieces of one key are one cluster, too.
    """
    clusters = np.arange(len(keys), dtype=np.int32)
    for start in range(0, len(pairs.first), _PAIRS_AT_ONCE):
        rows = slice(start, start + _PAIRS_AT_ONCE)
        clusters = _join(clusters, pairs.first[rows], pairs.second[rows])
    order = np.argsort(keys, kind="stable").astype(np.int32)
    is_namesake = keys[order[1:]] == keys[order[:-1]]
    return _join(clusters, order[:-1][is_namesake], order[1:][is_namesake])


def _join(
    clusters: Int32[np.ndarray, " piece"],
    first: Int32[np.ndarray, " pair"],
    second: Int32[np.ndarray, " pair"],
) -> Int32[np.ndarray, " piece"]:
    """Joins the two clusters of each of these pairs."""
    while True:
        one, other = clusters[first], clusters[second]
        is_apart = one != other
        if not is_apart.any():
            return clusters
        first, second, one, other = (each[is_apart] for each in (first, second, one, other))
        np.minimum.at(clusters, np.maximum(one, other), np.minimum(one, other))
        # Each piece now points to a lower piece of its cluster: follow to the lowest.
        while not np.array_equal(lower := clusters[clusters], clusters):
            clusters = lower
