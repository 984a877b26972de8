"""A chunk: consecutive pieces, cut by one process and kept as one file until all are done.

The file appears by a rename, so a chunk's file is whole or missing. It holds two Arrow streams, one
after the other: the excerpts, in the pieces' order (no stream where there are no excerpts); then
the pieces with their rejections and signatures. Excerpts are written as soon as they are cut, so
that a process holds the excerpts of the current piece and only a few MiB more.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int64, Shaped

from musicvae.data_pipeline.rejections import Rejection
from musicvae.data_pipeline.sources.corpus import Piece
from musicvae.files import new_file, remove_unfinished
from musicvae.work import Batch
from musicvae.work.batch import Begin

from .cut import cut_pieces, reject_for_memory, reject_piece
from .excerpts import CutPiece, CutSettings, Excerpts
from .likeness import HASHES

MOST_PIECES = 512
MOST_SLOW_PIECES = 16
"""Scores take a hundred times longer than MIDI files: their chunks are shorter, so that a run that
is killed loses little, and the last process does not work on alone for long."""

MOST_HELD_BYTES = 8 * 1024**2
"""Pieces from a compressed archive travel with their bytes."""

_BATCH_BYTES = 8 * 1024**2
"""The size of the events of a batch; a piece with more events gives a batch for each part."""

_OBJECTS_BETWEEN_COLLECTIONS = 20_000
"""Collect garbage after this many objects; Python's default of 700 costs too much here."""

_LARGE_BLOCK = 16 * 1024**2

_QUICK_KINDS = {"midi", "h2pattern"}

_REJECTION = pa.struct(
    {"stage": pa.string(), "reason": pa.string(), "count": pa.int64(), "found": pa.string()}
)
_PIECES = pa.schema(
    {
        "id": pa.string(),
        "source": pa.string(),
        "split_key": pa.string(),
        "given_split": pa.string(),
        "style": pa.string(),
        "excerpts": pa.int32(),
        "signature": pa.binary(4 * HASHES),
        "bars": pa.map_(pa.string(), pa.int32()),
        "rejections": pa.list_(_REJECTION),
    }
)


Chunk = Batch[Piece]
"""Consecutive pieces to cut."""


def chunk_path(folder: Path, chunk: Chunk) -> Path:
    """The file of a chunk."""
    return folder / f"chunk-{chunk.number:06d}.arrow"


@dataclass(frozen=True, kw_only=True)
class ReadChunk:
    """A chunk read back, as a memory map.

    Attributes:
        pieces: A row a piece.
        excerpts: A row an excerpt, or None without excerpts; `piece` is the piece's row.
    """

    pieces: pa.Table
    excerpts: pa.Table | None

    def take(self, rows: Int64[np.ndarray, " batch"]) -> pa.Table:
        """The excerpts of these ascending rows. Arrow's own `take` would copy the whole table."""
        assert self.excerpts is not None
        taken, first = [], 0
        for batch in self.excerpts.to_batches():
            last = first + batch.num_rows
            low, high = np.searchsorted(rows, (first, last))
            taken.append(batch.take(pa.array(rows[low:high] - first)))
            first = last
        return pa.Table.from_batches(taken)


def make_chunks(pieces: Iterable[Piece]) -> Iterator[Chunk]:
    """Divides pieces into chunks; the same pieces always in the same way."""
    number = 0
    row: list[Piece] = []
    room, held_bytes = 1.0, 0
    for piece in pieces:
        row.append(piece)
        room -= 1 / (MOST_PIECES if piece.kind in _QUICK_KINDS else MOST_SLOW_PIECES)
        held_bytes += piece.held_bytes
        if room < 1e-9 or held_bytes >= MOST_HELD_BYTES:
            yield Batch(number=number, items=tuple(row))
            number += 1
            row, room, held_bytes = [], 1.0, 0
    if row:
        yield Batch(number=number, items=tuple(row))


