"""Inspects one piece: its content, and the excerpts that `prepare` would cut from it.

Conventions: bars are counted from 1 at the first bar line; a pickup is bar 1. A piece without a
known meter is shown as if it were in 4/4 from its start, but nothing is cut from it. Excerpts are
cut by the default rules, at every bar: in 4/4, the default meter of `prepare`, and in the meter
that most bars of the piece have, where that is another meter.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np

from musicvae.data_pipeline.cut.cut import cut_group
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.cut.inference import infer_piece_chords, infer_piece_keys
from musicvae.data_pipeline.cut.lines.melody_score import PartScore, score_parts, share_of_polyphony
from musicvae.data_pipeline.grid.grid import GridPart, GridPiece, put_on_grid
from musicvae.data_pipeline.readers import read_piece
from musicvae.data_pipeline.readers.drum_parts import DRUM_CHANNEL, check_drums
from musicvae.data_pipeline.readers.piece import (
    CHORDS_INFERRED,
    CHORDS_WRITTEN,
    ChordLine,
    ReadPiece,
)
from musicvae.data_pipeline.rejections import Rejection
from musicvae.data_pipeline.sources.corpus import Piece, open_sources
from musicvae.errors import DataError
from musicvae.music.bars import MeterChange
from musicvae.music.chords import QUALITIES, ParsedChord, symbol
from musicvae.music.keys import EstimatedKey
from musicvae.music.notes import DEFAULT_QPM, Meter
from musicvae.representation import REPRESENTATIONS, representation_from_config

STEPS_PER_QUARTER = 4

_DECIMALS = 6
_ROUNDING = 1e-4
"""Quarter notes that floating point may add to a bar, and more than any bar differs by chance."""

_MOST_DIGITS = 10
"""No input has a piece whose number has so many digits."""


@dataclass(frozen=True, kw_only=True)
class InspectedPart:
    """One part of the piece.

    Attributes:
        name: The part's name in the file; may be empty.
        program: General MIDI program, 0 to 127.
        is_drum: Whether the part plays drums.
        notes: The number of notes.
        lowest: The lowest MIDI pitch.
        highest: The highest MIDI pitch.
        polyphony: The share of the onsets, 0 to 1, that fall on a note that still sounds.
        score: How likely the part is the melody, and why.
    """

    name: str
    program: int
    is_drum: bool
    notes: int
    lowest: int
    highest: int
    polyphony: float
    score: PartScore


@dataclass(frozen=True, kw_only=True)
class BarRun:
    """Consecutive bars of one meter and one length.

    Attributes:
        first: The number of the first bar, from 1.
        last: The number of the last bar.
        meter: The meter that is written.
        quarters: The length of each bar in quarter notes.
    """

    first: int
    last: int
    meter: Meter
    quarters: float

    @property
    def is_whole(self) -> bool:
        """Whether each bar has the length that its meter says."""
        return abs(self.quarters - self.meter.quarters_per_bar) < _ROUNDING


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The excerpts that `prepare` cuts from the piece for one representation, before duplicates go.

    Attributes:
        representation: The representation's name.
        bars: The length of an excerpt.
        meter: The meter that excerpts are cut in, as by `--meter`.
        excerpts: The number of excerpts.
        parts: The number of excerpts by part, or combination of parts.
        rejections: What was left out, and why.
    """

    representation: str
    bars: int
    meter: Meter
    excerpts: int
    parts: dict[str, int]
    rejections: tuple[Rejection, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Inspection:
    """Everything that `inspect` shows of a piece.

    Attributes:
        piece: The piece.
        read: The piece as it was read.
        meter: The meter that most bars have; 4/4 where the meter is not known.
        bars: The number of bars.
        bar_runs: The bars in order, in runs of one meter and length.
        seconds: The length of the piece.
        parts: The parts, in the file's order.
        key: The key that the notes fit best, or None where they fit no key.
        chords: The chords of each bar, as symbols; a bar without a change has none.
        chords_are: `written` in the file, or `inferred` from the notes; empty where there are none.
        outcomes: The excerpts of each representation, in 4/4 and then in `meter`.
        grid: The piece on the grid, in `meter`.
    """

    piece: Piece
    read: ReadPiece
    meter: Meter
    bars: int
    bar_runs: tuple[BarRun, ...]
    seconds: float
    parts: tuple[InspectedPart, ...]
    key: EstimatedKey | None
    chords: tuple[tuple[str, ...], ...]
    chords_are: str
    outcomes: tuple[Outcome, ...]
    grid: GridPiece


def find_piece(name: str, which: str = "1") -> Piece:
    """Finds one piece of an input.

    Args:
        name: A file, or any other input that `musicvae prepare` takes.
        which: The number of the piece in the input, from 1, or how its id ends.

    Raises:
        ScoreError: If a file is no music that can be read.
        DataError: If the input is not there, or has no such piece.
    """
    (source,) = open_sources([name])
    found = None
    if not which.isdecimal():
        found = next((piece for piece in source.pieces() if piece.id.endswith(which)), None)
    elif len(which) < _MOST_DIGITS and int(which) > 0:
        found = next(islice(source.pieces(), int(which) - 1, None), None)
    if found is None:
        raise DataError(
            f"no piece {which} in {name}",
            expected=f"a number from 1 to {source.piece_count}, or the end of a piece's id",
            action="Name one of these.",
            field="piece",
        )
    return found


def inspect(piece: Piece, drums: str = DRUM_CHANNEL) -> Inspection:
    """Reads a piece and inspects it.

    Args:
        piece: The piece.
        drums: The parts that are drums beside channel 10: see `readers.drum_parts`.

    Raises:
        MidiError, ScoreError, DataError: If it can't be read, or holds no notes.
    """
    check_drums(drums)
    read = read_piece(piece.read_bytes(), piece.kind, piece.read_side(), drums)
    if not read.parts:
        raise DataError(
            f"{piece.id}, which holds no notes",
            expected="a piece with notes",
            action="Give another file.",
            field="piece",
        )
    seen = _with_meter(read)
    meter = _most_frequent_meter(seen)
    (grid,) = put_on_grid([seen], meter, STEPS_PER_QUARTER)
    line, chords_are = _chord_line(grid)
    return Inspection(
        piece=piece,
        read=read,
        meter=meter,
        bars=len(seen.bar_lines) - 1,
        bar_runs=tuple(_find_bar_runs(seen)),
        seconds=_count_seconds(seen),
        parts=tuple(
            _inspect_part(*each) for each in zip(grid.parts, score_parts(grid), strict=True)
        ),
        key=infer_piece_keys([grid])[0],
        chords=_symbols_by_bar(seen, line),
        chords_are=chords_are,
        outcomes=tuple(
            outcome for each in dict.fromkeys((Meter(), meter)) for outcome in _try_cuts(read, each)
        ),
        grid=grid,
    )


def _with_meter(read: ReadPiece) -> ReadPiece:
    """The piece, with bars of 4/4 where its meter is not known."""
    if not read.missing_meter:
        return read
    bars = int(np.ceil(max(part.ends.max() for part in read.parts) / 4))
    lines = 4.0 * np.arange(bars + 1)
    return read._replace(bar_lines=lines, meters=(MeterChange(0, Meter()),))


def _most_frequent_meter(read: ReadPiece) -> Meter:
    """The meter with the most bars that fit the grid; cut time counts as common time."""
    bars: dict[Meter, int] = {}
    ends = [*(change.bar for change in read.meters[1:]), len(read.bar_lines) - 1]
    for change, end in zip(read.meters, ends, strict=True):
        meter = Meter() if change.meter == Meter(2, 2) else change.meter
        if meter.steps_per_bar(STEPS_PER_QUARTER) is not None:
            bars[meter] = bars.get(meter, 0) + end - change.bar
    return max(bars, key=lambda meter: bars[meter], default=Meter())


def _find_bar_runs(read: ReadPiece) -> Iterator[BarRun]:
    bars = len(read.bar_lines) - 1
    lengths = np.diff(read.bar_lines).round(_DECIMALS)
    is_first = np.append(True, lengths[1:] != lengths[:-1])
    is_first[[change.bar for change in read.meters if change.bar < bars]] = True
    firsts = np.flatnonzero(is_first).tolist()
    starts = [change.bar for change in read.meters]
    for first, end in pairwise([*firsts, bars]):
        meter = read.meters[bisect_right(starts, first) - 1].meter
        yield BarRun(first=first + 1, last=end, meter=meter, quarters=float(lengths[first]))


def _count_seconds(read: ReadPiece) -> float:
    """How long the piece lasts, at its tempos."""
    end = max(float(read.bar_lines[-1]), *(float(part.ends.max()) for part in read.parts))
    times = [0.0, *(tempo.quarter for tempo in read.tempos[1:]), end]
    qpms = [tempo.qpm for tempo in read.tempos] or [DEFAULT_QPM]
    lengths = np.maximum(np.diff(np.minimum(times, end)), 0)
    return float((lengths * 60 / np.array(qpms)).sum())


def _inspect_part(part: GridPart, score: PartScore) -> InspectedPart:
    return InspectedPart(
        name=part.name,
        program=part.program,
        is_drum=part.is_drum,
        notes=len(part.pitches),
        lowest=int(part.pitches.min()),
        highest=int(part.pitches.max()),
        polyphony=share_of_polyphony(part),
        score=score,
    )


def _chord_line(grid: GridPiece) -> tuple[ChordLine | None, str]:
    """The chords of a piece, and where they come from."""
    if grid.piece.chords is not None:
        return grid.piece.chords, CHORDS_WRITTEN
    inferred = infer_piece_chords(grid)
    return inferred, CHORDS_INFERRED if inferred else ""


def _symbols_by_bar(read: ReadPiece, line: ChordLine | None) -> tuple[tuple[str, ...], ...]:
    symbols: list[list[str]] = [[] for _ in range(len(read.bar_lines) - 1)]
    if line is not None:
        bars = np.searchsorted(read.bar_lines, line.onsets + 1e-6, side="right") - 1
        columns = (bars, line.roots, line.qualities, line.basses)
        for bar, root, quality, bass in zip(*(c.tolist() for c in columns), strict=True):
            if bar < len(symbols):
                symbols[bar].append(_symbol(root, quality, bass))
    return tuple(map(tuple, symbols))


def _symbol(root: int, quality: int, bass: int) -> str:
    if root < 0:
        return symbol(ParsedChord())
    return symbol(ParsedChord(root, list(QUALITIES)[quality], None if bass == root else bass))


def _try_cuts(read: ReadPiece, meter: Meter) -> Iterator[Outcome]:
    """Cuts the piece for each representation, as `prepare` does with this `--meter`."""
    written = {"numerator": meter.numerator, "denominator": meter.denominator}
    kinds = [form.kind for form in REPRESENTATIONS.values()]
    for name, bars in ((kind.name, bars) for kind in kinds for bars in kind.usual_bars):
        config = {"name": name, "bars": bars, "meter": written}
        settings = CutSettings(representation=representation_from_config(config))
        cut = cut_group({0: read}, settings)[0]
        parts: dict[str, int] = {}
        for excerpts in cut.excerpts:
            parts[excerpts.part] = parts.get(excerpts.part, 0) + len(excerpts.events)
        yield Outcome(
            representation=name,
            bars=bars,
            meter=meter,
            excerpts=sum(parts.values()),
            parts=parts,
            rejections=cut.rejections,
        )
