"""Decides, once all pieces are cut, which excerpts are kept and in which split.

Memory holds numbers only, no texts: about 25 bytes a piece, and twice as much while the pieces are
compared; 12 bytes for each pair of similar pieces, and a byte for each piece without excerpts. The
signatures of the pieces, a quarter of a KB each, and the outcomes and counts of the excerpts, five
bytes each, are in files beside the chunks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32, Int64, UInt8, UInt32, UInt64

from musicvae.data.manifest import Clusters
from musicvae.data_pipeline.cut.chunks import ReadChunk, read_chunk
from musicvae.data_pipeline.rejections import Rejection
from musicvae.identity import compare_by_identity

from .cluster_summary import summarise
from .clusters import Pairs, find_pairs, join_clusters
from .counts import RejectionCounter
from .dedupe import DUPLICATE, KEPT, LEAK, Shapes, decide, order_of_splits
from .signature_file import SignatureFile
from .split import TRAIN, assign_clusters, hash_key
from .used_pieces import UsedPieces, read_used_pieces

_CLUSTERS_AT_ONCE = 1 << 18
"""The keys of this many clusters are compared at once: some 50 MB."""


@compare_by_identity
class ChosenRows(NamedTuple):
    """Some excerpts of a chunk.

    Attributes:
        chunk: The chunk.
        rows: The rows of the excerpts in the chunk, ascending.
        counts: The number of excerpts with the shape of each, in its split: see `dedupe`.
    """

    chunk: ReadChunk
    rows: Int64[np.ndarray, " batch"]
    counts: UInt32[np.ndarray, " batch"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Selection:
    """Which excerpts are kept, and what was found on the way.

    Attributes:
        chunks: The files of all chunks, in order.
        splits: The names of the splits, in order.
        sides: The number of each piece's split; the number of splits for a piece without excerpts.
        outcomes: The file of the outcomes of all excerpts: see `dedupe`.
        counts: The file of the counts of all excerpts.
        kept_count: The number of kept excerpts.
        clusters: The clusters of similar pieces.
        rejections: The rejections of all pieces.
        meters: The bars of all pieces by their meter, the most frequent first.
        unnamed: The number of pieces in each split of a corpus that the shares do not name.
    """

    chunks: Sequence[Path]
    splits: Sequence[str]
    sides: UInt8[np.ndarray, " piece"]
    outcomes: Path
    counts: Path
    kept_count: int
    clusters: Clusters
    rejections: RejectionCounter
    meters: dict[str, int]
    unnamed: dict[str, int]

    def choose(self, side: int, outcome: int = KEPT) -> Iterator[ChosenRows]:
        """The excerpts of one split with an outcome, by default the kept ones, chunk by chunk."""
        with self.counts.open("rb") as file:
            for chunk, sides, outcomes in _with_outcomes(self.chunks, self.sides, self.outcomes):
                counts = np.frombuffer(file.read(4 * len(sides)), np.uint32)
                rows = np.flatnonzero((outcomes == outcome) & (sides == side))
                yield ChosenRows(chunk, rows, counts[rows])


def select(
    chunks: Sequence[Path],
    shares: Mapping[str, float],
    folder: Path,
    earlier: Mapping[str, str] = MappingProxyType({}),
) -> Selection:
    """Decides for all excerpts of all chunks.

    Args:
        chunks: Their files.
        shares: The share of each split.
        folder: Where the files of signatures, outcomes and counts are written; outcomes and
            counts stay.
        earlier: The splits of pieces in an earlier data set, by their ids: they keep them, as they
            keep the split of their corpus.
    """
    rejections = RejectionCounter()
    with SignatureFile(folder / "signatures") as signatures:
        pieces = read_used_pieces(chunks, signatures, rejections)
        pairs = _pair(pieces, signatures)
    clusters = join_clusters(pairs, pieces.keys)
    given = _keep_earlier(pieces, pieces.given_sides(shares), list(shares), earlier)
    sides = assign_clusters(clusters, _smallest_keys(pieces, clusters), given, shares)
    names = list(shares)
    side_of = np.full(pieces.piece_count, len(names), np.uint8)
    side_of[pieces.numbers] = sides
    ranks = np.array([order_of_splits(names).index(name) for name in names], np.uint8)
    outcomes, counts = folder / "outcomes", folder / "counts"
    kept_count = decide(
        lambda: _read_shapes(chunks, side_of, ranks),
        pieces.excerpt_count,
        outcomes,
        counts,
        has_training=TRAIN in names,
    )
    _count_repeats(chunks, side_of, outcomes, rejections)
    return Selection(
        chunks=chunks,
        splits=names,
        sides=side_of,
        outcomes=outcomes,
        counts=counts,
        kept_count=kept_count,
        clusters=summarise(pieces, pairs, clusters, sides, shares),
        rejections=rejections,
        meters=dict(sorted(pieces.meters.items(), key=lambda each: (-each[1], each[0]))),
        unnamed=_count_unnamed(pieces, shares),
    )


def _keep_earlier(
    pieces: UsedPieces,
    given: Int32[np.ndarray, " piece"],
    splits: Sequence[str],
    earlier: Mapping[str, str],
) -> Int32[np.ndarray, " piece"]:
    """The given split of each piece, with the splits of an earlier data set."""
    if not earlier:
        return given
    kept = given.copy()
    for row, piece in pieces.texts("id", np.arange(len(pieces))):
        if (split := earlier.get(piece)) in splits:
            kept[row] = splits.index(split)
    return kept


def _pair(pieces: UsedPieces, signatures: SignatureFile) -> Pairs:
    """The similar pairs, by the pieces' rows."""
    pairs = find_pairs(signatures)
    signed = pieces.signed
    return replace(pairs, first=signed[pairs.first], second=signed[pairs.second])


