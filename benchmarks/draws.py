"""Measures keys and leaps in draws of melodies, which a listener notices first.

    python benchmarks/draws.py melody-2bar melody-16bar [--data SET]

Draws from each model at the default temperature, and compares the draws with the validation
excerpts of a prepared set, if one is given. Prints a table and writes JSON.

Definitions, for the line of highest pitches without drums and the bass:
- wholly in key: share of the clips with all notes in one major or natural minor scale.
- notes in the best key: the largest share of a clip's notes in one scale, as a mean over clips.
- leaps: share of the clips with an interval of more than an octave.
- steps: share of the intervals with 1 or 2 semitones.
- mean interval: mean of all intervals, in semitones.
"""

import argparse
import json
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from musicvae.bundle import load
from musicvae.data import shards
from musicvae.data.manifest import load_manifest
from musicvae.generation.engine import Engine
from musicvae.generation.requests import SampleRequest
from musicvae.music.instruments import BASS_PROGRAMS
from musicvae.music.notes import NoteSequence
from musicvae.representation import representation_from_config

MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
SCALES = [frozenset((tonic + degree) % 12 for degree in MAJOR_SCALE) for tonic in range(12)]
"""Natural minor scales have the same notes as major scales."""

OCTAVE = 12
CHORDS = "C | Am | F | G7"


def pitches_of(clip: NoteSequence) -> list[int]:
    """The highest pitch at each onset, without drums and the bass."""
    line: dict[int, int] = {}
    for note in sorted(clip.notes):
        if not note.is_drum and note.program not in BASS_PROGRAMS:
            line[note.start_step] = max(note.pitch, line.get(note.start_step, 0))
    return [line[step] for step in sorted(line)]


def measure(clips: Iterable[NoteSequence]) -> dict[str, float]:
    """The figures that the head of this file defines; clips without notes are left out."""
    lines = [line for clip in clips if (line := pitches_of(clip))]
    in_key = [
        max(sum(p % 12 in scale for p in line) for scale in SCALES) / len(line) for line in lines
    ]
    intervals = [[abs(b - a) for a, b in pairwise(line)] for line in lines]
    every = np.array([size for each in intervals for size in each])
    return {
        "clips": len(lines),
        "wholly in key": float(np.mean([share == 1 for share in in_key])),
        "notes in the best key": float(np.mean(in_key)),
        "leaps": float(np.mean([max(each, default=0) > OCTAVE for each in intervals])),
        "steps": float(np.mean((every == 1) | (every == 2))),
        "mean interval": float(every.mean()),
    }


def draws(name: str, count: int, seed: int) -> list[NoteSequence]:
    """New music of a model; a model that needs chords plays over `CHORDS`."""
    engine = Engine([load(name)])
    chords = CHORDS if engine.model(name).needs_chords else None
    request = SampleRequest(count=count, seed=seed, chords=chords)
    return [clip.notes for clip in engine.sample(request)]


def real(data: Path, count: int, seed: int) -> list[NoteSequence]:
    """Validation excerpts of a prepared set."""
    representation = representation_from_config(load_manifest(data).representation)
    events = shards.load(data, "validation").events
    rows = np.random.default_rng(seed).permutation(len(events))[:count]
    return [representation.to_notes(events[row]) for row in rows]


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", nargs="+")
    parser.add_argument("--data", type=Path, help="a prepared set to compare with")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("draws.json"))
    args = parser.parse_args()
    rows = {name: measure(draws(name, args.count, args.seed)) for name in args.models}
    if args.data:
        rows[f"music: {args.data.name}"] = measure(real(args.data, args.count, args.seed))
    table = Table("", *next(iter(rows.values())))
    for name, figures in rows.items():
        table.add_row(
            name, *(f"{value:.3f}" if value < 100 else f"{value:g}" for value in figures.values())
        )
    Console().print(table)
    args.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
