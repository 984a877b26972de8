"""Ends runs of bars where the tempo changes: an excerpt is music of one tempo.

Source: Magenta's pipelines split a piece at every change of tempo. Here only a large change splits
a piece, since in many performances every beat has its own tempo; runs still start at bar lines.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64

from .grid import GridPiece
from .spans import Span

_ROUNDING = 1e-6
"""Quarter notes: a change of tempo this near to a bar line belongs to the bar line."""


def split_at_tempos(piece: GridPiece, most_change: float) -> GridPiece:
    """Splits runs so that in each the fastest tempo is at most `most_change` above the slowest.

    A bar whose own tempos differ by more is in no run.

    Args:
        piece: A piece.
        most_change: The most change, as a share of the slower tempo; 0 or more.
    """
    qpms = [tempo.qpm for tempo in piece.piece.tempos]
    most_times = 1 + most_change
    if len(qpms) <= 1 or max(qpms) <= most_times * min(qpms):
        return piece
    spans = tuple(part for span in piece.spans for part in _split(piece, span, most_times))
    lost = sum(span.bars for span in piece.spans) - sum(span.bars for span in spans)
    return piece._replace(spans=spans, unsteady_bars=lost)


def _split(piece: GridPiece, span: Span, most_times: float) -> Iterator[Span]:
    slowest, fastest = _find_tempos(piece, span)
    first, low, high = 0, np.inf, 0.0
    for bar, (slow, fast) in enumerate(zip(slowest.tolist(), fastest.tolist(), strict=True)):
        low, high = min(low, slow), max(high, fast)
        if high > most_times * low:
            if bar > first:
                yield _part(piece, span, first, bar)
            is_steady = fast <= most_times * slow
            first, low, high = (bar, slow, fast) if is_steady else (bar + 1, np.inf, 0.0)
    if span.bars > first:
        yield _part(piece, span, first, span.bars)


def _find_tempos(
    piece: GridPiece, span: Span
) -> tuple[Float64[np.ndarray, " bar"], Float64[np.ndarray, " bar"]]:
    """The slowest and the fastest tempo of each bar."""
    times = np.array([tempo.quarter for tempo in piece.piece.tempos])
    qpms = np.array([tempo.qpm for tempo in piece.piece.tempos])
    lines = piece.quarters(span.start_step + np.arange(span.bars + 1) * piece.steps_per_bar)
    first = np.maximum(times.searchsorted(lines[:-1] + _ROUNDING, side="right") - 1, 0)
    last = np.maximum(times.searchsorted(lines[1:] - _ROUNDING), first + 1)
    ranges = np.stack([first, last], axis=1).ravel()
    values = np.append(qpms, qpms[-1])  # a last range may end behind the last tempo
    return np.minimum.reduceat(values, ranges)[::2], np.maximum.reduceat(values, ranges)[::2]


def _part(piece: GridPiece, span: Span, first: int, end: int) -> Span:
    start_step = span.start_step + first * piece.steps_per_bar
    return Span(start_step, end - first)
