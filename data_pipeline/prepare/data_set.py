"""Writes a data set: the shards of what was selected, then the manifest, in the old set's place.

The shards are written to a folder of their own, as they fill; beside them stands what selection
they are of, so that a run that was killed goes on at the next shard. When all are there the old
data set goes, its manifest first, they are renamed into its place, and the new manifest comes last.
"""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Int64

from musicvae.data import shards
from musicvae.data.manifest import (
    MANIFEST_NAME,
    Manifest,
    Source,
    Split,
    hash_content,
    load_manifest,
    save_manifest,
)
from musicvae.data_pipeline.choose.selection import Selection
from musicvae.data_pipeline.cut.chunks import ReadChunk
from musicvae.data_pipeline.sources.corpus import CorpusSource
from musicvae.errors import DataError
from musicvae.representation import Representation

REPORT_NAME = "report.html"
"""The page that `musicvae report` makes of a data set, in its folder."""

_SHARDS_FOLDER = "shards"
_SELECTION_NAME = "selection"


def write_data_set(
    selection: Selection,
    sources: Sequence[CorpusSource],
    representation: Representation,
    settings: Mapping[str, object],
    work: Path,
    out: Path,
) -> Manifest:
    """Writes what was selected, in place of the data set in `out` if there is one.

    Args:
        selection: What is kept.
        sources: What it is of.
        representation: What the tensors are of.
        settings: The other settings, for the manifest.
        work: Where the shards are until all are there.
        out: The folder of the data set.
    """
    new = work / _SHARDS_FOLDER
    _go_on(new, _hash_selection(selection))
    if not (new / MANIFEST_NAME).exists():
        save_manifest(_write_shards(selection, sources, representation, settings, new), new)
    return _put_in_place(new, out)


def abandon(work: Path, out: Path) -> None:
    """Removes a folder of work, with what was put in place of it if that is no data set yet.

    What another version left goes as it is, and so does a file that something else put there.
    """
    if work.is_symlink() or not work.is_dir():
        work.unlink()
        return
    new = work / _SHARDS_FOLDER
    if (new / MANIFEST_NAME).exists() and not (out / MANIFEST_NAME).exists():
        with suppress(DataError):
            for name in _shard_names(load_manifest(new)):
                (out / name).unlink(missing_ok=True)
    shutil.rmtree(work)


def _go_on(new: Path, selected: str) -> None:
    """Makes the folder of the shards, or leaves it as it is where it is of the same selection."""
    mark = new / _SELECTION_NAME
    if mark.exists() and mark.read_text() == selected:
        return
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    mark.write_text(selected)


def _hash_selection(selection: Selection) -> str:
    """Changes when other excerpts are selected, or from other chunks."""
    states = [[path.name, *_state(path)] for path in selection.chunks]
    digest = hashlib.blake2b(json.dumps([list(selection.splits), states]).encode(), digest_size=16)
    digest.update(selection.sides.data)
    with selection.outcomes.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _state(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_size, state.st_mtime_ns


def _write_shards(
    selection: Selection,
    sources: Sequence[CorpusSource],
    representation: Representation,
    settings: Mapping[str, object],
    new: Path,
) -> Manifest:
    """Writes the shards that are not there yet."""
    columns = _columns(representation, selection)
    splits: dict[str, Split] = {}
    excerpts: dict[str, Counter[str]] = {}
    pieces_used: Counter[str] = Counter()
    for side, name in enumerate(selection.splits):
        writer = shards.SplitWriter(new, name, columns, goes_on=True)
        excerpts[name] = Counter()
        standing = writer.excerpts
        for chunk, rows in selection.kept(side):
            for source, count in _count_pieces(chunk, rows):
                excerpts[name][source] += count
                pieces_used[source] += 1
            if standing < len(rows):
                writer.add(_take(chunk, rows[standing:]))
            standing = max(standing - len(rows), 0)
        splits[name] = writer.close()
    config = representation.config()
    return Manifest(
        representation=config,
        settings=dict(settings),
        splits=splits,
        sources=tuple(
            Source(
                name=source.name,
                licence=source.licence,
                pieces=source.piece_count,
                pieces_used=pieces_used[source.name],
                skipped_files=sum(rejection.count for rejection in source.rejected_files),
                fingerprint=source.fingerprint,
                excerpts={name: excerpts[name][source.name] for name in selection.splits},
            )
            for source in sources
        ),
        rejections=selection.rejections.entries(),
        clusters=selection.clusters,
        meters=selection.meters,
        content_hash=hash_content(config, splits),
    )


def _put_in_place(new: Path, out: Path) -> Manifest:
    """Renames the shards into the place of the old data set, and the manifest last."""
    manifest = load_manifest(new)
    if (out / MANIFEST_NAME).exists():
        (out / REPORT_NAME).unlink(missing_ok=True)
    shards.clear(out)
    for name in _shard_names(manifest):
        if (new / name).exists():  # else it was put in place by a run that was killed then
            (new / name).replace(out / name)
    (new / MANIFEST_NAME).replace(out / MANIFEST_NAME)
    return manifest


def _shard_names(manifest: Manifest) -> list[str]:
    return [shard.name for split in manifest.splits.values() for shard in split.shards]


def _columns(representation: Representation, selection: Selection) -> pa.Schema:
    first = next(chunk for chunk, _ in selection.kept(0)).excerpts
    assert first is not None, "chunks without excerpts are passed over"
    return shards.schema(
        (representation.bars * representation.rows_per_bar, len(representation.vocabulary_sizes)),
        attributes=first.schema.field("attributes").type.list_size,
        chords=first.schema.field("chords").type.list_size,
    )


def _count_pieces(chunk: ReadChunk, rows: Int64[np.ndarray, " batch"]) -> list[tuple[str, int]]:
    """The source of each piece that these excerpts are of, and how many of them are of it."""
    assert chunk.excerpts is not None
    counts = np.bincount(chunk.excerpts["piece"].to_numpy()[rows])
    pieces = np.flatnonzero(counts)
    sources = chunk.pieces["source"].take(pa.array(pieces)).to_pylist()
    return list(zip(sources, counts[pieces].tolist(), strict=True))


def _take(chunk: ReadChunk, rows: Int64[np.ndarray, " batch"]) -> pa.Table:
    """Some excerpts of a chunk, with what is known of their pieces."""
    excerpts = chunk.take(rows)
    names = ("id", "source", "style")
    pieces = chunk.pieces.select(names).take(excerpts["piece"])
    for name in names:
        excerpts = excerpts.append_column(f"piece_{name}", pieces[name])
    kept = excerpts.drop_columns(["piece", "shape"])
    renamed = {"piece_id": "piece", "piece_source": "source", "piece_style": "style"}
    return kept.rename_columns([renamed.get(name, name) for name in kept.column_names])
