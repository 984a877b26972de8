"""Prepared data sets of given tensors, without any music."""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from musicvae.data import shards
from musicvae.data.manifest import Manifest, hash_content, save_manifest


def table_of(events, **columns):
    """Examples as a table of a shard's columns; what is not given is unknown."""
    count, steps, streams = events.shape
    attributes = np.asarray(columns.pop("attributes", np.zeros((count, 5))), np.float32)
    chords = np.asarray(columns.pop("chords", np.full((count, 4), -1)), np.int16)
    lists = {"events": events.astype(np.int16), "attributes": attributes, "chords": chords}
    if "velocities" in columns:
        lists["velocities"] = np.asarray(columns.pop("velocities"), np.int8)
    columns = {
        "piece": [str(row) for row in range(count)],
        "source": [""] * count,
        "part": [""] * count,
        "style": [None] * count,
        "program": [0] * count,
        "start_bar": [0] * count,
        "count": [1] * count,
        "qpm": [120.0] * count,
        "tonic": [None] * count,
        "is_minor": [None] * count,
        "key_confidence": [None] * count,
        **columns,
    }
    schema = shards.schema(
        (steps, streams),
        **{name: lists[name].shape[1] for name in lists if name != "events"},
    )
    arrays = {
        name: pa.FixedSizeListArray.from_arrays(
            pa.array(values.reshape(-1)), int(np.prod(values.shape[1:]))
        )
        for name, values in lists.items()
    }
    return pa.table({**columns, **arrays}, schema=schema.remove_metadata()).select(schema.names)


def write_split(directory, split, table, shape):
    """Writes one split."""
    schema = shards.schema(
        shape,
        attributes=table.schema.field("attributes").type.list_size,
        chords=table.schema.field("chords").type.list_size,
        velocities=steps_of_velocities(table),
    )
    writer = shards.SplitWriter(directory, split, schema)
    writer.add(table)
    return writer.close()


def steps_of_velocities(table):
    has_velocities = "velocities" in table.column_names
    return table.schema.field("velocities").type.list_size if has_velocities else 0


def write_set(directory, representation, tables, *, sources=(), rejections=(), **fields):
    """Writes a data set of these tables by split, and returns its manifest."""
    directory.mkdir(parents=True, exist_ok=True)
    config = representation.config()
    shape = (representation.length_steps, len(representation.vocabulary_sizes))
    splits = {name: write_split(directory, name, table, shape) for name, table in tables.items()}
    manifest = Manifest(
        representation=config,
        settings={},
        splits=splits,
        sources=tuple(sources),
        rejections=tuple(rejections),
        content_hash=hash_content(config, splits),
    )
    manifest = replace(manifest, **fields)
    save_manifest(manifest, directory)
    return manifest
