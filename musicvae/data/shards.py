"""Prepared examples on disk: Arrow shards of event tensors.

A prepared folder holds `{split}-00000.arrow` and so on beside its manifest. A shard is an
uncompressed Arrow IPC file of one record batch, so that a memory map gives the arrays. `schema`
lists the columns; the schema's metadata holds a tensor's shape.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
from jaxtyping import Int, Int8, Int16, Shaped

from musicvae.data.manifest import MANIFEST_NAME, Shard, Split, damaged, load_manifest
from musicvae.errors import DataError
from musicvae.files import new_file

SHARD_BYTES = 64 * 1024**2
"""The size of a shard's tensors and other arrays; writing holds one shard in memory."""

_NAMES = pa.dictionary(pa.int32(), pa.string())


def schema(
    shape: tuple[int, int], *, attributes: int = 0, chords: int = 0, velocities: int = 0
) -> pa.Schema:
    """The columns of a shard.

    Args:
        shape: Steps and streams of a tensor; its events are stored step by step.
        attributes: The number of attributes, in the order of
            `musicvae.music.attributes.ATTRIBUTES`; NaN where an attribute does not apply.
        chords: The number of chords of an excerpt, one at the start and one at the middle of each
            bar: events of `musicvae.representation.chords`, -1 for an unknown chord.
        velocities: The number of steps of a melody, whose loudness is kept: the velocity at each
            onset, 0 elsewhere, and 0 everywhere where the source has no dynamics. 0 for no such
            column.

    `style` is null if the source names no style; `tonic`, `is_minor` and `key_confidence` are null
    if the key is not known. `count` is the number of excerpts of the split, dropped copies
    included, that equal the excerpt up to transposition.
    """
    loudness = pa.list_(pa.int8(), velocities)
    return pa.schema(
        [
            pa.field("events", pa.list_(pa.int16(), shape[0] * shape[1]), nullable=False),
            pa.field("piece", _NAMES, nullable=False),
            pa.field("source", _NAMES, nullable=False),
            pa.field("part", _NAMES, nullable=False),
            pa.field("style", _NAMES),
            pa.field("program", pa.int16(), nullable=False),
            pa.field("start_bar", pa.int32(), nullable=False),
            pa.field("count", pa.int32(), nullable=False),
            pa.field("qpm", pa.float32(), nullable=False),
            pa.field("tonic", pa.int8()),
            pa.field("is_minor", pa.bool_()),
            pa.field("key_confidence", pa.float32()),
            pa.field("attributes", pa.list_(pa.float32(), attributes), nullable=False),
            pa.field("chords", pa.list_(pa.int16(), chords), nullable=False),
            *([pa.field("velocities", loudness, nullable=False)] if velocities else []),
        ],
        metadata={"shape": json.dumps(shape)},
    )


