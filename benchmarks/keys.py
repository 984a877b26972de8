"""Measures how often the key of a two-bar excerpt is right, and how many notes are in it.

Reads every piece with pitched parts, and labels a two-bar window at every bar of its runs of
regular bars, as `prepare` does. Three estimates are compared: the key of the whole piece, the key
of the phrase from the notes alone ("blind"), and the key of the phrase with the written key, which
is the label of the shards. A window counts as right where its key equals the written key, tonic and
mode, or where its signature does. Only pieces with one written key count, and of these no piece in
C major, which may be a program's default. MusicXML rarely tells a mode: there only signatures are
compared.

Notes in key are the share of the onsets of a window, of all pitched parts, that are in the scale of
its key: of minor keys the natural scale and the leading note.

The last column is the mean confidence of the blind estimates of these pieces, to compare with the
share that is right.

    python benchmarks/keys.py POP909 CRE_IRISH OPENEWLD music21:oneills1850 --json build/keys.json
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64, Int64
from rich.console import Console
from rich.table import Table

from musicvae.data_pipeline.cut.inference import infer_excerpt_keys, infer_piece_keys
from musicvae.data_pipeline.cut.windows import find_windows
from musicvae.data_pipeline.grid.grid import GridPiece, put_on_grid
from musicvae.data_pipeline.readers import read_piece
from musicvae.data_pipeline.sources.corpus import open_sources
from musicvae.errors import MusicVAEError
from musicvae.evaluation.listener.keys import TONES
from musicvae.music.notes import Key, Meter

BARS = 2
ESTIMATES = ("piece", "blind", "label")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The shares of one source.

    Attributes:
        source: The source's name.
        pieces: The number of pieces with windows.
        windows: The number of windows.
        written: The number of pieces whose written key is compared.
        right: The share of windows whose key is the written key; None where no mode is known.
        same_signature: The share of windows whose signature is the written signature.
        in_key: The share of notes in key.
        wholly_in_key: The share of windows whose notes are all in key.
        confidence: The mean confidence of the blind estimates that are compared.
    """

    source: str
    pieces: int
    windows: int
    written: int
    right: dict[str, float | None]
    same_signature: dict[str, float]
    in_key: dict[str, float]
    wholly_in_key: dict[str, float]
    confidence: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """The windows of one piece.

    Attributes:
        keys: The key of each window by each estimate, 0 to 23.
        confidences: The confidence of the blind estimate.
        notes: The number of onsets of each pitch class in each window.
        written: The only written key, or None.
        has_mode: Whether its mode is written.
    """

    keys: dict[str, Int64[np.ndarray, " batch"]]
    confidences: Float64[np.ndarray, " batch"]
    notes: Int64[np.ndarray, "batch 12"]
    written: Key | None
    has_mode: bool


def read_pieces(name: str) -> Iterator[Piece]:
    """The pieces of a source that have windows with a key."""
    for source in open_sources([name]):
        for piece in source.pieces():
            try:
                read = read_piece(piece.read_bytes(), piece.kind, piece.read_side())
            except MusicVAEError:
                continue
            if not read.parts or read.missing_meter:
                continue
            (grid,) = put_on_grid([read], Meter(), 4)
            if (found := estimate(grid)) is not None:
                yield found


def estimate(grid: GridPiece) -> Piece | None:
    """Estimates the keys of a piece; None without windows or without pitched notes."""
    (whole,) = infer_piece_keys([grid])
    steps = find_windows([grid], BARS, 1).first_steps
    notes = count_notes(grid, steps)
    steps, notes = steps[notes.any(axis=1)], notes[notes.any(axis=1)]
    if whole is None or not len(steps):
        return None
    blind = grid._replace(piece=grid.piece._replace(keys=()))
    numbers, length = np.zeros(len(steps), np.int64), BARS * grid.steps_per_bar
    alone = infer_excerpt_keys([blind], numbers, steps, length)
    label = infer_excerpt_keys([grid], numbers, steps, length)
    of_piece = np.full(len(steps), whole.key.tonic + 12 * whole.key.is_minor)
    written = grid.piece.keys
    is_told = len(written) == 1 and written[0].key != Key(0)
    return Piece(
        keys={
            "piece": of_piece,
            "blind": alone.tonics + 12 * alone.are_minor,
            "label": label.tonics + 12 * label.are_minor,
        },
        confidences=alone.confidences,
        notes=notes,
        written=written[0].key if is_told else None,
        has_mode=is_told and written[0].has_mode,
    )


