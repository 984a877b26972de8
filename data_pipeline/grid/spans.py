"""Finds the runs of regular bars of a piece.

A span is a run of bars of one meter that all have the meter's length. Excerpts are cut within
spans, so that each excerpt starts at a bar line and holds no irregular bar. In 4/4 and 2/2, a span
may also hold joined bars: pairs of bars of 2/4, or groups of four bars of 1/4 (see
`bars_to_join`).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from musicvae.data_pipeline.readers.piece import ReadPiece
from musicvae.music.bars import bars_to_join
from musicvae.music.meter_evidence import doubt_common_time, find_first_bar
from musicvae.music.notes import Meter

_FOUR_BEATS = 4
"""Bars of one beat show no meter: four are joined only where the onsets agree with 4/4."""


class Span(NamedTuple):
    """A run of regular bars: where it starts, and how many bars it has."""

    start_step: int
    bars: int


class ShortBars(NamedTuple):
    """The regular bars of a shorter meter, of which several may make a bar of the wanted meter.

    Attributes:
        joined: The number of bars that are part of a joined bar.
        left: The number of other bars.
        doubt: Why no bars are joined; empty where the notes allow it.
    """

    joined: int = 0
    left: int = 0
    doubt: str = ""


class FoundSpans(NamedTuple):
    """The runs of regular bars of a piece.

    Attributes:
        spans: The runs, in order.
        irregular_bars: The number of bars of the wanted or a shorter meter that are irregular.
        short_bars: The bars of each shorter meter, by the meter's text.
        other_bars: The number of bars in each other meter, by the meter's text.
    """

    spans: tuple[Span, ...]
    irregular_bars: int
    short_bars: dict[str, ShortBars]
    other_bars: dict[str, int]


def find_spans(
    piece: ReadPiece,
    bar_steps: Int64[np.ndarray, " line"],
    meter: Meter,
    steps_per_bar: int,
    regular_from: int,
) -> FoundSpans:
    """Finds the runs of regular bars of a meter.

    Args:
        piece: The piece.
        bar_steps: The step of each bar line of the piece.
        meter: The meter that excerpts are cut in.
        steps_per_bar: The steps of a bar of that meter.
        regular_from: The bar from which on all bars have that length, or -1.
    """
    if (
        regular_from >= 0
        and len(piece.meters) == 1
        and bars_to_join(piece.meters[0].meter, meter) == 1
    ):
        bars = len(bar_steps) - 1 - regular_from
        return FoundSpans((Span(int(bar_steps[regular_from]), bars),), regular_from, {}, {})
    spans: list[Span] = []
    irregular_bars = 0
    short_bars: dict[str, ShortBars] = {}
    for change, end in zip(piece.meters, _ends(piece), strict=True):
        count = bars_to_join(change.meter, meter)
        if not count:
            continue
        lines, own_steps = bar_steps[change.bar : end + 1], steps_per_bar // count
        found, other = find_runs(lines, own_steps)
        irregular_bars += other
        if count > 1:
            found, short = _join_bars(piece, bar_steps, found, count, steps_per_bar)
            before = short_bars.get(str(change.meter), ShortBars())
            short_bars[str(change.meter)] = ShortBars(
                before.joined + short.joined, before.left + short.left, before.doubt or short.doubt
            )
        spans += found
    return FoundSpans(
        tuple(_join_spans(spans, steps_per_bar)),
        irregular_bars,
        short_bars,
        count_other_bars(piece, meter),
    )


def _join_bars(
    piece: ReadPiece,
    bar_steps: Int64[np.ndarray, " line"],
    runs: list[Span],
    count: int,
    steps_per_bar: int,
) -> tuple[list[Span], ShortBars]:
    """Joins the bars of runs of a shorter meter, `count` to a bar of the wanted meter."""
    parts = [part for part in piece.parts if not part.is_drum] or piece.parts
    onsets, ends = parts[0].onsets, parts[0].ends
    if len(parts) > 1:
        onsets = np.sort(np.concatenate([part.onsets for part in parts]))
        ends = np.concatenate([part.ends for part in parts])
    ends = np.sort(ends)
    bars = sum(run.bars for run in runs)
    if count == _FOUR_BEATS and (doubt := doubt_common_time(onsets)):
        return [], ShortBars(left=bars, doubt=doubt)
    short_steps = steps_per_bar // count
    spans: list[Span] = []
    for run in runs:
        steps = run.start_step + short_steps * np.arange(run.bars)
        lines = piece.bar_lines.take(bar_steps.searchsorted(steps))
        first = find_first_bar(onsets, ends, lines, count=count, parts=len(parts))
        if whole := (run.bars - first) // count:
            spans.append(Span(run.start_step + first * short_steps, whole))
    joined = count * sum(span.bars for span in spans)
    return spans, ShortBars(joined, bars - joined)


def _join_spans(spans: list[Span], steps_per_bar: int) -> list[Span]:
    """Joins adjacent spans: between them only the way changes in which the file writes the bars."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and last.start_step + last.bars * steps_per_bar == span.start_step:
            joined[-1] = last._replace(bars=last.bars + span.bars)
        else:
            joined.append(span)
    return joined


def find_runs(bar_lines: Int64[np.ndarray, " line"], steps_per_bar: int) -> tuple[list[Span], int]:
    """Finds the runs of regular bars between ascending bar lines; the last line ends the last bar.

    Consecutive short bars that add up to one regular bar count as one bar: for example the last bar
    of a strain and the pickup to the next strain, on either side of a repeat.

    Returns:
        The runs, and the number of irregular bars.

    >>> find_runs(np.array([0, 4, 20, 36, 48, 52, 68]), 16)
    ([Span(start_step=4, bars=4)], 1)
    """
    other_bars = (bar_lines[1:] - bar_lines[:-1] != steps_per_bar).nonzero()[0]
    lines = bar_lines[other_bars]
    nearest = bar_lines.take(bar_lines.searchsorted(lines + steps_per_bar), mode="clip")
    runs: list[Span] = []
    irregular_bars = 0
    first = end = int(bar_lines[0])
    for line, after, joined_end in zip(
        lines.tolist(), bar_lines[other_bars + 1].tolist(), nearest.tolist(), strict=True
    ):
        if line < end:
            continue  # this line divides a joined bar
        if joined_end == line + steps_per_bar:
            end = joined_end
            continue
        irregular_bars += 1
        if line > first:
            runs.append(Span(first, (line - first) // steps_per_bar))
        first = end = after
    last = int(bar_lines[-1])
    if last > first:
        runs.append(Span(first, (last - first) // steps_per_bar))
    return runs, irregular_bars


def count_other_bars(piece: ReadPiece, meter: Meter) -> dict[str, int]:
    """Counts the bars of a piece in meters that can't be cut in `meter`, by the meter's text."""
    if len(piece.meters) == 1:
        only = piece.meters[0].meter
        return {} if bars_to_join(only, meter) else {str(only): len(piece.bar_lines) - 1}
    others: dict[str, int] = {}
    for change, end in zip(piece.meters, _ends(piece), strict=True):
        if not bars_to_join(change.meter, meter):
            name = str(change.meter)
            others[name] = others.get(name, 0) + end - change.bar
    return others


def _ends(piece: ReadPiece) -> list[int]:
    """The bar at which each of a piece's meters ends."""
    return [*(change.bar for change in piece.meters[1:]), len(piece.bar_lines) - 1]
