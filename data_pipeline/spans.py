"""Finds the runs of regular bars of a piece: excerpts are cut within these.

A span is a run of bars of one meter that have its length. Excerpts are cut within spans, so that
each starts at a bar line and none holds a bar that is off.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int64

from musicvae.notes import Meter

from .piece import ReadPiece

_CUT_TIME = {Meter(2, 2): Meter(4, 4), Meter(4, 4): Meter(2, 2)}
"""Cut time has the same bar and the same steps as common time: each stands for the other."""


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
    irregular_bars = 0
    for change, end in zip(piece.meters, _ends(piece), strict=True):
        if not _is_in(change.meter, meter) or end == change.bar:
            continue
        lines = bar_steps[change.bar : end + 1].tolist()
        found = regular_spans(lines, steps_per_bar)
        spans += [replace(span, first_bar=span.first_bar + change.bar) for span in found]
        rest = lines[-1] - lines[0] - sum(span.bars for span in found) * steps_per_bar
        irregular_bars += -(-rest // steps_per_bar)
    return tuple(_join(spans, steps_per_bar)), irregular_bars


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