def cut_chunk(chunk: Chunk, settings: CutSettings, folder: Path, begin: Begin) -> None:
    """Cuts all pieces of a chunk and writes its file.

    Args:
        chunk: The pieces.
        settings: The settings of cutting.
        folder: The folder of the file.
        begin: See `musicvae.work.batch.Begin`; the items are the pieces.
    """
    _settle()
    pieces = chunk.items
    known = {number: reject_piece(*failure) for number, failure in chunk.failures.items()}
    rows = _PieceRows()
    path = chunk_path(folder, chunk)
    remove_unfinished(path)
    with new_file(path, is_durable=True) as unfinished, unfinished.open("wb") as file:
        excerpts = _ExcerptWriter(file, lambda: begin(len(pieces)))
        for result in cut_pieces(
            pieces, settings, known=known, one_by_one=chunk.is_single, begin=begin
        ):
            try:
                excerpts.add(len(rows), result.excerpts)
            except MemoryError:
                result = reject_for_memory()  # noqa: PLW2901  # drops the excerpts
            rows.add(result)
            del result  # before the next piece is cut
        begin(len(pieces))
        excerpts.close()
        with pa.ipc.new_stream(file, _PIECES) as stream:
            stream.write_table(rows.table(pieces))


@cache
def _settle() -> None:
    """Lets Python collect garbage seldom, and the C library keep the memory that arrays free.

    Cutting makes many small objects, nearly none in cycles. The hundred thousand objects of the
    modules are never garbage; checking them again and again would take an eighth of the time.
    Getting the memory of each group of pieces from the system again would take a tenth: glibc keeps
    twice the size of the largest block that was ever freed (see M_MMAP_THRESHOLD in mallopt(3)).
    """
    np.empty(_LARGE_BLOCK, np.uint8)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


def is_whole(path: Path) -> bool:
    """Whether the file of a chunk is there and whole; a broken file is removed."""
    if not path.exists():
        return False
    try:
        chunk = read_chunk(path)
    except (pa.ArrowException, OSError, EOFError):
        is_good = False
    else:
        # A stream may end between two batches and yet look whole.
        count = 0 if chunk.excerpts is None else chunk.excerpts.num_rows
        is_good = (
            chunk.pieces.schema.equals(_PIECES)
            and chunk.pieces.num_rows > 0
            and pc.sum(chunk.pieces["excerpts"]).as_py() == count
        )
        del chunk
    if not is_good:
        path.unlink(missing_ok=True)
    return is_good


def read_chunk(path: Path) -> ReadChunk:
    """Opens the file of a chunk."""
    file = pa.memory_map(str(path))
    tables = [pa.ipc.open_stream(file).read_all()]
    if file.tell() < file.size():
        tables.append(pa.ipc.open_stream(file).read_all())
    return ReadChunk(pieces=tables[-1], excerpts=tables[0] if len(tables) > 1 else None)


class _ExcerptWriter:
    """Writes excerpts in batches of some MiB.

    Args:
        file: The file; the first excerpts begin its stream.
        begin: Called before each write.
    """

    def __init__(self, file: BinaryIO, begin: Callable[[], None]) -> None:
        self._file = file
        self._begin = begin
        self._stream: pa.RecordBatchStreamWriter | None = None
        self._waiting: list[tuple[int, Excerpts]] = []
        self._waiting_bytes = 0

    def add(self, number: int, excerpts: Sequence[Excerpts]) -> None:
        """Adds the excerpts of the piece of a number.

        Raises:
            MemoryError: If memory is short; then nothing was added.
        """
        size = sum([each.events.nbytes for each in excerpts])
        if self._waiting_bytes + size > _BATCH_BYTES:
            self._flush()
        groups = [(number, each) for each in excerpts]
        if size > _BATCH_BYTES:
            # Part by part nothing is copied. All tables are made before the first is written.
            self._write([_excerpt_table([group]) for group in groups])
        else:
            self._waiting += groups
            self._waiting_bytes += size

    def close(self) -> None:
        """Writes the waiting excerpts, and ends the stream."""
        self._flush()
        if self._stream is not None:
            self._stream.close()

    def _flush(self) -> None:
        if self._waiting:
            self._write([_excerpt_table(self._waiting)])
            self._waiting, self._waiting_bytes = [], 0

    def _write(self, tables: Sequence[pa.Table]) -> None:
        self._begin()
        if self._stream is None:
            self._stream = pa.ipc.new_stream(self._file, tables[0].schema)
        for table in tables:
            self._stream.write_table(table)


