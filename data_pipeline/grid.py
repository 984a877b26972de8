"""Puts a piece on a grid of steps: the notes' columns in whole steps, and runs of regular bars.

Conventions: a bar starts on a step, whatever the bars before it hold, so that one wrong bar moves
nothing behind it off the grid. An onset goes to the step that is nearest, half a step to the later
one; how far it was off stays in `offsets`, in steps. A note has one step at least. A span is a run
of bars of one meter that have its length; excerpts are cut within spans, so that each starts at a
bar line and none holds a bar that is off.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import numpy as np
from jaxtyping import Float32, Float64, Int16, Int32, Int64

from musicvae.notes import DEFAULT_QPM, Meter

from .piece import ReadPiece

_ROUNDING = 1e-6
"""Of a step: what floating point may take from half a step."""

_CUT_TIME = {Meter(2, 2): Meter(4, 4), Meter(4, 4): Meter(2, 2)}
"""Cut time has the same bar and the same steps as common time: each stands for the other."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GridPart:
    """The notes of one instrument in steps; see `piece.Part`.

    Attributes:
        name: Its name in the file.
        program: General MIDI program.
        is_drum: Whether its pitches are General MIDI drums.
        starts: The step of each onset, ascending.
        ends: The first step at which each is silent again.
        pitches: MIDI numbers.
        velocities: 1 to 127.
        offsets: How far each onset stands from its step, in steps; below 0 early.
    """

    name: str
    program: int
    is_drum: bool
    starts: Int32[np.ndarray, " note"]
    ends: Int32[np.ndarray, " note"]
    pitches: Int32[np.ndarray, " note"]
    velocities: Int32[np.ndarray, " note"]
    offsets: Float32[np.ndarray, " note"]


@dataclass(frozen=True, slots=True)
class Span:
    """A run of regular bars.

    Attributes:
        start_step: The first bar line.
        bars: The number of bars.
        first_bar: The number of its first bar in the piece, from 0.
    """

    start_step: int
    bars: int
    first_bar: int


@dataclass(frozen=True, kw_only=True, eq=False)
class GridPiece:
    """A piece on the grid, ready to be cut in one meter.

    Attributes:
        parts: In the file's order.
        spans: The runs of regular bars of the wanted meter.
        meter: The wanted meter.
        steps_per_quarter: The resolution of the grid.
        steps_per_bar: Steps of a bar of that meter.
        length_steps: The end of the last bar, or of the last note where that is later.
        bar_steps: The step of each bar line, the end of the last bar included.
        irregular_bars: Bars of the wanted meter that are too long or too short.
        other_bars: The number of bars in each other meter, by the meter's text.
        piece: What was read.
    """

    parts: tuple[GridPart, ...]
    spans: tuple[Span, ...]
    meter: Meter
    steps_per_quarter: int
    steps_per_bar: int
    length_steps: int
    bar_steps: Int64[np.ndarray, " line"]
    irregular_bars: int
    other_bars: dict[str, int]
    piece: ReadPiece

    def quarters(self, steps: Int64[np.ndarray, " batch"]) -> Float64[np.ndarray, " batch"]:
        """When each step is, in quarter notes from the start of the piece."""
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


def put_on_grid(piece: ReadPiece, meter: Meter, steps_per_quarter: int) -> GridPiece:
    """Puts a piece whose meter is known on the grid, to be cut in `meter`.

    A piece in cut time is one in common time, and the other way round.
    """
    return put_all_on_grid([piece], meter, steps_per_quarter)[0]


def put_all_on_grid(
    pieces: Sequence[ReadPiece], meter: Meter, steps_per_quarter: int
) -> list[GridPiece]:
    """Puts many pieces on the grid, as `put_on_grid` does each: their notes in one go."""
    steps_per_bar = meter.steps_per_bar(steps_per_quarter)
    assert steps_per_bar is not None, meter
    if not pieces:
        return []
    bars = _lay_bars(pieces, steps_per_quarter)
    parts = _put_parts(pieces, bars, steps_per_quarter)
    first_part = 0
    grids = []
    for piece, bar_steps, is_even in zip(pieces, bars.bar_steps, bars.are_even, strict=True):
        after = first_part + len(piece.parts)
        own = parts[first_part:after]
        first_part = after
        runs = _find_spans(piece, bar_steps, meter, steps_per_bar, is_even=is_even)
        last = max((end for _, end in own), default=0)
        grids.append(
            GridPiece(
                parts=tuple([part for part, _ in own]),
                spans=runs.spans,
                meter=meter,
                steps_per_quarter=steps_per_quarter,
                steps_per_bar=steps_per_bar,
                length_steps=max(last, int(bar_steps[-1])),
                bar_steps=bar_steps,
                irregular_bars=runs.irregular_bars,
                other_bars=runs.other_bars,
                piece=piece,
            )
        )
    return grids


