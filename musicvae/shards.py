"""Prepared examples on disk: Parquet shards of event tensors and the manifest beside them.

A prepared folder holds `{split}-00000.parquet` and so on, and `manifest.json`, which is written
last and by a rename: a folder without it is no data set, however many shards lie there. A shard's
columns are `events` (the excerpt's steps times streams, step by step, as a list of fixed size),
`piece`, `source`, `part`, `start_bar`, `qpm`, and `tonic` and `is_minor`, which are null where the
key is not known. Any Parquet reader opens it; a tensor's shape stands in the schema's metadata.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Int16, Shaped
from pydantic import TypeAdapter, ValidationError

from musicvae.errors import DataError

FORMAT_VERSION = 1
MANIFEST_NAME = "manifest.json"
ROWS_PER_SHARD = 65_536
"""Four megabytes of two-bar melodies: few files, and each is read at once."""

_OURS = re.compile(r"[a-z][a-z_0-9]*-\d{5}\.(parquet|partial)|manifest\.json\.partial")

_COLUMNS = ("piece", "source", "part")


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where one excerpt came from.

    Attributes:
        piece: The id of its piece, unique in the data set.
        source: The name of the input that the piece was found in.
        part: The track or staff within the piece.
        start_bar: The bar of the piece it starts at, from 0.
        qpm: Quarter notes a minute.
        tonic: The key's pitch class, or None where the key is not known.
        is_minor: The key's mode, or None where the key is not known.
    """

    piece: str
    source: str
    part: str
    start_bar: int
    qpm: float
    tonic: int | None = None
    is_minor: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Split:
    """One side of the split: how much it holds and in which files.

    Attributes:
        pieces: The number of pieces with at least one excerpt.
        excerpts: The number of excerpts.
        content_hash: SHA-256 of the events of all its excerpts, in order.
        files: The shards' names, in order.
    """

    pieces: int
    excerpts: int
    content_hash: str
    files: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Source:
    """One input: what it may be used for, and what came of it.

    Attributes:
        name: A folder's or file's own name, or `music21:NAME`.
        licence: The licence as its owner states it, or None where nothing was found.
        pieces: The number of pieces found.
        pieces_used: The number of pieces with at least one excerpt.
        excerpts: The number of excerpts by split.
    """

    name: str
    licence: str | None
    pieces: int
    pieces_used: int
    excerpts: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Example:
    """One thing that was rejected, and what about it was found."""

    piece: str
    found: str


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """One reason for leaving something out, with its count.

    Attributes:
        stage: What was left out: a `piece`, a `part` of one, a `bar`, or an `excerpt`.
        reason: The reason's name.
        count: How many pieces, parts, bars or excerpts.
        sources: The same count by source.
        examples: A few of them from each source.
    """

    stage: str
    reason: str
    count: int
    sources: dict[str, int]
    examples: tuple[Example, ...]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a prepared data set is: enough to judge it without opening a shard.

    Attributes:
        format_version: The version of this format.
        representation: `Representation.config()` of the tensors.
        settings: How the set was prepared, with what thresholds and which versions of software.
        splits: By name.
        sources: In the order they were given.
        rejections: Every reason, the most frequent first within its stage.
        content_hash: SHA-256 over the representation and every split's content: equal for equal
            examples, whatever machine, path or number of workers they were made with.
    """

    format_version: int = FORMAT_VERSION
    representation: dict[str, object]
    settings: dict[str, object]
    splits: dict[str, Split]
    sources: tuple[Source, ...]
    rejections: tuple[Rejection, ...]
    content_hash: str


@dataclass(frozen=True, kw_only=True)
class ExampleSet:
    """The examples of one split, in memory.

    Attributes:
        events: All tensors.
        pieces: The id of each example's piece.
        sources: The name of each example's source.
        start_bars: The bar of its piece at which each example starts.
    """

    events: Int16[np.ndarray, "batch step stream"]
    pieces: Shaped[np.ndarray, " batch"]
    sources: Shaped[np.ndarray, " batch"]
    start_bars: Shaped[np.ndarray, " batch"]

    def __len__(self) -> int:
        return len(self.events)


def write_split(
    directory: Path,
    split: str,
    events: Int16[np.ndarray, "batch step stream"],
    provenance: list[Provenance],
) -> Split:
    """Writes the examples of one split as shards, each by a rename, and says what was written."""
    assert len(events) == len(provenance)
    files = []
    for number, start in enumerate(range(0, len(events), ROWS_PER_SHARD)):
        name = f"{split}-{number:05d}.parquet"
        rows = slice(start, start + ROWS_PER_SHARD)
        _write_shard(directory / name, events[rows], provenance[rows])
        files.append(name)
    return Split(
        pieces=len({row.piece for row in provenance}),
        excerpts=len(events),
        content_hash=_hash_events(events),
        files=tuple(files),
    )


def clear(directory: Path) -> None:
    """Takes away a data set and what an interrupted run left; the manifest goes first."""
    (directory / MANIFEST_NAME).unlink(missing_ok=True)
    for path in directory.iterdir():
        if _OURS.fullmatch(path.name):
            path.unlink()


def load(directory: Path, split: str) -> ExampleSet:
    """Reads one split of a prepared data set whole.

    Raises:
        DataError: If the data set or the split is not there, or is not what its manifest says.
    """
    manifest = load_manifest(directory)
    if split not in manifest.splits:
        raise DataError(
            f"no split {split!r} in {directory}",
            expected=f"one of {', '.join(manifest.splits) or 'none'}",
            action="Name one of these, or prepare the data again with that split.",
            field="split",
        )
    summary = manifest.splits[split]
    tables = [_read_shard(directory / name) for name in summary.files]
    if not tables:
        raise DataError(
            f"the split {split!r} of {directory} is empty",
            expected="at least one example",
            action="Prepare the data again with a larger share for it, or from more pieces.",
            field="split",
        )
    steps, streams = json.loads(tables[0].schema.metadata[b"shape"])
    table = pa.concat_tables(tables).combine_chunks()
    column = table["events"].combine_chunks()
    events = column.flatten().to_numpy(zero_copy_only=True).reshape(-1, steps, streams)
    if len(events) != summary.excerpts or _hash_events(events) != summary.content_hash:
        raise _damaged(directory, f"examples of {split!r} that differ from the manifest's")
    return ExampleSet(
        events=events,
        pieces=_strings(table["piece"]),
        sources=_strings(table["source"]),
        start_bars=table["start_bar"].to_numpy(),
    )


def save_manifest(manifest: Manifest, directory: Path) -> None:
    """Writes the manifest by a rename: from then on the folder is a whole data set."""
    text = json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n"
    partial = directory / f"{MANIFEST_NAME}.partial"
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(directory / MANIFEST_NAME)


def load_manifest(directory: Path) -> Manifest:
    """Reads the manifest of a prepared data set.

    Raises:
        DataError: If there is none, if it is damaged, or if it is of another version.
    """
    try:
        fields = json.loads((directory / MANIFEST_NAME).read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataError(
            f"no {MANIFEST_NAME} in {directory}",
            expected="a folder that `musicvae prepare` finished",
            action="Run `musicvae prepare`, to the end if it was interrupted.",
            field="data",
        ) from error
    except (OSError, ValueError) as error:
        raise _damaged(directory, f"an unreadable manifest ({error})") from error
    version = fields.get("format_version") if isinstance(fields, dict) else None
    if version != FORMAT_VERSION:
        raise DataError(
            f"a data set of format {version} in {directory}",
            expected=f"format {FORMAT_VERSION}",
            action="Prepare the data again with this version of musicvae.",
            field="data",
        )
    try:
        return TypeAdapter(Manifest).validate_python(fields)
    except ValidationError as error:
        raise _damaged(directory, f"a manifest with wrong fields ({error.errors()[0]})") from error


def hash_content(representation: Mapping[str, object], splits: Mapping[str, Split]) -> str:
    """The hash of a whole data set: of its representation and of every split's events."""
    content = {name: split.content_hash for name, split in splits.items()}
    text = json.dumps([dict(representation), content], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _hash_events(events: Int16[np.ndarray, "batch step stream"]) -> str:
    return hashlib.sha256(np.ascontiguousarray(events, dtype="<i2").data).hexdigest()


def _write_shard(
    path: Path, events: Int16[np.ndarray, "batch step stream"], provenance: list[Provenance]
) -> None:
    shape = events.shape[1:]
    values = pa.array(np.ascontiguousarray(events).reshape(-1), pa.int16())
    columns: dict[str, pa.Array] = {
        "events": pa.FixedSizeListArray.from_arrays(values, int(np.prod(shape)))
    }
    for name in _COLUMNS:
        column = pa.array([getattr(row, name) for row in provenance], pa.string())
        columns[name] = column.dictionary_encode()
    columns["start_bar"] = pa.array([row.start_bar for row in provenance], pa.int32())
    columns["qpm"] = pa.array([row.qpm for row in provenance], pa.float32())
    columns["tonic"] = pa.array([row.tonic for row in provenance], pa.int8())
    columns["is_minor"] = pa.array([row.is_minor for row in provenance], pa.bool_())
    table = pa.table(columns).replace_schema_metadata({"shape": json.dumps(shape)})
    partial = path.with_suffix(".partial")
    pq.write_table(table, partial, compression="zstd")
    partial.replace(path)


def _read_shard(path: Path) -> pa.Table:
    try:
        return pq.read_table(path, read_dictionary=list(_COLUMNS))
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path.parent, f"a shard {path.name} that can't be read") from error


def _strings(column: pa.ChunkedArray) -> Shaped[np.ndarray, " batch"]:
    """The strings of a dictionary column; equal ones are one object."""
    encoded = column.unify_dictionaries().combine_chunks()
    names = np.array(encoded.dictionary.to_pylist(), dtype=object)
    strings: Shaped[np.ndarray, " batch"] = names[encoded.indices.to_numpy()]
    return strings


def _damaged(directory: Path, found: str) -> DataError:
    return DataError(
        f"{found} in {directory}",
        expected="the files as `musicvae prepare` left them",
        action="Prepare the data again.",
        field="data",
    )
