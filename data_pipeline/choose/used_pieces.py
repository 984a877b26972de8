"""The pieces with excerpts: the facts that decide on them, read from the files of their chunks.

Memory holds numbers only, some 25 bytes a piece. Texts are looked up in the chunks when they are
needed, and the signatures go to a file of their own.
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int32, Int64, UInt64

from musicvae.data_pipeline.cut.chunks import read_chunk
from musicvae.data_pipeline.cut.likeness import HASHES
from musicvae.data_pipeline.rejections import Rejection

from .counts import RejectionCounter
from .signature_file import SignatureFile
from .split import hash_key


@dataclass(frozen=True, kw_only=True, eq=False)
class UsedPieces:
    """One row for each piece with excerpts, in order.

    Attributes:
        chunks: The files of all chunks, in order.
        first_rows: The row of each chunk's first piece with excerpts.
        numbers: Each piece's index among all pieces.
        keys: Each piece's split key, hashed.
        sources: The index of its source's name in `source_names`.
        given: The index in `given_names` of the split in which its corpus puts the piece; a
            corpus without splits counts as the name None.
        signed: The rows of the pieces with a signature.
        piece_count: The number of all pieces.
        excerpt_count: The number of all excerpts.
        meters: The bars of all pieces by their meter.
    """

    chunks: Sequence[Path]
    first_rows: Int64[np.ndarray, " _"]
    numbers: Int32[np.ndarray, " piece"]
    keys: UInt64[np.ndarray, " piece"]
    sources: Int32[np.ndarray, " piece"]
    source_names: Sequence[str]
    given: Int32[np.ndarray, " piece"]
    given_names: Sequence[str | None]
    signed: Int32[np.ndarray, " _"]
    piece_count: int
    excerpt_count: int
    meters: Counter[str]

    def __len__(self) -> int:
        return len(self.numbers)

    def given_sides(self, shares: Mapping[str, float]) -> Int32[np.ndarray, " piece"]:
        """The index of each piece's given split in the shares; -1 where they do not name it."""
        indices: dict[str | None, int] = {name: index for index, name in enumerate(shares)}
        sides = np.array([indices.get(name, -1) for name in self.given_names], np.int32)
        given: Int32[np.ndarray, " piece"] = sides[self.given]
        return given

    def texts(self, column: str, rows: Int64[np.ndarray, " _"]) -> Iterator[tuple[int, str]]:
        """Each of these rows, in rising order, with its text from a column of its chunk."""
        indices = np.searchsorted(self.first_rows, rows, side="right") - 1
        starts = np.flatnonzero(np.diff(indices, prepend=-1))
        for start, end in pairwise([*starts.tolist(), len(rows)]):
            index, wanted = indices[start], rows[start:end]
            pieces = read_chunk(self.chunks[index]).pieces
            texts = _used(pieces.select([column, "excerpts"]))[column]
            found = texts.take(pa.array(wanted - self.first_rows[index])).to_pylist()
            yield from zip(wanted.tolist(), found, strict=True)


def read_used_pieces(
    chunks: Sequence[Path], signatures: SignatureFile, rejections: RejectionCounter
) -> UsedPieces:
    """Reads all chunks, in order.

    Args:
        chunks: The chunks' files.
        signatures: Takes the signatures of the pieces.
        rejections: Takes the rejections of all pieces.
    """
    # An array grows without a second copy of its numbers.
    numbers, sources, given, signed = (array("i") for _ in range(4))
    keys = array("Q")
    source_codes: dict[str, int] = {}
    given_codes: dict[str | None, int] = {}
    first_rows: list[int] = []
    piece_count = excerpt_count = 0
    meters: Counter[str] = Counter()
    for path in chunks:
        pieces = read_chunk(path).pieces
        _count_rejections(pieces, rejections)
        for bars in pieces["bars"].to_pylist():
            meters.update(dict(bars))
        counts = pieces["excerpts"].to_numpy()
        used = _used(pieces)
        row = len(numbers)
        first_rows.append(row)
        numbers.extend((piece_count + np.flatnonzero(counts)).tolist())
        keys.extend(map(hash_key, used["split_key"].to_pylist()))
        for name in used["source"].to_pylist():
            sources.append(source_codes.setdefault(name, len(source_codes)))
        for name in used["given_split"].to_pylist():
            given.append(given_codes.setdefault(name, len(given_codes)))
        signed.extend((row + np.flatnonzero(used["signature"].is_valid())).tolist())
        known = b"".join(used["signature"].drop_null().to_pylist())
        signatures.add(np.frombuffer(known, np.uint32).reshape(-1, HASHES))
        piece_count += len(counts)
        excerpt_count += int(counts.sum())
    return UsedPieces(
        chunks=chunks,
        first_rows=np.array(first_rows, np.int64),
        numbers=np.array(numbers, np.int32),
        keys=np.array(keys, np.uint64),
        sources=np.array(sources, np.int32),
        source_names=list(source_codes),
        given=np.array(given, np.int32),
        given_names=list(given_codes),
        signed=np.array(signed, np.int32),
        piece_count=piece_count,
        excerpt_count=excerpt_count,
        meters=meters,
    )


def _used(pieces: pa.Table) -> pa.Table:
    return pieces.filter(pc.greater(pieces["excerpts"], 0))


def _count_rejections(pieces: pa.Table, rejections: RejectionCounter) -> None:
    told = pieces.select(["id", "source", "rejections"])
    for piece in told.filter(pc.greater(pc.list_value_length(told["rejections"]), 0)).to_pylist():
        for each in piece["rejections"]:
            rejections.add(piece["id"], piece["source"], Rejection(**each))
