"""Measures how quickly training reads shuffled examples from warm memory-mapped shards.

Writes a set of two-bar examples into a temporary folder, then reads batches as a run does. The
limit, measured in the same run, takes equally many rows from an array in memory, in an order that
was computed before.

    python benchmarks/reading.py --json build/reading.json
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from musicvae.data import shards
from musicvae.data.batches import BatchStream
from musicvae.data.manifest import Manifest, hash_content, save_manifest
from musicvae.representation import Melody

ROWS_AT_ONCE = 100_000
BATCH_SIZES = (32, 512, 4096)
EXAMPLES_TIMED = 400_000


def write_set(folder: Path, examples: int) -> None:
    """Writes random melodies as a data set."""
    random = np.random.default_rng(0)
    representation = Melody(bars=2)
    schema = shards.schema((representation.length_steps, 1))
    writer = shards.SplitWriter(folder, "train", schema)
    plain = {"piece": "a", "source": "b", "part": "c", "style": "d", "program": 0, "start_bar": 0,
             "count": 1, "qpm": 120.0, "tonic": 0, "is_minor": False,
             "key_confidence": 1.0}  # fmt: skip
    for _ in range(0, examples, ROWS_AT_ONCE):
        events = random.integers(0, 90, (ROWS_AT_ONCE, representation.length_steps), np.int16)
        columns = {name: [value] * ROWS_AT_ONCE for name, value in plain.items()}
        lists = {
            "events": pa.FixedSizeListArray.from_arrays(
                pa.array(events.ravel()), representation.length_steps
            ),
            "attributes": pa.array([[]] * ROWS_AT_ONCE, pa.list_(pa.float32(), 0)),
            "chords": pa.array([[]] * ROWS_AT_ONCE, pa.list_(pa.int16(), 0)),
        }
        table = pa.table({**columns, **lists})
        writer.add(table.select(schema.names))
    splits = {"train": writer.close()}
    config = representation.config()
    manifest = Manifest(
        representation=config, settings={}, splits=splits, sources=(), rejections=(),
        content_hash=hash_content(config, splits),
    )  # fmt: skip
    save_manifest(manifest, folder)


def rate(take: Callable[[int], object], batch_size: int) -> float:
    """Examples a second of one core: the median of five."""
    rates = []
    for repeat in range(5):
        count = max(1, EXAMPLES_TIMED // batch_size)
        start = time.process_time()
        for number in range(count):
            take(repeat * count + number)
        rates.append(count * batch_size / (time.process_time() - start))
    return statistics.median(rates)


def main() -> None:
    """Measures, prints a table, and writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=2_000_000)
    parser.add_argument("--json", type=Path, default=Path("build/reading.json"))
    options = parser.parse_args()
    representation = Melody(bars=2)
    table = Table("batch", "as a run does", "… and transposed", "limit", title_justify="left",
                  title=f"Examples a second of one core, of {options.examples:,}")  # fmt: skip
    record = []
    with tempfile.TemporaryDirectory() as folder:
        write_set(Path(folder), options.examples)
        events = shards.load(Path(folder), "train").events
        order = np.random.default_rng(1).permutation(len(events))
        whole = events[0 : len(events)]
        for batch_size in BATCH_SIZES:

            def stream(most_semitones: int, batch_size: int = batch_size) -> BatchStream:
                return BatchStream(events, representation, batch_size=batch_size, seed=0,
                                   most_semitones=most_semitones)  # fmt: skip

            def limit(number: int, batch_size: int = batch_size) -> object:
                first = number * batch_size % (len(order) - batch_size)
                return whole[order[first : first + batch_size]].astype(np.int64)

            rates = [
                rate(stream(0).batch, batch_size),
                rate(stream(5).batch, batch_size),
                rate(limit, batch_size),
            ]
            record.append({"batch": batch_size, "plain": rates[0], "transposed": rates[1],
                           "limit": rates[2]})  # fmt: skip
            table.add_row(str(batch_size), *(f"{each:,.0f}" for each in rates))
    Console().print(table)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
