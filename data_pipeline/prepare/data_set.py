"""Writes a data set: the shards of the selected excerpts, then the manifest.

The shards are written to a folder of their own. A file beside them names their selection, so that
a run goes on at the next shard after another run was killed. When all shards are there, they are
renamed into the data set's folder, and the manifest comes last.
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

from musicvae.data import shards
from musicvae.data.manifest import (
    COMMON_SUFFIX,
    MANIFEST_NAME,
    Manifest,
    Source,
    Split,
    hash_content,
    load_manifest,
    save_manifest,
)
from musicvae.data_pipeline.choose.dedupe import COMMON, KEPT
from musicvae.data_pipeline.choose.selection import ChosenRows, Selection
from musicvae.data_pipeline.sources.corpus import CorpusSource
from musicvae.errors import DataError
from musicvae.representation import Representation

REPORT_NAME = "report.html"
"""The page that `musicvae report` writes into a data set's folder."""

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
    """Writes the selected excerpts as a data set.

    Args:
        selection: The kept excerpts.
        sources: The sources of the music.
        representation: The representation of the tensors.
        settings: The other settings, for the manifest.
        work: The folder of the shards until all are there.
        out: The folder of the data set.
    """
    new = work / _SHARDS_FOLDER
    _go_on(new, _hash_selection(selection))
    if not (new / MANIFEST_NAME).exists():
        save_manifest(_write_shards(selection, sources, representation, settings, new), new)
    return _put_in_place(new, out)


def abandon(work: Path, out: Path) -> None:
    """Removes the folder of another run's work, with the shards that it had put in place.

    A folder of another version and any other file are removed, too.
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
    """Makes the folder of the shards, or keeps it if it is of the same selection."""
    mark = new / _SELECTION_NAME
    if mark.exists() and mark.read_text() == selected:
        return
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    mark.write_text(selected)


def _hash_selection(selection: Selection) -> str:
    """A hash that changes when other excerpts are selected, or from other chunks."""
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
    """Writes the missing shards, and gives the manifest."""
    columns = _columns(representation, selection)
    splits: dict[str, Split] = {}
    excerpts: dict[str, Counter[str]] = {}
    pieces_used: Counter[str] = Counter()
    written = [(name, side, KEPT) for side, name in enumerate(selection.splits)]
    written += [(name + COMMON_SUFFIX, side, COMMON) for name, side, _ in written]
    for name, side, outcome in written:
        writer = shards.SplitWriter(new, name, columns, goes_on=True)
        counts: Counter[str] = Counter()
        standing = writer.excerpts
        for chosen in selection.choose(side, outcome):
            for source, count in _count_pieces(chosen):
                counts[source] += count
                pieces_used[source] += outcome == KEPT
            if standing < len(chosen.rows):
                writer.add(_take(chosen, standing))
            standing = max(standing - len(chosen.rows), 0)
        split = writer.close()
        if split.excerpts or outcome == KEPT:
            splits[name], excerpts[name] = split, counts
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
                fingerprint=source.fingerprint(),
                excerpts={name: counts[source.name] for name, counts in excerpts.items()},
            )
            for source in sources
        ),
        rejections=selection.rejections.entries(),
        clusters=selection.clusters,
        meters=selection.meters,
        content_hash=hash_content(config, splits),
    )


def _put_in_place(new: Path, out: Path) -> Manifest:
    """Renames the shards into the data set's folder, and the manifest last."""
    manifest = load_manifest(new)
    if (out / MANIFEST_NAME).exists():
        (out / REPORT_NAME).unlink(missing_ok=True)
    shards.clear(out)
    for name in _shard_names(manifest):
        if (new / name).exists():  # otherwise a run that was killed has put it in place
            (new / name).replace(out / name)
    (new / MANIFEST_NAME).replace(out / MANIFEST_NAME)
    return manifest


def _shard_names(manifest: Manifest) -> list[str]:
    return [shard.name for split in manifest.splits.values() for shard in split.shards]


def _columns(representation: Representation, selection: Selection) -> pa.Schema:
    first = next(selection.choose(0)).chunk.excerpts
    assert first is not None, "chunks without excerpts are passed over"
    has_velocities = "velocities" in first.schema.names
    return shards.schema(
        (representation.bars * representation.rows_per_bar, len(representation.vocabulary_sizes)),
        attributes=first.schema.field("attributes").type.list_size,
        chords=first.schema.field("chords").type.list_size,
        velocities=first.schema.field("velocities").type.list_size if has_velocities else 0,
    )


def _count_pieces(chosen: ChosenRows) -> list[tuple[str, int]]:
    """The source of each piece of these excerpts, and the number of its excerpts."""
    excerpts = chosen.chunk.excerpts
    assert excerpts is not None
    counts = np.bincount(excerpts["piece"].to_numpy()[chosen.rows])
    pieces = np.flatnonzero(counts)
    sources = chosen.chunk.pieces["source"].take(pa.array(pieces)).to_pylist()
    return list(zip(sources, counts[pieces].tolist(), strict=True))


def _take(chosen: ChosenRows, first: int) -> pa.Table:
    """These excerpts from a number on, with the facts of their pieces."""
    excerpts = chosen.chunk.take(chosen.rows[first:])
    names = ("id", "source", "style")
    pieces = chosen.chunk.pieces.select(names).take(excerpts["piece"])
    for name in names:
        excerpts = excerpts.append_column(f"piece_{name}", pieces[name])
    excerpts = excerpts.append_column("count", pa.array(chosen.counts[first:], pa.int32()))
    kept = excerpts.drop_columns(["piece", "shape"])
    renamed = {"piece_id": "piece", "piece_source": "source", "piece_style": "style"}
    return kept.rename_columns([renamed.get(name, name) for name in kept.column_names])