class _PieceRows:
    """The pieces of a chunk without their excerpts, column by column."""

    def __init__(self) -> None:
        self._styles: list[str | None] = []
        self._counts: list[int] = []
        self._signatures: list[bytes | None] = []
        self._bars: list[tuple[str, int]] = []
        self._rejections: list[Rejection] = []
        self._bar_ends, self._rejection_ends = [0], [0]

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, result: CutPiece) -> None:
        """Adds the result of the next piece."""
        self._styles.append(result.style or None)
        self._counts.append(sum([len(each.events) for each in result.excerpts]))
        signature = result.signature
        self._signatures.append(None if signature is None else signature.tobytes())
        self._bars += result.bars.items()
        self._bar_ends.append(len(self._bars))
        self._rejections += result.rejections
        self._rejection_ends.append(len(self._rejections))

    def table(self, pieces: Sequence[Piece]) -> pa.Table:
        """A row a piece."""
        rejections = [
            pa.array(list(map(attrgetter(field.name), self._rejections)), field.type)
            for field in _REJECTION
        ]
        return pa.table(
            {
                "id": [piece.id for piece in pieces],
                "source": [piece.source for piece in pieces],
                "split_key": [piece.split_key for piece in pieces],
                "given_split": [piece.given_split for piece in pieces],
                "style": self._styles,
                "excerpts": self._counts,
                "signature": self._signatures,
                "bars": pa.MapArray.from_arrays(
                    pa.array(self._bar_ends, pa.int32()),
                    pa.array([meter for meter, _ in self._bars], pa.string()),
                    pa.array([count for _, count in self._bars], pa.int32()),
                ),
                "rejections": pa.ListArray.from_arrays(
                    pa.array(self._rejection_ends, pa.int32()),
                    pa.StructArray.from_arrays(rejections, fields=list(_REJECTION)),
                ),
            },
            schema=_PIECES,
        )


def _excerpt_table(groups: Sequence[tuple[int, Excerpts]]) -> pa.Table:
    """The excerpts of some pieces, each with the row of its piece."""
    excerpts = [group for _, group in groups]
    labels = [group.labels for group in excerpts]
    sizes = [len(group.events) for group in excerpts]
    each_group = np.repeat(np.arange(len(groups), dtype=np.int32), sizes)
    parts = pa.array([group.part for group in excerpts], pa.string())
    tonics = np.concatenate([each.tonics for each in labels])
    confidences = np.concatenate([each.key_confidences for each in labels])
    velocities = [group.velocities for group in excerpts if group.velocities is not None]
    are_minor = np.concatenate([each.are_minor for each in labels])
    return pa.table(
        {
            "piece": np.repeat(np.array([number for number, _ in groups], np.int32), sizes),
            "part": parts.take(pa.array(each_group)),
            "program": np.repeat(np.array([each.program for each in excerpts], np.int16), sizes),
            "start_bar": np.concatenate([each.start_bars for each in excerpts]),
            "shape": np.concatenate([each.shapes for each in excerpts]),
            "qpm": np.concatenate([each.qpms for each in labels]),
            "tonic": pa.array(tonics, pa.int8(), mask=tonics < 0),
            "is_minor": pa.array(are_minor == 1, pa.bool_(), mask=are_minor < 0),
            "key_confidence": pa.array(confidences, pa.float32(), mask=np.isnan(confidences)),
            "events": _lists([each.events for each in excerpts]),
            "attributes": _lists([each.attributes for each in labels]),
            "chords": _lists([each.chords for each in labels]),
            **({"velocities": _lists(velocities)} if velocities else {}),
        }
    )


def _lists(rows: Sequence[Shaped[np.ndarray, "..."]]) -> pa.FixedSizeListArray:
    """Rows of numbers as a column of lists of fixed size."""
    # A single array may be large, and is not copied.
    whole = rows[0] if len(rows) == 1 else np.concatenate(rows)
    width = int(np.prod(whole.shape[1:]))
    return pa.FixedSizeListArray.from_arrays(pa.array(whole.reshape(-1)), width)
