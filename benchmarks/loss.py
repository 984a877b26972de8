"""Measures the loss of a representation: the notes of excerpts against the notes of their tensors.

    python benchmarks/loss.py melody FOLDER... --json build/loss.json

`notes kept` is the share of the excerpts' notes that tensors hold at the same step and pitch (for a
drum, its class); other notes were merged with a note at the same step, or do not belong to the
line. `ends moved` is the share of kept notes that end at another step. `shift` is the distance of
onsets from the grid, in steps: the mean, and the 95th percentile. Only a groove keeps loudness.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from musicvae.data_pipeline.cut.cut import CUTTERS
from musicvae.data_pipeline.cut.excerpts import CutSettings, Excerpts
from musicvae.data_pipeline.cut.windows import find_windows
from musicvae.data_pipeline.grid.grid import GridPart, GridPiece, put_on_grid
from musicvae.data_pipeline.readers import read_piece
from musicvae.data_pipeline.sources.corpus import Piece, open_sources
from musicvae.errors import MusicVAEError
from musicvae.music.instruments import CLASS_OF_PITCH
from musicvae.music.notes import Note
from musicvae.representation import representation_from_config

PIECES = 300
ROWS_PER_PART = 20


@dataclass(frozen=True, kw_only=True)
class Loss:
    """The loss of one source."""

    source: str
    excerpts: int
    notes: int
    notes_kept: float
    ends_moved: float
    shift: float
    shift_95: float


class Counter:
    """Counts the notes of excerpts."""

    def __init__(self, settings: CutSettings) -> None:
        self._settings = settings
        self._excerpts = self._notes = self._kept = self._moved = 0
        self._shifts: list[np.ndarray] = []

    def add(self, piece: GridPiece, excerpts: Excerpts) -> None:
        """Compares some excerpts of a part with the part."""
        representation = self._settings.representation
        is_drum = representation.name != "melody"
        parts = [part for part in piece.parts if part.is_drum == is_drum]
        kits = [parts] if is_drum else [[part] for part in parts if part.name == excerpts.part]
        windows = find_windows([piece], representation.bars, self._settings.hop_bars)
        first_of = dict(zip(windows.start_bars.tolist(), windows.first_steps.tolist(), strict=True))
        chosen = np.linspace(0, len(excerpts.events) - 1, ROWS_PER_PART).astype(int)
        for row in np.unique(chosen):
            first = first_of[int(excerpts.start_bars[row])]
            made = representation.to_notes(excerpts.events[row]).notes
            # Several parts may have the name: the excerpt's part has the most in common.
            self._add(max((_compare(kit, made, first, representation.length_steps, is_drum=is_drum)
                           for kit in kits), key=lambda found: found.kept))  # fmt: skip

    def _add(self, found: "_Compared") -> None:
        self._excerpts += 1
        self._notes += found.notes
        self._kept += found.kept
        self._moved += found.moved
        self._shifts.append(found.shifts)

    def loss(self, source: str) -> Loss:
        """The loss over all excerpts."""
        shifts = np.concatenate(self._shifts or [np.zeros(1)])
        return Loss(
            source=source,
            excerpts=self._excerpts,
            notes=self._notes,
            notes_kept=self._kept / max(self._notes, 1),
            ends_moved=self._moved / max(self._kept, 1),
            shift=float(shifts.mean()),
            shift_95=float(np.quantile(shifts, 0.95)),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Compared:
    """The numbers of all notes, kept notes, and moved ends of an excerpt, and the shifts."""

    notes: int
    kept: int
    moved: int
    shifts: np.ndarray


def _compare(
    parts: Sequence[GridPart], made: Sequence[Note], first: int, length: int, *, is_drum: bool
) -> _Compared:
    starts, ends, pitches, offsets = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("starts", "ends", "pitches", "offsets")
    )
    inside = (starts >= first) & (starts < first + length)
    names = CLASS_OF_PITCH[pitches] if is_drum else pitches
    ends = np.minimum(ends, first + length) - first
    rows = zip(starts[inside] - first, names[inside], ends[inside], strict=True)
    found = {(int(start), int(name)): int(end) for start, name, end in rows}
    kept = moved = 0
    for note in made:
        name = int(CLASS_OF_PITCH[note.pitch]) if is_drum else note.pitch
        end = found.get((note.start_step, name))
        kept += end is not None
        moved += not is_drum and end not in (None, note.end_step)
    return _Compared(notes=int(inside.sum()), kept=kept, moved=moved,
                     shifts=np.abs(offsets[inside]))  # fmt: skip


def measure(source: str, pieces: list[Piece], settings: CutSettings) -> Loss:
    """Measures pieces spread over a source."""
    counter = Counter(settings)
    representation = settings.representation
    for piece in track(pieces[:: max(1, len(pieces) // PIECES)], source, transient=True):
        try:
            read = read_piece(piece.read_bytes(), piece.kind, piece.read_side())
        except MusicVAEError:
            continue
        if read.parts and read.meters:
            (grid,) = put_on_grid([read], representation.meter, representation.steps_per_quarter)
            (cut,) = CUTTERS[representation.name].cut([grid], settings)
            for excerpts in cut.excerpts:
                counter.add(grid, excerpts)
    return counter.loss(source)


def main() -> None:
    """Measures, prints a table, and writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("representation", choices=["melody", "drums", "groove"])
    parser.add_argument("inputs", nargs="+", help="inputs, as for `musicvae prepare`")
    parser.add_argument("--json", type=Path, default=Path("build/loss.json"))
    options = parser.parse_args()
    settings = CutSettings(
        representation=representation_from_config({"name": options.representation})
    )
    losses = [
        measure(source.name, list(source.pieces()), settings)
        for source in open_sources(options.inputs)
    ]
    table = Table(
        "source", "excerpts", "notes kept", "ends moved", "shift: mean", "95 %",
        title=f"The loss of {options.representation}", title_justify="left",
    )  # fmt: skip
    for each in losses:
        table.add_row(
            each.source, f"{each.excerpts:,}", f"{each.notes_kept:.2%}", f"{each.ends_moved:.2%}",
            f"{each.shift:.3f}", f"{each.shift_95:.3f}",
        )  # fmt: skip
    Console().print(table)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps([asdict(each) for each in losses], indent=2) + "\n")


if __name__ == "__main__":
    main()