def _smallest_keys(
    pieces: UsedPieces, clusters: Int32[np.ndarray, " piece"]
) -> UInt64[np.ndarray, " piece"]:
    """The smallest key, as text, of the cluster of each piece, hashed."""
    of_cluster = pieces.keys.copy()
    mixed = np.unique(clusters[pieces.keys != pieces.keys[clusters]])
    for start in range(0, len(mixed), _CLUSTERS_AT_ONCE):
        rows = np.flatnonzero(np.isin(clusters, mixed[start : start + _CLUSTERS_AT_ONCE]))
        smallest: dict[int, str] = {}
        for row, key in pieces.texts("split_key", rows):
            cluster = int(clusters[row])
            smallest[cluster] = min(key, smallest.get(cluster, key))
        of_cluster[list(smallest)] = list(map(hash_key, smallest.values()))
    smallest_keys: UInt64[np.ndarray, " piece"] = of_cluster[clusters]
    return smallest_keys


def _count_unnamed(pieces: UsedPieces, shares: Mapping[str, float]) -> dict[str, int]:
    counts = np.bincount(pieces.given, minlength=len(pieces.given_names)).tolist()
    found = zip(pieces.given_names, counts, strict=True)
    return {name: count for name, count in found if name and name not in shares}


def _walk(
    chunks: Sequence[Path], side_of: UInt8[np.ndarray, " piece"]
) -> Iterator[tuple[ReadChunk, UInt8[np.ndarray, " _"]]]:
    """Every chunk with excerpts, and the split of each excerpt."""
    first_piece = 0
    for path in chunks:
        chunk = read_chunk(path)
        if chunk.excerpts is not None:
            yield chunk, side_of[first_piece + chunk.excerpts["piece"].to_numpy()]
        first_piece += chunk.pieces.num_rows


def _with_outcomes(
    chunks: Sequence[Path], side_of: UInt8[np.ndarray, " piece"], outcomes: Path
) -> Iterator[tuple[ReadChunk, UInt8[np.ndarray, " _"], UInt8[np.ndarray, " _"]]]:
    """Every chunk with excerpts, and the split and the outcome of each excerpt."""
    with outcomes.open("rb") as file:
        for chunk, sides in _walk(chunks, side_of):
            yield chunk, sides, np.frombuffer(file.read(len(sides)), np.uint8)


def _read_shapes(
    chunks: Sequence[Path], side_of: UInt8[np.ndarray, " piece"], ranks: UInt8[np.ndarray, " _"]
) -> Iterator[Shapes]:
    for chunk, sides in _walk(chunks, side_of):
        assert chunk.excerpts is not None
        yield Shapes(digests=chunk.excerpts["shape"].to_numpy(), ranks=ranks[sides])


def _count_repeats(
    chunks: Sequence[Path],
    side_of: UInt8[np.ndarray, " piece"],
    outcomes: Path,
    rejections: RejectionCounter,
) -> None:
    for chunk, _, judged in _with_outcomes(chunks, side_of, outcomes):
        assert chunk.excerpts is not None
        of_piece = chunk.excerpts["piece"].to_numpy()
        ids, sources = chunk.pieces["id"].to_pylist(), chunk.pieces["source"].to_pylist()
        totals = chunk.pieces["excerpts"].to_numpy()
        for outcome, reason in ((DUPLICATE, "duplicate"), (LEAK, "in_other_split")):
            counts = np.bincount(of_piece[judged == outcome], minlength=len(ids))
            for piece in np.flatnonzero(counts).tolist():
                found = f"{counts[piece]} of {totals[piece]} excerpts"
                rejection = Rejection("excerpt", reason, found, int(counts[piece]))
                rejections.add(ids[piece], sources[piece], rejection)
