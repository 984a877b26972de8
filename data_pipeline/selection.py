"""Decides, once all pieces are cut, which excerpts are kept and on which side of the split.

Only what decides is held in memory: some 500 bytes a piece, and a byte an excerpt. The excerpts
themselves stay in the chunks' files.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64, UInt8, UInt32

from musicvae.manifest import Cluster, Clusters

from .chunks import ReadChunk, read_chunk
from .dedupe import DUPLICATE, KEPT, LEAK, Shapes, judge, order_of_splits
from .excerpts import Left
from .likeness import HASHES, Pairs, find_pairs, join_clusters
from .manifest import Rejections
from .split import assign_clusters

_MOST_EXAMPLES = 10
"""Clusters that are named: so many of the largest, and of those across sources."""

_MOST_NAMED = 12
"""Pieces that are named of a cluster."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What is kept, and what was found on the way.

    Attributes:
        chunks: The files of all chunks, in order.
        sides: The split of each piece, as its place among the shares' names; the number of splits
            for a piece of which nothing came.
        verdicts: On each excerpt: see `dedupe`.
        clusters: The pieces that are alike.
        rejections: Why things were left out.
        meters: The bars of all pieces by their meter, the most frequent first.
        unnamed: The pieces whose corpus puts them in a split that is none of the shares', by that
            split's name.
    """

    chunks: Sequence[Path]
    sides: UInt8[np.ndarray, " piece"]
    verdicts: UInt8[np.ndarray, " batch"]
    clusters: Clusters
    rejections: Rejections
    meters: dict[str, int]
    unnamed: dict[str, int]

    def kept(self, side: int) -> Iterator[tuple[ReadChunk, Int64[np.ndarray, " batch"]]]:
        """The rows of the excerpts that are kept on one side, chunk by chunk."""
        for chunk, sides, verdicts in _walk(self.chunks, self.sides, self.verdicts):
            yield chunk, np.flatnonzero((verdicts == KEPT) & (sides == side))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pieces:
    """What decides of all pieces that something came of, a row each."""

    numbers: Int64[np.ndarray, " piece"]
    ids: list[str]
    sources: list[str]
    keys: list[str]
    given: list[str | None]
    signatures: UInt32[np.ndarray, "_ hash"]
    has_signature: Bool[np.ndarray, " piece"]
    piece_count: int
    excerpt_count: int
    meters: Counter[str]


def select(chunks: Sequence[Path], shares: Mapping[str, float]) -> Selection:
    """Decides for all excerpts of all chunks."""
    rejections = Rejections()
    pieces = _read_pieces(chunks, rejections)
    pairs = _pair(pieces)
    clusters = join_clusters(len(pieces.ids), pairs.first, pairs.second, pieces.keys)
    sides = assign_clusters(clusters, pieces.keys, pieces.given, shares)
    names = list(shares)
    side_of = np.full(pieces.piece_count, len(names), np.uint8)
    side_of[pieces.numbers] = [names.index(side) for side in sides]
    ranks = np.array([order_of_splits(names).index(name) for name in names], np.uint8)
    verdicts = judge(lambda: _read_shapes(chunks, side_of, ranks), pieces.excerpt_count)
    _count_repeats(chunks, side_of, verdicts, rejections)
    return Selection(
        chunks=chunks,
        sides=side_of,
        verdicts=verdicts,
        clusters=_summarise(pieces, pairs, clusters, sides, shares),
        rejections=rejections,
        unnamed=dict(Counter(name for name in pieces.given if name and name not in shares)),
        meters=dict(sorted(pieces.meters.items(), key=lambda each: (-each[1], each[0]))),
    )


def _read_pieces(chunks: Sequence[Path], rejections: Rejections) -> _Pieces:
    numbers, ids, sources, keys, given = [], [], [], [], []
    signatures, has_signature = [], []
    piece_count = excerpt_count = 0
    meters: Counter[str] = Counter()
    for path in chunks:
        table = read_chunk(path).pieces
        columns = table.to_pydict()
        for piece, source, left in zip(
            columns["id"], columns["source"], columns["left"], strict=True
        ):
            for each in left:
                rejections.add(piece, source, Left(**each))
        for bars in columns["bars"]:
            meters.update(dict(bars))
        counts = table["excerpts"].to_numpy()
        for row in np.flatnonzero(counts).tolist():
            numbers.append(piece_count + row)
            ids.append(columns["id"][row])
            sources.append(columns["source"][row])
            keys.append(columns["split_key"][row])
            given.append(columns["given_split"][row])
            signature = columns["signature"][row]
            has_signature.append(signature is not None)
            if signature is not None:
                signatures.append(np.frombuffer(signature, np.uint32))
        piece_count += len(counts)
        excerpt_count += int(counts.sum())
    return _Pieces(
        numbers=np.array(numbers, np.int64),
        ids=ids,
        sources=sources,
        keys=keys,
        given=given,
        signatures=np.array(signatures, np.uint32).reshape(-1, HASHES),
        has_signature=np.array(has_signature, bool),
        piece_count=piece_count,
        excerpt_count=excerpt_count,
        meters=meters,
    )


def _pair(pieces: _Pieces) -> Pairs:
    """The pairs that are alike, by the pieces' rows."""
    pairs = find_pairs(pieces.signatures)
    rows = np.flatnonzero(pieces.has_signature)
    return Pairs(first=rows[pairs.first], second=rows[pairs.second], likenesses=pairs.likenesses)