@runtime_checkable  # the checker of jaxtyping needs it
class Events(Protocol):
    """The tensors of many examples: an array, or several arrays that are read as one."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __len__(self) -> int: ...
    def __getitem__(
        self, rows: slice | Int[np.ndarray, " batch"], /
    ) -> Int16[np.ndarray, "batch step stream"]: ...


class ShardedEvents:
    """The events of several shards, each a memory map, as one array; rows are read on demand."""

    def __init__(self, shards: Sequence[Int16[np.ndarray, "_ step stream"]]) -> None:
        self._shards = tuple(shards)
        self._starts = np.cumsum([0, *map(len, self._shards)])
        self.shape = (int(self._starts[-1]), *self._shards[0].shape[1:])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(
        self, rows: slice | Int[np.ndarray, " batch"]
    ) -> Int16[np.ndarray, "batch step stream"]:
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)))
        rows = np.where(rows < 0, rows + len(self), rows)
        places = np.searchsorted(self._starts, rows, side="right") - 1
        events = np.empty((len(rows), *self.shape[1:]), np.int16)
        for number in np.unique(places):
            here = np.flatnonzero(places == number)
            events[here] = self._shards[number][rows[here] - self._starts[number]]
        return events


@dataclass(frozen=True, kw_only=True)
class ExampleSet:
    """The examples of one split, as memory maps of its shards.

    Attributes:
        events: All tensors.
        table: All columns.
    """

    events: Events
    table: pa.Table

    def __len__(self) -> int:
        return len(self.events)

    @property
    def pieces(self) -> Shaped[np.ndarray, " batch"]:
        """The id of each example's piece; equal ids are one object."""
        return _strings(self.table["piece"])

    @property
    def sources(self) -> Shaped[np.ndarray, " batch"]:
        """The name of each example's source; equal names are one object."""
        return _strings(self.table["source"])

    @property
    def start_bars(self) -> Int[np.ndarray, " batch"]:
        """The bar of its piece at which each example starts."""
        bars: Int[np.ndarray, " batch"] = self.table["start_bar"].to_numpy()
        return bars

    @property
    def counts(self) -> Int[np.ndarray, " batch"]:
        """How often each example occurs in its split; 1 in sets of earlier versions."""
        if "count" not in self.table.column_names:
            return np.ones(len(self), np.int32)
        counts: Int[np.ndarray, " batch"] = self.table["count"].to_numpy()
        return counts

    @property
    def velocities(self) -> Int8[np.ndarray, "batch step"]:
        """The velocities of each example, see `schema`; no steps in sets without them."""
        if "velocities" not in self.table.column_names:
            return np.zeros((len(self), 0), np.int8)
        lists = self.table["velocities"]
        flat = np.concatenate([chunk.flatten().to_numpy() for chunk in lists.chunks])
        velocities: Int8[np.ndarray, "batch step"] = flat.reshape(len(self), lists.type.list_size)
        return velocities

    def columns(self, names: Sequence[str], rows: Int[np.ndarray, " batch"]) -> pa.Table:
        """Some columns of some rows, in the given order."""
        return self.table.select(list(names)).take(rows)


