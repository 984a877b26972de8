"""Finds the runs of regular bars of a piece: excerpts are cut within these.

A span is a run of bars of one meter that have its length. Excerpts are cut within spans, so that
each starts at a bar line and none holds a bar that is off.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from musicvae.data_pipeline.readers.piece import ReadPiece
from musicvae.music.notes import Meter

_CUT_TIME = {Meter(2, 2): Meter(4, 4), Meter(4, 4): Meter(2, 2)}
"""Cut time has the same bar and the same steps as common time: each stands for the other."""


class Span(NamedTuple):
    """A run of regular bars.

    Attributes:
        start_step: The first bar line.
        bars: The number of bars.
        first_bar: The number of its first bar in the piece, from 0. In the wanted meter
            `whole_bars` says what counts as one, in others every bar line.
    """

    start_step: int
    bars: int
    first_bar: int


def find_spans(
    piece: ReadPiece,
    bar_steps: Int64[np.ndarray, " line"],
    meter: Meter,
    steps_per_bar: int,
    regular_from: int,
) -> tuple[tuple[Span, ...], int]:
    """The runs of regular bars, and the number of bars of the meter that are irregular."""
    if regular_from >= 0 and len(piece.meters) == 1 and _is_in(piece.meters[0].meter, meter):
        bars = len(bar_steps) - 1 - regular_from
        return (Span(int(bar_steps[regular_from]), bars, regular_from),), regular_from
    spans: list[Span] = []
    first_bar = irregular_bars = 0
    for change, end in zip(piece.meters, _ends(piece), strict=True):
        if not _is_in(change.meter, meter):
            first_bar += end - change.bar
            continue
        lines = bar_steps[change.bar : end + 1].tolist()
        starts, are_regular = whole_bars(lines, steps_per_bar)
        spans += regular_spans(starts, are_regular, first_bar)
        first_bar += len(starts)
        irregular_bars += are_regular.count(False)
    return tuple(_join(spans, steps_per_bar)), irregular_bars


def _join(spans: list[Span], steps_per_bar: int) -> list[Span]:
    """Joins spans between which the meter was only written again (cut time for common time)."""
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

    Short bars that follow each other and make up one regular bar count as one: the last bar of a
    strain and the pickup to the next, on either side of a repeat.

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


def regular_spans(
    starts: Sequence[int], are_regular: Sequence[bool], first_bar: int = 0
) -> list[Span]:
    """Finds the runs of regular bars among bars that follow each other.

    Args:
        starts: As `whole_bars` finds them.
        are_regular: The same.
        first_bar: The number of the first of them in its piece.
    """
    spans: list[Span] = []
    bar = 0
    for is_regular, run in groupby(are_regular):
        bars = sum(1 for _ in run)
        if is_regular:
            spans.append(Span(starts[bar], bars, first_bar + bar))
        bar += bars
    return spans


def count_other_bars(piece: ReadPiece, meter: Meter) -> dict[str, int]:
    """The number of bars that a piece has in each other meter, by the meter's text."""
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
