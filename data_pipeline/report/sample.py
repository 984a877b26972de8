"""A random sample of a prepared data set, for the histograms and the player of the page.

The counts of a page are exact and come from the manifest. The excerpts themselves are only sampled,
so that a page of a million excerpts takes as long as a page of ten thousand.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from musicvae.data import shards
from musicvae.data.manifest import Manifest, Split
from musicvae.music.notes import Key, NoteSequence
from musicvae.representation import Representation

MOST_STEPS = 80_000
"""Steps of the sample of one split: 2,500 excerpts of two bars of 4/4, or 312 of sixteen. Shares
are then known within one to three percentage points, and a page takes about 2 s."""

_COLUMNS = (
    *("piece", "source", "part", "style", "start_bar", "qpm"),
    *("tonic", "is_minor", "key_confidence", "attributes"),
)


@dataclass(frozen=True, kw_only=True)
class SampledExcerpt:
    """One excerpt with its labels; see the columns of `musicvae.data.shards`.

    Attributes:
        split: The name of its split.
        piece: The id of its piece.
        source: The name of its source.
        part: The part of the piece.
        style: The style as the source names it, or None.
        start_bar: The bar of the piece at which the excerpt starts, from 0.
        qpm: Quarter notes a minute.
        key: The key, or None where it is not known.
        key_confidence: 0 to 1; None where the key is not known.
        attributes: The measures of `musicvae.music.attributes`; NaN where one does not apply.
        music: Its notes, or its chords.
    """

    split: str
    piece: str
    source: str
    part: str
    style: str | None
    start_bar: int
    qpm: float
    key: Key | None
    key_confidence: float | None
    attributes: tuple[float, ...]
    music: NoteSequence


def draw_sample(
    directory: Path, manifest: Manifest, representation: Representation, seed: int
) -> dict[str, tuple[SampledExcerpt, ...]]:
    """Draws excerpts of each split, all with equal probability, in a random order.

    Raises:
        DataError: If a shard is missing or damaged.
    """
    most = max(1, MOST_STEPS // representation.length_steps)
    generator = np.random.default_rng(seed)
    return {
        name: _read(directory, name, representation, _choose(generator, split.excerpts, most))
        for name, split in manifest.splits.items()
    }


def pick(
    sample: Mapping[str, tuple[SampledExcerpt, ...]], splits: Mapping[str, Split], count: int
) -> tuple[SampledExcerpt, ...]:
    """The first excerpts of the sample: from each split its share of `count`."""
    total = sum(split.excerpts for split in splits.values())
    picked: list[SampledExcerpt] = []
    left_excerpts, left = total, count
    # The smallest split first: larger splits make up for its missing excerpts.
    for name, split in sorted(splits.items(), key=lambda item: item[1].excerpts):
        wanted = math.ceil(left * split.excerpts / left_excerpts) if left_excerpts else 0
        chosen = sample[name][:wanted]
        picked += chosen
        left -= len(chosen)
        left_excerpts -= split.excerpts
    order = {name: number for number, name in enumerate(splits)}
    return tuple(sorted(picked, key=lambda excerpt: order[excerpt.split]))


def _choose(generator: np.random.Generator, rows: int, most: int) -> Int64[np.ndarray, " batch"]:
    """At most `most` different rows, in random order."""
    return generator.choice(rows, min(rows, most), replace=False, shuffle=True).astype(np.int64)


def _read(
    directory: Path,
    split: str,
    representation: Representation,
    rows: Int64[np.ndarray, " batch"],
) -> tuple[SampledExcerpt, ...]:
    if not len(rows):
        return ()
    examples = shards.load(directory, split)
    columns = examples.columns(list(_COLUMNS), rows).to_pydict()
    events = examples.events[rows]
    known = [dict(zip(_COLUMNS, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return tuple(
        SampledExcerpt(
            split=split,
            key=None if row["tonic"] is None else Key(row["tonic"], bool(row["is_minor"])),
            attributes=tuple(row["attributes"]),
            music=representation.to_notes(tensor),
            **{
                name: row[name]
                for name in (
                    "piece",
                    "source",
                    "part",
                    "style",
                    "start_bar",
                    "qpm",
                    "key_confidence",
                )
            },
        )
        for row, tensor in zip(known, events, strict=True)
    )