class SplitWriter:
    """Writes the examples of one split: each full shard at once, by a rename.

    Args:
        directory: The folder of the shards.
        split: The split's name.
        columns: The columns, by `schema`.
        goes_on: Whether to keep the split's shards in the folder as its first shards.

    Attributes:
        excerpts: The number of excerpts in shards; `add` takes the next excerpts.
    """

    def __init__(
        self, directory: Path, split: str, columns: pa.Schema, *, goes_on: bool = False
    ) -> None:
        self._directory = directory
        self._split = split
        self._columns = columns
        lists = [field.type for field in columns if pa.types.is_fixed_size_list(field.type)]
        row_bytes = sum(each.list_size * each.value_type.bit_width // 8 for each in lists)
        self._rows_per_shard = max(1, SHARD_BYTES // row_bytes)
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self._pieces = 0
        self._last_piece: str | None = None
        self._content = hashlib.sha256()
        self._shards: list[Shard] = []
        self.excerpts = 0
        while goes_on and (path := self._next_path()).exists():
            try:
                batch = pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
            except (OSError, pa.ArrowException):
                break  # this shard and all later shards are written anew
            self._count(path, batch)

    def add(self, table: pa.Table) -> None:
        """Adds examples, piece after piece; columns of names may be strings."""
        while table.num_rows:
            part = table.slice(0, self._rows_per_shard - self._waiting_rows)
            table = table.slice(part.num_rows)
            self._waiting.append(part)
            self._waiting_rows += part.num_rows
            if self._waiting_rows == self._rows_per_shard:
                self._flush()

    def close(self) -> Split:
        """Writes the waiting examples, and describes the split."""
        if self._waiting_rows:
            self._flush()
        return Split(
            pieces=self._pieces,
            excerpts=self.excerpts,
            content_hash=self._content.hexdigest(),
            shards=tuple(self._shards),
        )

    def _next_path(self) -> Path:
        return self._directory / f"{self._split}-{len(self._shards):05d}.arrow"

    def _flush(self) -> None:
        whole = pa.concat_tables(self._waiting)
        self._waiting, self._waiting_rows = [], 0
        columns = [_fit(whole[field.name], field) for field in self._columns]
        batch = pa.record_batch(columns, schema=self._columns)
        path = self._next_path()
        with (
            new_file(path, is_durable=True) as unfinished,
            pa.OSFile(str(unfinished), "wb") as file,
            pa.ipc.new_file(file, self._columns) as writer,
        ):
            writer.write_batch(batch)
        self._count(path, batch)

    def _count(self, path: Path, batch: pa.RecordBatch) -> None:
        """Counts a written shard."""
        self._content.update(_events_of(batch).data)
        pieces = batch["piece"].dictionary
        self._pieces += len(pieces) - (pieces[0].as_py() == self._last_piece)
        self._last_piece = pieces[-1].as_py()
        self.excerpts += batch.num_rows
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        self._shards.append(
            Shard(
                name=path.name,
                excerpts=batch.num_rows,
                size_bytes=path.stat().st_size,
                sha256=sha256,
            )
        )


def clear(directory: Path) -> None:
    """Removes the data set in a folder, if there is one: the manifest first, then its shards."""
    if not (directory / MANIFEST_NAME).exists():
        return
    manifest = load_manifest(directory)
    (directory / MANIFEST_NAME).unlink()
    for split in manifest.splits.values():
        for shard in split.shards:
            (directory / shard.name).unlink(missing_ok=True)


def load(directory: Path, split: str) -> ExampleSet:
    """Opens one split of a prepared data set.

    Every shard is compared with the manifest's hash, once in a process.

    Raises:
        DataError: If the data set or the split is missing, or differs from its manifest.
    """
    manifest = load_manifest(directory)
    if split not in manifest.splits:
        raise DataError(
            f"no split {split!r} in {directory}",
            expected=f"one of {', '.join(manifest.splits) or 'none'}",
            action="Name a split of the set, or prepare the data again with that split.",
            field="split",
        )
    shards = manifest.splits[split].shards
    if not shards:
        raise DataError(
            f"the split {split!r} of {directory} is empty",
            expected="at least one example",
            action="Prepare the data again with a larger share for it, or from more pieces.",
            field="split",
        )
    batches = [_read_shard(directory, shard) for shard in shards]
    events = [_events_of(batch) for batch in batches]
    return ExampleSet(
        events=events[0] if len(events) == 1 else ShardedEvents(events),
        table=pa.Table.from_batches(batches),
    )


def _read_shard(directory: Path, shard: Shard) -> pa.RecordBatch:
    path = directory / shard.name
    try:
        state = path.stat()
        is_whole = state.st_size == shard.size_bytes and (
            _hash_file(path, (state.st_size, state.st_mtime_ns)) == shard.sha256
        )
        if not is_whole:
            raise damaged(directory, f"a shard {shard.name} that differs from the manifest's")
        return pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
    except (OSError, pa.ArrowException) as error:
        raise damaged(directory, f"a shard {shard.name} that can't be read") from error


@lru_cache(maxsize=4096)
def _hash_file(path: Path, _state: tuple[int, int]) -> str:
    """The hash of a file; the state, its size and time of change, is a key of the cache."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _events_of(batch: pa.RecordBatch) -> Int16[np.ndarray, "batch step stream"]:
    steps, streams = json.loads(batch.schema.metadata[b"shape"])
    flat = batch["events"].flatten().to_numpy(zero_copy_only=True)
    events: Int16[np.ndarray, "batch step stream"] = flat.reshape(-1, steps, streams)
    return events


def _fit(column: pa.ChunkedArray, field: pa.Field) -> pa.Array:
    """A column in its field's type; names in the order of their first rows."""
    if field.type == _NAMES:
        plain = column.cast(pa.string()).combine_chunks()
        column = pa.chunked_array([plain]).dictionary_encode()
    return column.cast(field.type).combine_chunks()


def _strings(column: pa.ChunkedArray) -> Shaped[np.ndarray, " batch"]:
    """The strings of a dictionary column; equal strings are one object."""
    encoded = column.unify_dictionaries().combine_chunks()
    names = np.array(encoded.dictionary.to_pylist(), dtype=object)
    strings: Shaped[np.ndarray, " batch"] = names[encoded.indices.to_numpy()]
    return strings
