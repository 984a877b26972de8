"""Sums up the clusters of similar pieces: counts, and the clusters worth a look."""

from collections.abc import Mapping, Sequence
from heapq import nsmallest

import numpy as np
from jaxtyping import Bool, Int32, Int64, UInt8

from musicvae.data.manifest import Cluster, Clusters

from .clusters import Pairs
from .split import assign_clusters
from .used_pieces import UsedPieces

_MOST_EXAMPLES = 10
"""The manifest names this many of the largest clusters, and of the clusters across sources."""

_MOST_NAMED = 12
"""The manifest names this many pieces of a cluster."""


def summarise(
    pieces: UsedPieces,
    pairs: Pairs,
    clusters: Int32[np.ndarray, " piece"],
    sides: UInt8[np.ndarray, " piece"],
    shares: Mapping[str, float],
) -> Clusters:
    """Counts the clusters of two or more pieces, and names some.

    Args:
        pieces: All pieces with excerpts.
        pairs: The pairs with similar notes.
        clusters: Each piece's cluster, named by the lowest number of a piece in it.
        sides: The number of each piece's split.
        shares: The share of each split.
    """
    everyone = np.arange(len(pieces), dtype=np.int32)
    alone = assign_clusters(everyone, pieces.keys, pieces.given_sides(shares), shares)
    sizes = np.bincount(clusters, minlength=len(pieces)).astype(np.int32)
    several = np.flatnonzero(sizes > 1)
    is_wide = np.zeros(len(pieces), bool)
    is_wide[clusters[pieces.sources != pieces.sources[clusters]]] = True
    largest = _largest(pieces, several, sizes)
    others = several[is_wide[several] & ~np.isin(several, largest)]
    first, second = pairs.first, pairs.second
    are_apart = sides[first] != sides[second]
    return Clusters(
        count=len(several),
        pieces=int(sizes[several].sum()),
        largest=int(sizes[several].max(initial=0)),
        pairs=len(first),
        pairs_across_sources=_count(pieces.sources[first] != pieces.sources[second]),
        leaks_avoided=_count((alone[first] != alone[second]) & ~are_apart),
        leaks_left=_count(are_apart),
        examples=tuple(
            _describe(number, pieces, pairs, clusters, sides, list(shares))
            for number in (*largest, *_largest(pieces, others, sizes))
        ),
    )


def _largest(
    pieces: UsedPieces, numbers: Int64[np.ndarray, " _"], sizes: Int32[np.ndarray, " piece"]
) -> list[int]:
    """The largest of these clusters; among equals, the first by the id of the first piece."""
    if len(numbers) > _MOST_EXAMPLES:
        least = np.partition(sizes[numbers], -_MOST_EXAMPLES)[-_MOST_EXAMPLES]
        numbers = numbers[sizes[numbers] >= least]
    ordered = ((-int(sizes[number]), name, number) for number, name in pieces.texts("id", numbers))
    return [number for *_, number in nsmallest(_MOST_EXAMPLES, ordered)]


def _describe(
    number: int,
    pieces: UsedPieces,
    pairs: Pairs,
    clusters: Int32[np.ndarray, " piece"],
    sides: UInt8[np.ndarray, " piece"],
    names: Sequence[str],
) -> Cluster:
    members = np.flatnonzero(clusters == number)
    likenesses = pairs.likenesses[clusters[pairs.first] == number]
    return Cluster(
        pieces=tuple(name for _, name in pieces.texts("id", members[:_MOST_NAMED])),
        size=len(members),
        sources=tuple(sorted({pieces.source_names[code] for code in pieces.sources[members]})),
        splits=tuple(sorted({names[side] for side in sides[members]})),
        likeness=round(float(likenesses.max(initial=0.0)), 4),
    )


def _count(are_so: Bool[np.ndarray, " pair"]) -> int:
    return int(are_so.sum())
