"""Finds the windows for excerpts, which start at bar lines within runs of regular bars."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32, Int64

from musicvae.data_pipeline.grid.grid import GridPiece
from musicvae.data_pipeline.rejections import Rejection


@dataclass(frozen=True, kw_only=True, eq=False)
class Windows:
    """The windows of some pieces, one piece after the other.

    Attributes:
        first_steps: The first step of each window, ascending in each piece.
        start_bars: The number of the first bar of each window among the bar lines of its piece,
            from 0: a pickup is bar 0.
        sizes: The number of windows of each piece.
    """

    first_steps: Int64[np.ndarray, " batch"]
    start_bars: Int32[np.ndarray, " batch"]
    sizes: Int64[np.ndarray, " _"]


def find_windows(pieces: Sequence[GridPiece], bars: int, hop_bars: int) -> Windows:
    """Finds the windows of `bars` regular bars, one every `hop_bars` of a run."""
    spans = [
        (number, span.start_step, (span.bars - bars) // hop_bars + 1)
        for number, piece in enumerate(pieces)
        for span in piece.spans
        if span.bars >= bars
    ]
    numbers, start_steps, counts = np.array(spans, np.int64).reshape(-1, 3).T
    hop_steps = hop_bars * pieces[0].steps_per_bar if pieces else 0
    first_steps = np.repeat(start_steps, counts) + number_within(counts) * hop_steps
    sizes = np.bincount(np.repeat(numbers, counts), minlength=len(pieces))
    ends = np.cumsum(sizes).tolist()
    start_bars = [
        piece.bar_steps.searchsorted(first_steps[end - size : end])
        for piece, size, end in zip(pieces, sizes.tolist(), ends, strict=True)
    ]
    return Windows(
        first_steps=first_steps,
        start_bars=np.concatenate([np.zeros(0, np.int32), *start_bars]).astype(np.int32),
        sizes=sizes,
    )


def number_within(counts: Int64[np.ndarray, " _"]) -> Int64[np.ndarray, " batch"]:
    """Numbers the members of each group from 0; the groups follow each other.

    >>> number_within(np.array([2, 0, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    numbers: Int64[np.ndarray, " batch"] = np.arange(counts.sum())
    numbers -= np.repeat(np.cumsum(counts) - counts, counts)
    return numbers


def reject_bars(piece: GridPiece, bars: int) -> list[Rejection]:
    """The bars that no window of `bars` regular bars can hold."""
    rejections: list[Rejection] = []
    if count := piece.irregular_bars:
        found = f"{_say(count, 'bar')} that {'is' if count == 1 else 'are'} no whole {piece.meter}"
        rejections.append(Rejection("bar", "irregular_bar", found, count))
    if count := piece.unsteady_bars:
        found = f"{_say(count, 'bar')} within which the tempo changes"
        rejections.append(Rejection("bar", "tempo_change", found, count))
    short = [span.bars for span in piece.spans if span.bars < bars]
    if len(short) == len(piece.spans):
        found = f"{_say(max(short, default=0), 'regular bar')} in a row"
        rejections.append(Rejection("piece", "too_short", found))
    elif short:
        found = f"fewer than {_say(bars, 'regular bar')} in a row"
        rejections.append(Rejection("bar", "short_run", found, sum(short)))
    return rejections


def _say(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
