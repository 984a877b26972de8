"""Prepared data sets of every representation, made by hand, with names that try to break a page."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from musicvae.data import shards
from musicvae.data.manifest import (
    Cluster,
    Clusters,
    Example,
    Manifest,
    RejectionCount,
    Source,
    hash_content,
    save_manifest,
)
from musicvae.music.attributes import ATTRIBUTES
from musicvae.representation import representation_from_config

METER = {"numerator": 4, "denominator": 4}
CONFIGS = {
    "melody": {"name": "melody", "bars": 2, "meter": METER},
    "triplets": {"name": "melody", "bars": 2, "meter": METER, "steps_per_quarter": 12},
    "waltz": {"name": "melody", "bars": 2, "meter": {"numerator": 3, "denominator": 4}},
    "drums": {"name": "drums", "bars": 2, "meter": METER},
    "drum_hits": {"name": "drum_hits", "bars": 2, "meter": METER},
    "groove": {"name": "groove", "bars": 2, "meter": METER},
    "trio": {"name": "trio", "bars": 8, "meter": METER},
    "chords": {"name": "chords", "bars": 8, "meter": METER, "resolution": "half_bar"},
}
HOSTILE = '</script><img src="http://example.com/x"><b>"tune" & more.mid'
SPLITS = {"train": 60, "validation": 9, "test": 12}


def draw_events(config: dict, rows: int, seed: int) -> np.ndarray:
    """Random tensors: a tune over a scale for 90 events, sparse hits for the rest."""
    random = np.random.default_rng(seed)
    representation = representation_from_config(config)
    length = representation.rows_per_bar * representation.bars
    sizes = representation.vocabulary_sizes
    events = np.zeros((rows, length, len(sizes)), np.int16)
    for stream, size in enumerate(sizes):
        column = events[..., stream]
        if size == 90:
            walk = (36, 14)[stream] + np.cumsum(random.integers(-2, 3, (rows, length)), 1) % 22
            kinds = random.choice(3, (rows, length), p=[0.55, 0.1, 0.35])
            column[:] = np.choose(kinds, [0, 1, walk])
            column[:, 0] = walk[:, 0]
        elif size == 512:
            column[:] = draw_hits(random, rows, length) @ (1 << np.arange(9))
        elif size == 2:
            column[:] = draw_hits(random, rows, length)[..., stream % 9]
        else:
            column[:] = random.integers(0, size, (rows, length))
    return events


def draw_hits(random: np.random.Generator, rows: int, length: int) -> np.ndarray:
    """Kick and snare on the beats, hats on the eighths, the rest now and then."""
    chances = np.full((rows, length, 9), 0.02)
    chances[:, ::8, 0] = chances[:, 4::8, 1] = 0.95
    chances[:, ::2, 2] = 0.8
    return random.random(chances.shape) < chances


def draw_table(events: np.ndarray, split: str, seed: int, bars: int) -> pa.Table:
    """Everything that stands beside the events."""
    rows = len(events)
    random = np.random.default_rng(seed)
    tonics = [None if row % 5 == 0 else row % 12 for row in range(rows)]
    names = [f"{split}/tune {row // 3}.mid" for row in range(rows)]
    names[0] = HOSTILE
    return pa.table(
        {
            "events": pa.FixedSizeListArray.from_arrays(
                pa.array(events.reshape(-1), pa.int16()), events[0].size
            ),
            "piece": names,
            "source": ["walks" if row % 2 else "<i>strolls</i>" for row in range(rows)],
            "part": ["" if row % 2 else "Lead" for row in range(rows)],
            "style": pa.array([None if row % 3 else "funk/groove1" for row in range(rows)]),
            "program": pa.array([0] * rows, pa.int16()),
            "start_bar": pa.array(range(rows), pa.int32()),
            "count": pa.array([1] * rows, pa.int32()),
            "qpm": pa.array(random.normal(120, 20, rows).clip(50, 220), pa.float32()),
            "tonic": pa.array(tonics, pa.int8()),
            "is_minor": pa.array([None if t is None else t % 3 == 0 for t in tonics], pa.bool_()),
            "key_confidence": pa.array(
                [None if t is None else (1.0 if t % 2 else 0.4) for t in tonics], pa.float32()
            ),
            "attributes": pa.FixedSizeListArray.from_arrays(
                pa.array(random.random(rows * len(ATTRIBUTES)), pa.float32()), len(ATTRIBUTES)
            ),
            "chords": pa.FixedSizeListArray.from_arrays(
                pa.array([-1] * (2 * bars * rows), pa.int16()), 2 * bars
            ),
        }
    )


def write_set(directory: Path, form: str, splits: dict[str, int] = SPLITS) -> tuple[Path, Manifest]:
    """Writes a data set of one form of `CONFIGS`."""
    config = CONFIGS[form]
    directory.mkdir(parents=True)
    written = {}
    for seed, (name, rows) in enumerate(splits.items()):
        events = draw_events(config, max(rows, 1), seed)
        schema = shards.schema(
            events.shape[1:], attributes=len(ATTRIBUTES), chords=2 * config["bars"]
        )
        writer = shards.SplitWriter(directory, name, schema)
        if rows:
            writer.add(draw_table(events, name, seed, config["bars"]).cast(schema))
        written[name] = writer.close()
    manifest = Manifest(
        representation=representation_from_config(config).config(),
        settings={
            "hop_bars": 1,
            "melody": "every",
            "shares": {"train": 0.8, "validation": 0.1, "test": 0.1},
            "rules": {"fewest_notes": 3, "longest_gap_bars": 1.0},
        },
        splits=written,
        sources=(
            Source(
                name="walks", licence="CC0", pieces=30, pieces_used=14, skipped_files=2,
                excerpts={name: rows // 2 for name, rows in splits.items()},
            ),
            Source(
                name="<i>strolls</i>", licence=None, pieces=31, pieces_used=15,
                excerpts={name: rows - rows // 2 for name, rows in splits.items()},
            ),
        ),
        rejections=(
            rejection("piece", "unreadable", 7), rejection("piece", "no_meter", 3),
            rejection("part", "polyphonic", 120), rejection("excerpt", "long_gap", 4321),
        ),
        clusters=Clusters(
            count=2, pieces=17, largest=14, pairs=92, pairs_across_sources=1, leaks_avoided=3,
            examples=(
                Cluster(
                    pieces=tuple(f"walks/{i}.mid" for i in range(12)), size=14, sources=("walks",),
                    splits=("train",), likeness=0.93,
                ),
                Cluster(
                    pieces=("walks/a.mid", HOSTILE), size=2, sources=("walks", "<i>strolls</i>"),
                    splits=("test",), likeness=0.0,
                ),
            ),
        ),
        content_hash=hash_content(config, written),
    )  # fmt: skip
    save_manifest(manifest, directory)
    return directory, manifest


def rejection(stage: str, reason: str, count: int) -> RejectionCount:
    """A reason with two examples."""
    return RejectionCount(
        stage=stage,
        reason=reason,
        count=count,
        sources={"walks": count - 1, "<i>strolls</i>": 1},
        examples=(
            Example(piece="walks/odd.mid", found=f"what was found of {reason}"),
            Example(piece=HOSTILE, found="<b>bold</b> [red]words[/red]"),
        ),
    )
