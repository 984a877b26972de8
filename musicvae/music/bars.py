"""Finds the bars of a piece by its time signatures, and by its accents.

Conventions: times are in quarter notes until `lay_on_steps` puts the bars on the step grid. A
change of meter starts a bar, so the bar before a change may be short. A piece may begin with a
pickup that only the accents show. Before the first time signature the meter is 4/4, as the standard
of MIDI files says, but a file without any time signature is in 4/4 only where its onsets agree.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64, Integer

from musicvae.identity import compare_by_identity
from musicvae.music.meter_evidence import doubt_common_time, doubt_grid, is_grid_doubtful
from musicvae.music.notes import BarChange, Meter

MOST_SLIP = 0.05
"""Quarter notes. A change of meter this near to a bar line of the meter before is meant to be on
it: programs count a tick more or less."""

_ROUNDING = 1e-6
"""Steps that floating point may add to the length of a bar."""

_LEAST_ACCENTS = 8
_LEAST_SHARE = 0.9


_COMMON = (Meter(4, 4), Meter(2, 2))
_SHORT_METERS = {Meter(2, 4): 2, Meter(1, 4): 4}
"""How many bars of a short meter make a bar of common or cut time, 4/4 or 2/2."""


def bars_to_join(found: Meter, wanted: Meter) -> int:
    """How many bars of the meter found make a bar of the meter wanted; 0 if none can.

    >>> [bars_to_join(Meter(*found), Meter(4, 4)) for found in ((2, 2), (2, 4), (3, 4))]
    [1, 2, 0]
    """
    if found == wanted:
        return 1
    if wanted not in _COMMON:
        return 0
    return 1 if found in _COMMON else _SHORT_METERS.get(found, 0)


class MeterChange(NamedTuple):
    """A meter that holds from the bar of this number on, counted from 0."""

    bar: int
    meter: Meter


class MeterMark(NamedTuple):
    """A time signature where a file writes it, in quarter notes from the start."""

    quarter: float
    meter: Meter


@compare_by_identity
class Bars(NamedTuple):
    """The bars of a piece.

    Attributes:
        bar_lines: The start of each bar, ascending from 0, and the end of the last bar.
        meters: The meters in order, the first from bar 0.
        doubt: The reason why the notes do not fit these meters; empty if they do.
    """

    bar_lines: Float64[np.ndarray, " line"]
    meters: tuple[MeterChange, ...]
    doubt: str = ""


@compare_by_identity
class TimedOnsets(NamedTuple):
    """The notes of some pieces, one piece after the other, as far as they tell bars.

    Attributes:
        onsets: The start of each note.
        velocities: The loudness of each note.
        is_pitched: Whether each note belongs to an instrument with pitches, not to drums.
        sizes: The number of notes of each piece; at least one.
        ends: The end of the last note of each piece.
    """

    onsets: Float64[np.ndarray, " note"]
    velocities: Integer[np.ndarray, " note"]
    is_pitched: Bool[np.ndarray, " note"]
    sizes: Int64[np.ndarray, " batch"]
    ends: Float64[np.ndarray, " batch"]


def find_bars(marks: Sequence[list[MeterMark]], notes: TimedOnsets) -> list[Bars]:
    """Finds the bars of many pieces. The data pipeline and the service find bars here alone.

    A piece with a doubt has no pickup: its accents say nothing.

    Args:
        marks: The time signatures of each piece, in order.
        notes: The notes of each piece.
    """
    firsts = np.cumsum(notes.sizes) - notes.sizes
    may_keep_no_grid = is_grid_doubtful(notes.onsets, notes.sizes)
    pickups = accented_quarters(
        notes.onsets[notes.is_pitched],
        notes.velocities[notes.is_pitched],
        np.add.reduceat(notes.is_pitched, firsts, dtype=np.int64),
        [_only_meter(own) for own in marks],
    )
    doubts = [""] * len(marks)
    for piece, own in enumerate(marks):
        if not own or may_keep_no_grid[piece]:
            first = firsts[piece]
            onsets = notes.onsets[first : first + notes.sizes[piece]]
            doubts[piece] = doubt_grid(onsets) if own else doubt_common_time(onsets)
            if doubts[piece]:
                pickups[piece] = 0
    drawn = draw_bars(marks, notes.ends.tolist(), pickups.tolist())
    return [
        bars._replace(doubt=doubt) if doubt else bars
        for bars, doubt in zip(drawn, doubts, strict=True)
    ]


def _only_meter(marks: list[MeterMark]) -> Meter | None:
    """The meter of a piece that has one meter throughout, or None."""
    if len(marks) == 1:
        return marks[0].meter
    meters = {mark.meter for mark in marks}
    return next(iter(meters), Meter()) if len(meters) <= 1 else None


def draw_bars(
    marks: Sequence[list[MeterMark]], ends: Sequence[float], pickups: Sequence[float]
) -> list[Bars]:
    """Draws the bar lines of many pieces, each up to the end of its last bar.

    A time signature that repeats the meter in force changes nothing.

    Args:
        marks: For each piece, its time signatures in order; of several at one time the last counts.
        ends: For each piece, the end of its last note.
        pickups: For each piece, the quarter notes before the first whole bar; 0 where the meter
            changes.
    """
    runs: list[_Run] = []
    meters: list[tuple[MeterChange, ...]] = []
    bounds = [0]
    for own, end, pickup in zip(marks, ends, pickups, strict=True):
        plan = _plan(own, end, pickup)
        runs += plan.runs
        meters.append(plan.meters)
        bounds.append(bounds[-1] + plan.lines)
    starts, lengths, counts = (np.array(column) for column in zip(*runs, strict=True))
    numbers = np.arange(bounds[-1]) - np.repeat(np.cumsum(counts) - counts, counts)
    lines = np.repeat(starts, counts) + np.repeat(lengths, counts) * numbers
    return [
        Bars(lines[low:high], own)
        for own, (low, high) in zip(meters, pairwise(bounds), strict=True)
    ]


@compare_by_identity
class StepGrid(NamedTuple):
    """The bars of a piece on the step grid, in runs that each start on a step.

    Attributes:
        quarters: The start of each run of equal bars, in quarter notes.
        changes: The step at which each run starts, and its meter.
        steps_per_quarter: The resolution of the grid.
    """

    quarters: Float64[np.ndarray, " run"]
    changes: tuple[BarChange, ...]
    steps_per_quarter: int

    def shifts(self, quarters: Float64[np.ndarray, " note"]) -> Float64[np.ndarray, " note"]:
        """The steps by which each time moves later, because each run starts on a step."""
        starts = np.array([change.start_step for change in self.changes])
        shifts = starts - self.quarters * self.steps_per_quarter
        runs = np.searchsorted(self.quarters, quarters + _ROUNDING, side="right") - 1
        found: Float64[np.ndarray, " note"] = shifts[runs]
        return found


def lay_on_steps(bars: Bars, steps_per_quarter: int) -> StepGrid:
    """Puts bars on the step grid, so that a bar of wrong length moves no later bar off the grid."""
    lines = bars.bar_lines
    firsts = {change.bar: change.meter for change in bars.meters}
    meter = firsts[0]
    if 1 not in firsts and lines[1] - lines[0] < meter.quarters_per_bar - _ROUNDING:
        firsts = {0: meter, 1: meter} | firsts
    quarters = lines[list(firsts)]
    lengths = np.ceil(np.diff(quarters) * steps_per_quarter - _ROUNDING)
    starts = np.cumsum([0, *np.maximum(lengths, 1)], dtype=np.int64)
    changes = map(BarChange, starts.tolist(), firsts.values())
    return StepGrid(quarters, tuple(changes), steps_per_quarter)


class _Run(NamedTuple):
    """Bar lines at equal distances: the first line, the distance, and the number of lines."""

    start: float
    length: float
    lines: int


class _Plan(NamedTuple):
    """The bar lines of a piece as runs, the number of lines, and the meters."""

    runs: list[_Run]
    lines: int
    meters: tuple[MeterChange, ...]


def _plan(marks: list[MeterMark], end: float, pickup: float) -> _Plan:
    if len(marks) == 1 and not marks[0].quarter and not pickup:
        meter = marks[0].meter
        length = meter.quarters_per_bar
        lines = max(math.ceil(end / length - 1e-6), 1) + 1
        return _Plan([_Run(0.0, length, lines)], lines, (MeterChange(0, meter),))
    marks = _effective(marks, end)
    runs = [_Run(0.0, pickup, 1)] if pickup else []
    meters = [MeterChange(0, marks[0].meter)]
    start, count = pickup, len(runs)
    for mark, after in pairwise(marks):
        length = mark.meter.quarters_per_bar
        bars = math.ceil((after.quarter - start - MOST_SLIP) / length)
        slip = after.quarter - start - bars * length
        runs.append(_Run(start, length, bars))
        count += bars
        start = start + bars * length if abs(slip) <= MOST_SLIP else after.quarter
        if not bars:
            meters.pop()
        meters.append(MeterChange(count, after.meter))
    length = marks[-1].meter.quarters_per_bar
    bars = max(math.ceil((end - start) / length - 1e-6), 1)
    runs.append(_Run(start, length, bars + 1))
    return _Plan(runs, count + bars + 1, tuple(meters))


def _effective(marks: list[MeterMark], end: float) -> list[MeterMark]:
    """The marks that change the meter while there are notes, the first of them at 0."""
    if len(marks) == 1 and marks[0].quarter == 0:
        return marks
    kept = [MeterMark(0.0, Meter())]
    for mark in marks:
        if mark.quarter <= kept[-1].quarter + MOST_SLIP:
            kept[-1] = MeterMark(kept[-1].quarter, mark.meter)
            if len(kept) > 1 and kept[-2].meter == mark.meter:
                kept.pop()
        elif mark.meter != kept[-1].meter and mark.quarter < end:
            kept.append(mark)
    return kept


def accented_quarters(
    onsets: Float64[np.ndarray, " note"],
    velocities: Integer[np.ndarray, " note"],
    sizes: Int64[np.ndarray, " batch"],
    meters: Sequence[Meter | None],
) -> Float64[np.ndarray, " batch"]:
    """The quarter notes of a bar after which the accents start a bar; 0 unless they are clear.

    Programs that turn written tunes into MIDI let a file begin with the pickup and play the first
    note of each bar louder. The accents are clear where there are eight or more notes of the
    loudest velocity, and nine of ten notes on one 16th of the bar, and no more than one of ten
    elsewhere, have it.

    Args:
        onsets: The onsets of all pieces, one piece after the other.
        velocities: The velocity of each onset.
        sizes: The number of onsets of each piece.
        meters: The meter of each piece; None if it changes: then no accents count.
    """
    pieces = len(sizes)
    bars = np.array([(meter.steps_per_bar() if meter else None) or 0 for meter in meters])
    owners = np.repeat(np.arange(pieces), sizes)
    loudest = np.zeros(pieces, velocities.dtype)
    has_notes = sizes > 0
    firsts = (np.cumsum(sizes) - sizes)[has_notes]
    if not len(firsts):
        return np.zeros(pieces)
    loudest[has_notes] = np.maximum.reduceat(velocities, firsts)
    loud = np.flatnonzero(velocities == loudest[owners])
    accents = np.bincount(owners[loud], minlength=pieces)
    steps = (onsets * 4 + 0.5).astype(np.int64) % np.maximum(bars, 1)[owners]
    width = max(int(bars.max()), 1)
    counts = np.bincount(owners[loud] * width + steps[loud], minlength=pieces * width)
    counts = counts.reshape(pieces, width)
    step = counts.argmax(axis=1)
    on_step = counts.max(axis=1)
    found = np.bincount(owners.compress(steps == step[owners]), minlength=pieces)
    is_clear = (bars > 0) & (accents >= _LEAST_ACCENTS) & (accents < sizes)
    is_clear &= on_step >= _LEAST_SHARE * found
    is_clear &= accents - on_step <= (1 - _LEAST_SHARE) * (sizes - found)
    return np.where(is_clear, step / 4, 0.0)
