"""Finds the runs of regular bars of a piece.

A span is a run of bars of one meter that all have the meter's length. Excerpts are cut within
spans, so that each excerpt starts at a bar line and holds no irregular bar.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from musicvae.data_pipeline.readers.piece import ReadPiece
from musicvae.music.notes import Meter

_CUT_TIME = {Meter(2, 2): Meter(4, 4), Meter(4, 4): Meter(2, 2)}
"""Cut time has the same bar and the same steps as common time."""


class Span(NamedTuple):
    """A run of regular bars: where it starts, and how many bars it has."""

    start_step: int
    bars: int


def find_spans(
    piece: ReadPiece,
    bar_steps: Int64[np.ndarray, " line"],
    meter: Meter,
    steps_per_bar: int,
    regular_from: int,
) -> tuple[tuple[Span, ...], int]:
    """The runs of regular bars, and the number of bars of the meter that are irregular.

    Args:
        piece: The piece.
        bar_steps: The step of each bar line of the piece.
        meter: The meter that excerpts are cut in.
        steps_per_bar: The steps of a bar of that meter.
        regular_from: The bar from which on all bars have that length, or -1.
    """
    if regular_from >= 0 and len(piece.meters) == 1 and _is_in(piece.meters[0].meter, meter):
        bars = len(bar_steps) - 1 - regular_from
        return (Span(int(bar_steps[regular_from]), bars),), regular_from
    spans: list[Span] = []
    irregular_bars = 0
    for change, end in zip(piece.meters, _ends(piece), strict=True):
        if _is_in(change.meter, meter):
            lines = bar_steps[change.bar : end + 1].tolist()
            starts, are_regular = whole_bars(lines, steps_per_bar)
            spans += regular_spans(starts, are_regular)
            irregular_bars += are_regular.count(False)
    return tuple(_join(spans, steps_per_bar)), irregular_bars


def _join(spans: list[Span], steps_per_bar: int) -> list[Span]:
    """Joins adjacent spans: between them the file only writes cut time for common time."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and last.start_step + last.bars * steps_per_bar == span.start_step:
            joined[-1] = last._replace(bars=last.bars + span.bars)
        else:
            joined.append(span)
    return joined


def whole_bars(bar_lines: Sequence[int], steps_per_bar: int) -> tuple[list[int], list[bool]]:
    """Finds the bars between ascending bar lines; the last line is the end of the last bar.

    Consecutive short bars that add up to one regular bar count as one bar: for example the last bar
    of a strain and the pickup to the next strain, on either side of a repeat.

    Returns:
        The start of each bar, and whether it has `steps_per_bar` steps.

    >>> whole_bars([0, 4, 20, 36, 48, 52, 68], 16)
    ([0, 4, 20, 36, 52], [False, True, True, True, True])
    """
    starts: list[int] = []
    are_regular: list[bool] = []
    index, last = 0, len(bar_lines) - 1
    while index < last:
        start = bar_lines[index]
        after = index + 1
        while (length := bar_lines[after] - start) < steps_per_bar and after < last:
            after += 1
        is_regular = length == steps_per_bar
        starts.append(start)
        are_regular.append(is_regular)
        index = after if is_regular else index + 1
    return starts, are_regular


def regular_spans(starts: Sequence[int], are_regular: Sequence[bool]) -> list[Span]:
    """Finds the runs of regular bars among consecutive bars, as `whole_bars` finds them."""
    spans: list[Span] = []
    bar = 0
    for is_regular, run in groupby(are_regular):
        bars = sum(1 for _ in run)
        if is_regular:
            spans.append(Span(starts[bar], bars))
        bar += bars
    return spans


def count_other_bars(piece: ReadPiece, meter: Meter) -> dict[str, int]:
    """Counts the bars of a piece in each other meter, by the meter's text."""
    if len(piece.meters) == 1 and _is_in(piece.meters[0].meter, meter):
        return {}
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