def count_other_bars(piece: ReadPiece, meter: Meter) -> dict[str, int]:
    """The number of bars that a piece has in each other meter, by the meter's text."""
    others: dict[str, int] = {}
    for change, end in zip(piece.meters, _ends(piece), strict=True):
        if not _is_in(change.meter, meter):
            name = str(change.meter)
            others[name] = others.get(name, 0) + end - change.bar
    return others


def _is_in(found: Meter, wanted: Meter) -> bool:
    return found == wanted or _CUT_TIME.get(found) == wanted


def _ends(piece: ReadPiece) -> list[int]:
    """The bar at which each of a piece's meters ends."""
    return [*(change.bar for change in piece.meters[1:]), len(piece.bar_lines) - 1]


@dataclass(frozen=True, kw_only=True, eq=False)
class _BarSteps:
    """The bars of some pieces in steps.

    Attributes:
        bar_steps: For each piece, the step of each bar line.
        are_even: For each piece, whether all bars have one length, which is whole.
    """

    bar_steps: list[Int64[np.ndarray, " _"]]
    are_even: list[bool]


def _lay_bars(pieces: Sequence[ReadPiece], steps_per_quarter: int) -> _BarSteps:
    lines = [piece.bar_lines for piece in pieces]
    assert all(len(own) > 1 for own in lines) and all(piece.meters for piece in pieces), "no meter"
    firsts = np.cumsum([0, *map(len, lines)])
    lengths = np.diff(np.concatenate(lines)) * steps_per_quarter
    # From the last line of a piece to the first of the next there is no bar.
    lengths[firsts[1:-1] - 1] = 0
    steps = np.maximum(np.ceil(lengths - _ROUNDING), 1).astype(np.int64)
    sums = np.concatenate([[0], np.cumsum(steps)])
    sizes = np.diff(firsts)
    starts = firsts[:-1]
    bar_steps = sums - np.repeat(sums[starts], sizes)
    first_lengths = np.repeat(lengths[starts], sizes)[:-1]
    is_even = np.abs(lengths - first_lengths) < _ROUNDING
    is_even[firsts[1:-1] - 1] = True
    are_even = np.logical_and.reduceat(is_even, starts) & (lengths[starts] == steps[starts])
    bounds = firsts.tolist()
    return _BarSteps(
        bar_steps=[bar_steps[low:high] for low, high in pairwise(bounds)],
        are_even=are_even.tolist(),
    )


def _put_parts(
    pieces: Sequence[ReadPiece], bars: _BarSteps, steps_per_quarter: int
) -> list[tuple[GridPart, int]]:
    """All parts of all pieces on the grid, each with the last of its ends."""
    parts = [part for piece in pieces for part in piece.parts]
    if not parts:
        return []
    bounds = [0, *accumulate(len(part.onsets) for part in parts)]
    times = np.empty((2, bounds[-1]))
    np.concatenate([part.onsets for part in parts], out=times[0])
    np.concatenate([part.ends for part in parts], out=times[1])
    steps = times * steps_per_quarter
    first_part = 0
    for piece, bar_steps, is_even in zip(pieces, bars.bar_steps, bars.are_even, strict=True):
        after = first_part + len(piece.parts)
        if not is_even:
            notes = slice(bounds[first_part], bounds[after])
            own, lines = times[:, notes], piece.bar_lines
            at = lines.searchsorted(own + _ROUNDING, side="right") - 1
            np.minimum(at, len(lines) - 2, out=at)
            steps[:, notes] = bar_steps[at] + (own - lines[at]) * steps_per_quarter
        first_part = after
    whole = np.floor(steps + (0.5 + _ROUNDING))
    offsets = (steps[0] - whole[0]).astype(np.float32)
    starts, ends = whole.astype(np.int32)
    ends = np.maximum(ends, starts + 1)
    pitches = np.concatenate([part.pitches for part in parts])
    velocities = np.concatenate([part.velocities for part in parts])
    order = _find_order(starts, ends, pitches, np.array(bounds))
    if order is not None:
        starts, ends, offsets = starts[order], ends[order], offsets[order]
        pitches, velocities = pitches[order], velocities[order]
    pitches, velocities = pitches.astype(np.int32), velocities.astype(np.int32)
    last_ends = np.maximum.reduceat(ends, bounds[:-1]).tolist()
    return [
        (
            GridPart(
                name=part.name,
                program=part.program,
                is_drum=part.is_drum,
                starts=starts[low:high],
                ends=ends[low:high],
                pitches=pitches[low:high],
                velocities=velocities[low:high],
                offsets=offsets[low:high],
            ),
            last,
        )
        for part, (low, high), last in zip(parts, pairwise(bounds), last_ends, strict=True)
    ]