def _walk(
    chunks: Sequence[Path], side_of: UInt8[np.ndarray, " piece"], verdicts: UInt8[np.ndarray, " _"]
) -> Iterator[tuple[ReadChunk, UInt8[np.ndarray, " _"], UInt8[np.ndarray, " _"]]]:
    """Every chunk that has excerpts, with the side of each and the verdict on each."""
    first_piece = first_row = 0
    for path in chunks:
        chunk = read_chunk(path)
        if chunk.excerpts is not None:
            rows = chunk.excerpts.num_rows
            sides = side_of[first_piece + chunk.excerpts["piece"].to_numpy()]
            yield chunk, sides, verdicts[first_row : first_row + rows]
            first_row += rows
        first_piece += chunk.pieces.num_rows


def _read_shapes(
    chunks: Sequence[Path], side_of: UInt8[np.ndarray, " piece"], ranks: UInt8[np.ndarray, " _"]
) -> Iterator[Shapes]:
    nothing = np.zeros(0, np.uint8)
    for chunk, sides, _ in _walk(chunks, side_of, nothing):
        assert chunk.excerpts is not None
        yield Shapes(digests=chunk.excerpts["shape"].to_numpy(), ranks=ranks[sides])


def _count_repeats(
    chunks: Sequence[Path],
    side_of: UInt8[np.ndarray, " piece"],
    verdicts: UInt8[np.ndarray, " batch"],
    rejections: Rejections,
) -> None:
    for chunk, _, found in _walk(chunks, side_of, verdicts):
        assert chunk.excerpts is not None
        of_piece = chunk.excerpts["piece"].to_numpy()
        ids, sources = chunk.pieces["id"].to_pylist(), chunk.pieces["source"].to_pylist()
        totals = chunk.pieces["excerpts"].to_numpy()
        for verdict, reason in ((DUPLICATE, "duplicate"), (LEAK, "in_other_split")):
            counts = np.bincount(of_piece[found == verdict], minlength=len(ids))
            for piece in np.flatnonzero(counts).tolist():
                left = Left(
                    stage="excerpt",
                    reason=reason,
                    count=int(counts[piece]),
                    found=f"{counts[piece]} of {totals[piece]} excerpts",
                )
                rejections.add(ids[piece], sources[piece], left)


def _summarise(
    pieces: _Pieces,
    pairs: Pairs,
    clusters: Int64[np.ndarray, " piece"],
    sides: Sequence[str],
    shares: Mapping[str, float],
) -> Clusters:
    sizes = Counter(clusters.tolist())
    several = [cluster for cluster, size in sizes.items() if size > 1]
    members: dict[int, list[int]] = {cluster: [] for cluster in several}
    for row, cluster in enumerate(clusters.tolist()):
        if cluster in members:
            members[cluster].append(row)
    likenesses: dict[int, float] = {}
    across = avoided = left = 0
    alone = assign_clusters(np.arange(len(pieces.ids)), pieces.keys, pieces.given, shares)
    for one, other, likeness in zip(
        pairs.first.tolist(), pairs.second.tolist(), pairs.likenesses.tolist(), strict=True
    ):
        cluster = int(clusters[one])
        likenesses[cluster] = max(likeness, likenesses.get(cluster, 0.0))
        across += pieces.sources[one] != pieces.sources[other]
        avoided += alone[one] != alone[other] and sides[one] == sides[other]
        left += sides[one] != sides[other]
    found = [
        Cluster(
            pieces=tuple(pieces.ids[row] for row in members[cluster][:_MOST_NAMED]),
            size=sizes[cluster],
            sources=tuple(sorted({pieces.sources[row] for row in members[cluster]})),
            splits=tuple(sorted({sides[row] for row in members[cluster]})),
            likeness=round(likenesses.get(cluster, 0.0), 4),
        )
        for cluster in several
    ]
    found.sort(key=lambda cluster: (-cluster.size, cluster.pieces))
    wide = [cluster for cluster in found[_MOST_EXAMPLES:] if len(cluster.sources) > 1]
    return Clusters(
        count=len(several),
        pieces=sum(sizes[cluster] for cluster in several),
        largest=max((sizes[cluster] for cluster in several), default=0),
        pairs=len(pairs.first),
        pairs_across_sources=across,
        leaks_avoided=avoided,
        leaks_left=left,
        examples=(*found[:_MOST_EXAMPLES], *wide[:_MOST_EXAMPLES]),
    )
