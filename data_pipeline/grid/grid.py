"""Puts a piece on a grid of steps: the notes' columns in whole steps, and runs of regular bars.

Conventions: every bar starts on a step, so that a bar of odd length moves no later bar off the
grid. An onset goes to the nearest step, and from halfway to the later step; its distance from the
step is kept in `offsets`. A note lasts at least one step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int32, Int64

from musicvae.data_pipeline.readers.note_order import find_note_order
from musicvae.data_pipeline.readers.piece import ReadPiece
from musicvae.identity import compare_by_identity
from musicvae.music.notes import DEFAULT_QPM, Meter

from .spans import ShortBars, Span, find_spans

_ROUNDING = 1e-6
"""Steps: floating point may take this much from half a step."""


@compare_by_identity
class GridPart(NamedTuple):
    """The notes of one instrument in steps; see `piece.Part`.

    Attributes:
        name: The name in the file.
        program: General MIDI program.
        is_drum: Whether the pitches are General MIDI drums.
        starts: The step of each onset, ascending.
        ends: The first step after each note.
        pitches: MIDI numbers.
        velocities: 1 to 127.
        offsets: The distance of each onset from its step, in steps; below 0 early.
    """

    name: str
    program: int
    is_drum: bool
    starts: Int32[np.ndarray, " note"]
    ends: Int32[np.ndarray, " note"]
    pitches: Int32[np.ndarray, " note"]
    velocities: Int32[np.ndarray, " note"]
    offsets: Float32[np.ndarray, " note"]


@compare_by_identity
class GridPiece(NamedTuple):
    """A piece on the grid, ready to be cut in one meter.

    Attributes:
        parts: In the file's order.
        spans: The runs of regular bars of the wanted meter.
        meter: The wanted meter.
        steps_per_quarter: The resolution of the grid.
        steps_per_bar: The steps of a bar of the wanted meter.
        length_steps: The end of the last bar or of the last note, whichever is later.
        bar_steps: The step of each bar line, the end of the last bar included.
        irregular_bars: The number of bars of the wanted or a shorter meter that are too long or too
            short.
        short_bars: The bars of each shorter meter that may be joined, by the meter's text.
        other_bars: The number of bars in each other meter, by the meter's text.
        piece: The piece as it was read.
        unsteady_bars: The number of regular bars outside all spans, as their tempo changes.
    """

    parts: tuple[GridPart, ...]
    spans: tuple[Span, ...]
    meter: Meter
    steps_per_quarter: int
    steps_per_bar: int
    length_steps: int
    bar_steps: Int64[np.ndarray, " line"]
    irregular_bars: int
    short_bars: dict[str, ShortBars]
    other_bars: dict[str, int]
    piece: ReadPiece
    unsteady_bars: int = 0

    def quarters(self, steps: Int64[np.ndarray, " batch"]) -> Float64[np.ndarray, " batch"]:
        """The time of each step, in quarter notes from the start of the piece."""
        bars = np.searchsorted(self.bar_steps, steps, side="right") - 1
        times: Float64[np.ndarray, " batch"] = (
            self.piece.bar_lines[bars] + (steps - self.bar_steps[bars]) / self.steps_per_quarter
        )
        return times

    def qpms(self, steps: Int64[np.ndarray, " batch"]) -> Float32[np.ndarray, " batch"]:
        """The tempo at each step, in quarter notes a minute."""
        tempos = self.piece.tempos
        if len(tempos) <= 1:
            qpm = tempos[0].qpm if tempos else DEFAULT_QPM
            return np.full(len(steps), qpm, np.float32)
        times = np.array([tempo.quarter for tempo in tempos])
        values = np.array([tempo.qpm for tempo in tempos], np.float32)
        at = np.searchsorted(times, self.quarters(steps) + _ROUNDING, side="right") - 1
        return values[np.maximum(at, 0)]


def put_on_grid(
    pieces: Sequence[ReadPiece], meter: Meter, steps_per_quarter: int
) -> list[GridPiece]:
    """Puts pieces whose meters are known on the grid, to be cut in `meter`.

    A piece in cut time can be cut in common time, and the other way round; bars of 2/4 and 1/4 can
    be joined to either (see `spans`). The notes of all pieces are worked on together.
    """
    steps_per_bar = meter.steps_per_bar(steps_per_quarter)
    assert steps_per_bar is not None, meter
    if not pieces:
        return []
    bars = _lay_bars(pieces, steps_per_quarter, steps_per_bar)
    all_parts, last_ends = _put_parts(pieces, bars, steps_per_quarter)
    parts = iter(all_parts)
    grids = []
    for piece, bar_steps, regular_from, last_end in zip(
        pieces, bars.bar_steps, bars.regular_from, last_ends, strict=True
    ):
        found = find_spans(piece, bar_steps, meter, steps_per_bar, regular_from)
        grids.append(
            GridPiece(
                parts=tuple(islice(parts, len(piece.parts))),
                spans=found.spans,
                meter=meter,
                steps_per_quarter=steps_per_quarter,
                steps_per_bar=steps_per_bar,
                length_steps=max(last_end, int(bar_steps[-1])),
                bar_steps=bar_steps,
                irregular_bars=found.irregular_bars,
                short_bars=found.short_bars,
                other_bars=found.other_bars,
                piece=piece,
            )
        )
    return grids


@dataclass(frozen=True, kw_only=True, eq=False)
class _BarSteps:
    """The bars of some pieces in steps.

    Attributes:
        bar_steps: For each piece, the step of each bar line.
        are_straight: For each piece, whether the step of a time is the time times the resolution,
            in every bar.
        regular_from: For each piece, the number of the bar from which on all bars have the wanted
            length: 0, or 1 after a pickup; -1 where bars differ.
    """

    bar_steps: list[Int64[np.ndarray, " _"]]
    are_straight: list[bool]
    regular_from: list[int]


def _lay_bars(pieces: Sequence[ReadPiece], steps_per_quarter: int, steps_per_bar: int) -> _BarSteps:
    lines = [piece.bar_lines for piece in pieces]
    assert all(len(own) > 1 for own in lines) and all(piece.meters for piece in pieces), "no meter"
    firsts = np.cumsum([0, *map(len, lines)])
    all_lines = np.concatenate(lines)
    lengths = np.diff(all_lines) * steps_per_quarter
    # Between the last bar line of a piece and the first of the next piece there is no bar.
    between = firsts[1:-1] - 1
    lengths[between] = 0
    steps = np.maximum(np.ceil(lengths - _ROUNDING), 1).astype(np.int64)
    sums = np.concatenate([[0], np.cumsum(steps)])
    sizes = np.diff(firsts)
    starts = firsts[:-1]
    bar_steps = sums - np.repeat(sums[starts], sizes)
    first_lengths = np.repeat(lengths[starts], sizes)[:-1]
    is_even = np.abs(lengths - first_lengths) < _ROUNDING
    is_even[between] = True
    are_straight = np.logical_and.reduceat(is_even, starts) & (lengths[starts] == steps[starts])
    if steps_per_quarter.bit_count() == 1:
        # Multiplying by a power of two is exact, so these bar lines all are steps.
        are_straight |= np.logical_and.reduceat(bar_steps == all_lines * steps_per_quarter, starts)
    is_regular = steps == steps_per_bar
    is_regular[between] = True
    has_first = is_regular[starts]
    is_regular[starts] = True
    has_others = np.logical_and.reduceat(is_regular, starts)
    has_pickup = (steps[starts] < steps_per_bar) & (sizes > 2)
    regular_from = np.where(has_others & has_first, 0, np.where(has_others & has_pickup, 1, -1))
    bounds = firsts.tolist()
    return _BarSteps(
        bar_steps=[bar_steps[low:high] for low, high in pairwise(bounds)],
        are_straight=are_straight.tolist(),
        regular_from=regular_from.tolist(),
    )


def _put_parts(
    pieces: Sequence[ReadPiece], bars: _BarSteps, steps_per_quarter: int
) -> tuple[list[GridPart], list[int]]:
    """All parts of all pieces on the grid, and the last end of each piece; 0 without notes."""
    parts = [part for piece in pieces for part in piece.parts]
    if not parts:
        return [], [0] * len(pieces)
    bounds = [0, *accumulate(len(part.onsets) for part in parts)]
    ends_of_pieces = accumulate(len(piece.parts) for piece in pieces)
    piece_bounds = [0, *(bounds[end] for end in ends_of_pieces)]
    times = np.empty((2, bounds[-1]))
    np.concatenate([part.onsets for part in parts], out=times[0])
    np.concatenate([part.ends for part in parts], out=times[1])
    steps = times * steps_per_quarter
    for number, is_straight in enumerate(bars.are_straight):
        if not is_straight:
            notes = slice(piece_bounds[number], piece_bounds[number + 1])
            own, lines = times[:, notes], pieces[number].bar_lines
            at = lines.searchsorted(own + _ROUNDING, side="right") - 1
            np.minimum(at, len(lines) - 2, out=at)
            steps[:, notes] = bars.bar_steps[number][at] + (own - lines[at]) * steps_per_quarter
    whole = np.floor(steps + (0.5 + _ROUNDING))
    offsets = (steps[0] - whole[0]).astype(np.float32)
    starts, ends = whole.astype(np.int32)
    ends = np.maximum(ends, starts + 1)
    pitches = np.concatenate([part.pitches for part in parts])
    velocities = np.concatenate([part.velocities for part in parts])
    order = find_note_order(bounds, starts, pitches, ends)
    if order is not None:
        starts, ends, offsets = starts.take(order), ends.take(order), offsets.take(order)
        pitches, velocities = pitches.take(order), velocities.take(order)
    pitches, velocities = pitches.astype(np.int32), velocities.astype(np.int32)
    firsts = np.array(piece_bounds)
    has_notes = np.diff(firsts) > 0
    last_ends = np.zeros(len(pieces), np.int32)
    last_ends[has_notes] = np.maximum.reduceat(ends, firsts[:-1][has_notes])
    placed = [
        GridPart(
            name=part.name,
            program=part.program,
            is_drum=part.is_drum,
            starts=starts[low:high],
            ends=ends[low:high],
            pitches=pitches[low:high],
            velocities=velocities[low:high],
            offsets=offsets[low:high],
        )
        for part, (low, high) in zip(parts, pairwise(bounds), strict=True)
    ]
    return placed, last_ends.tolist()