def count_notes(
    grid: GridPiece, steps: Int64[np.ndarray, " batch"]
) -> Int64[np.ndarray, "batch 12"]:
    """The number of onsets of each pitch class of the pitched parts in each window."""
    parts = [part for part in grid.parts if not part.is_drum]
    counts = np.zeros((grid.length_steps + 1, 12), np.int64)
    for part in parts:
        np.add.at(counts, (part.starts + 1, part.pitches % 12), 1)
    sums = counts.cumsum(axis=0)
    found: Int64[np.ndarray, "batch 12"] = sums[steps + BARS * grid.steps_per_bar] - sums[steps]
    return found


def measure(name: str) -> Measured:
    """Measures one source."""
    pieces = list(read_pieces(name))
    told = [piece for piece in pieces if piece.written is not None]
    moded = [piece for piece in told if piece.has_mode]
    return Measured(
        source=Path(name).name,
        pieces=len(pieces),
        windows=sum(len(piece.notes) for piece in pieces),
        written=len(told),
        right={each: share(is_right(piece, each) for piece in moded) for each in ESTIMATES},
        same_signature={
            each: share(is_same_signature(piece, each) for piece in told) or 0.0
            for each in ESTIMATES
        },
        in_key={each: share_in_key(pieces, each) for each in ESTIMATES},
        wholly_in_key={
            each: share(is_wholly_in_key(piece, each) for piece in pieces) or 0.0
            for each in ESTIMATES
        },
        confidence=float(np.concatenate([[], *(piece.confidences for piece in moded)]).mean())
        if moded
        else float("nan"),
    )


def share(rows: Iterable[Bool[np.ndarray, " batch"]]) -> float | None:
    """The mean over all rows of all pieces."""
    together = np.concatenate([np.zeros(0, bool), *rows])
    return float(together.mean()) if len(together) else None


def is_right(piece: Piece, estimate: str) -> Bool[np.ndarray, " batch"]:
    """Whether each window's key is the written key."""
    assert piece.written is not None
    equal: Bool[np.ndarray, " batch"] = (
        piece.keys[estimate] == piece.written.tonic + 12 * piece.written.is_minor
    )
    return equal


def is_same_signature(piece: Piece, estimate: str) -> Bool[np.ndarray, " batch"]:
    """Whether each window's key has the written signature."""
    assert piece.written is not None
    found = piece.keys[estimate]
    signatures = np.where(found < 12, found, found + 3) % 12
    equal: Bool[np.ndarray, " batch"] = (
        signatures == (piece.written.tonic + 3 * piece.written.is_minor) % 12
    )
    return equal


def share_in_key(pieces: Iterable[Piece], estimate: str) -> float:
    """The share of all notes of all windows that are in the window's key."""
    pieces = list(pieces)
    inside = sum(int((piece.notes * TONES[piece.keys[estimate]]).sum()) for piece in pieces)
    return inside / sum(int(piece.notes.sum()) for piece in pieces)


def is_wholly_in_key(piece: Piece, estimate: str) -> Bool[np.ndarray, " batch"]:
    """Whether all notes of each window are in its key."""
    outside: Bool[np.ndarray, " batch"] = (piece.notes * ~TONES[piece.keys[estimate]]).sum(
        axis=1
    ) == 0
    return outside


def show(measured: list[Measured]) -> Table:
    """A row for each source."""
    table = Table(title="Keys of two bars: by the piece / by the phrase, blind / labels")
    names = ("source", "windows", "written", "right", "same signature", "in key", "wholly", "sure")
    for name in names:
        table.add_column(name, justify="left" if name == "source" else "right")
    for each in measured:
        table.add_row(
            each.source,
            f"{each.windows:,}",
            f"{each.written:,}",
            *(
                " / ".join("-" if value is None else f"{value:.3f}" for value in row.values())
                for row in (each.right, each.same_signature, each.in_key, each.wholly_in_key)
            ),
            f"{each.confidence:.3f}",
        )
    return table


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("sources", nargs="+", help="folders or corpora")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    measured = [measure(name) for name in options.sources]
    Console(width=160).print(show(measured))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps([asdict(each) for each in measured], indent=2) + "\n")


if __name__ == "__main__":
    main()