def _find_order(
    starts: Int32[np.ndarray, " note"],
    ends: Int32[np.ndarray, " note"],
    pitches: Int16[np.ndarray, " note"],
    bounds: Int64[np.ndarray, " _"],
) -> Int64[np.ndarray, " note"] | None:
    """The order by start, pitch and end within each part; None where they stand in it.

    They stood in order of time, so that only what the grid moved to one step may be out of it: most
    parts need no sorting.
    """
    is_out = starts[1:] < starts[:-1]
    is_equal = starts[1:] == starts[:-1]
    if is_equal.any():
        is_higher = pitches[:-1] > pitches[1:]
        is_longer = (pitches[:-1] == pitches[1:]) & (ends[:-1] > ends[1:])
        is_out |= is_equal & (is_higher | is_longer)
    is_out[bounds[1:-1] - 1] = False
    if not is_out.any():
        return None
    sizes = np.diff(bounds)
    parts = np.repeat(np.arange(len(sizes)), sizes)
    has_disorder = np.zeros(len(sizes), bool)
    has_disorder[parts[1:][is_out]] = True
    order = np.arange(len(starts))
    at = np.flatnonzero(has_disorder[parts])
    order[at] = at[np.lexsort((ends[at], pitches[at], starts[at], parts[at]))]
    return order


@dataclass(frozen=True, kw_only=True)
class _Runs:
    """What the bars of a piece are; see `GridPiece`."""

    spans: tuple[Span, ...]
    irregular_bars: int
    other_bars: dict[str, int]


def _find_spans(
    piece: ReadPiece,
    bar_steps: Int64[np.ndarray, " line"],
    meter: Meter,
    steps_per_bar: int,
    *,
    is_even: bool,
) -> _Runs:
    spans: list[Span] = []
    irregular_bars = 0
    for change, end in zip(piece.meters, _ends(piece), strict=True):
        if not _is_in(change.meter, meter) or end == change.bar:
            continue
        if is_even and int(bar_steps[1]) == steps_per_bar:
            spans.append(Span(change.bar * steps_per_bar, end - change.bar, change.bar))
            continue
        lines = bar_steps[change.bar : end + 1]
        found = _find_one_span(lines, steps_per_bar) or regular_spans(lines.tolist(), steps_per_bar)
        spans += [replace(span, first_bar=span.first_bar + change.bar) for span in found]
        rest = int(lines[-1] - lines[0]) - sum(span.bars for span in found) * steps_per_bar
        irregular_bars += -(-rest // steps_per_bar)
    return _Runs(
        spans=tuple(_join(spans, steps_per_bar)),
        irregular_bars=irregular_bars,
        other_bars=count_other_bars(piece, meter),
    )


def _find_one_span(bar_lines: Int64[np.ndarray, " line"], steps_per_bar: int) -> tuple[Span, ...]:
    """What `regular_spans` finds where all bars are regular after a pickup; none elsewhere."""
    lengths = np.diff(bar_lines)
    pickups = int(lengths[0] < steps_per_bar)
    count = len(lengths) - pickups
    if not count or (lengths[pickups:] != steps_per_bar).any():
        return ()
    return (Span(int(bar_lines[pickups]), count, pickups),)


def _join(spans: list[Span], steps_per_bar: int) -> list[Span]:
    """Joins spans between which the meter was only written again (cut time for common time)."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and last.start_step + last.bars * steps_per_bar == span.start_step:
            joined[-1] = replace(last, bars=last.bars + span.bars)
        else:
            joined.append(span)
    return joined


def regular_spans(bar_lines: Sequence[int], steps_per_bar: int) -> tuple[Span, ...]:
    """Finds the runs of bars that have `steps_per_bar` steps each.

    Short bars that follow each other and make up one bar count as one: the last bar of a strain
    and the pickup to the next, on either side of a repeat. The last of the ascending `bar_lines`
    is the end of the last bar.

    >>> regular_spans([0, 4, 20, 36, 48, 52, 68], 16)
    (Span(start_step=4, bars=4, first_bar=1),)
    """
    spans: list[Span] = []
    start = count = 0
    first_bar = bar = 0
    index = 0
    while index + 1 < len(bar_lines):
        after = index + 1
        while after + 1 < len(bar_lines) and bar_lines[after] - bar_lines[index] < steps_per_bar:
            after += 1
        if bar_lines[after] - bar_lines[index] == steps_per_bar:
            if not count:
                start, first_bar = bar_lines[index], bar
            count += 1
            index = after
        else:
            if count:
                spans.append(Span(start, count, first_bar))
            count = 0
            index += 1
        bar += 1
    if count:
        spans.append(Span(start, count, first_bar))
    return tuple(spans)
