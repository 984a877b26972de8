"""Where bars start: from the meters of a piece and where each begins to hold.

Conventions: time is in quarter notes. A change of meter starts a bar, so the bar before it may be
a short one.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, Integer

from musicvae.music.notes import Meter

from .piece import MeterChange

MOST_SLIP = 0.05
"""A change of meter no further than this from a bar line of the meter before, in quarter notes, is
meant to be on it: programs count a tick more or less."""

_LEAST_ACCENTS = 8
_LEAST_SHARE = 0.9


class MeterMark(NamedTuple):
    """A time signature where a file writes it, in quarter notes from the start."""

    quarter: float
    meter: Meter


class Bars(NamedTuple):
    """The bar lines and the meters of a piece, as `piece.ReadPiece` holds them."""

    bar_lines: Float64[np.ndarray, " line"]
    meters: tuple[MeterChange, ...]
    missing_meter: str = ""


def quarters_per_bar(meter: Meter) -> float:
    """The length of a bar in quarter notes."""
    return 4 * meter.numerator / meter.denominator


def draw_bars(marks: list[MeterMark], end: float, *, pickup: float = 0.0) -> Bars:
    """Draws the bar lines up to the end of the last bar that has begun before `end`.

    Before the first mark the meter is 4/4, as the standard of MIDI files says. A mark that says
    again what holds already changes nothing.

    Args:
        marks: In order; of those at one time the last counts.
        end: The end of the last note, in quarter notes.
        pickup: Quarter notes before the first whole bar, where the meter never changes.
    """
    return draw_all_bars([marks], [end], [pickup])[0]


def draw_all_bars(
    marks: Sequence[list[MeterMark]], ends: Sequence[float], pickups: Sequence[float]
) -> list[Bars]:
    """Draws the bar lines of many pieces, as `draw_bars` does those of each."""
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


class _Run(NamedTuple):
    """Bar lines that stand equally far apart: where the first is, how far, and how many."""

    start: float
    length: float
    lines: int


class _Plan(NamedTuple):
    """The bar lines of a piece before they are drawn, how many there are, and the meters."""

    runs: list[_Run]
    lines: int
    meters: tuple[MeterChange, ...]


def _plan(marks: list[MeterMark], end: float, pickup: float) -> _Plan:
    marks = _effective(marks, end)
    runs = [_Run(0.0, pickup, 1)] if pickup else []
    meters = [MeterChange(0, marks[0].meter)]
    start, count = pickup, len(runs)
    for mark, after in pairwise(marks):
        length = quarters_per_bar(mark.meter)
        bars = math.ceil((after.quarter - start - MOST_SLIP) / length)
        slip = after.quarter - start - bars * length
        runs.append(_Run(start, length, bars))
        count += bars
        start = start + bars * length if abs(slip) <= MOST_SLIP else after.quarter
        meters.append(MeterChange(count, after.meter))
    length = quarters_per_bar(marks[-1].meter)
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
    """Where in a bar the accents say that bars begin, in quarter notes; 0 unless they are clear.

    Programs that turn written tunes into MIDI let a file begin with the pickup and play the first
    note of each bar louder. The accents are clear where there are eight or more notes of the
    loudest velocity, and nine of ten notes on one 16th of the bar, and no more than one of ten
    elsewhere, have it.

    Args:
        onsets: The onsets of some pieces, one piece after the other.
        velocities: Their velocities.
        sizes: How many of them each piece has.
        meters: The meter of each piece; None where it changes, and no accents are looked for.
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
    found = np.bincount(owners[steps == step[owners]], minlength=pieces)
    is_clear = (bars > 0) & (accents >= _LEAST_ACCENTS) & (accents < sizes)
    is_clear &= on_step >= _LEAST_SHARE * found
    is_clear &= accents - on_step <= (1 - _LEAST_SHARE) * (sizes - found)
    return np.where(is_clear, step / 4, 0.0)
