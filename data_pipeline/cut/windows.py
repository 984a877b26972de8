"""Where excerpts may start: at bar lines within runs of regular bars."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32, Int64

from musicvae.data_pipeline.grid.grid import GridPiece

from .excerpts import Tally
from .rules import Reason


@dataclass(frozen=True, kw_only=True, eq=False)
class Windows:
    """The windows of a piece, or those of many, one piece after the other.

    Attributes:
        first_steps: The first step of each, ascending in each piece.
        start_bars: The number of its first bar in the piece, from 0.
        sizes: How many windows each piece has.
    """

    first_steps: Int64[np.ndarray, " batch"]
    start_bars: Int32[np.ndarray, " batch"]
    sizes: Int64[np.ndarray, " _"]


def find_windows(piece: GridPiece, bars: int, hop_bars: int, tally: Tally) -> Windows:
    """Finds the windows of `bars` regular bars, and counts the bars that no window can hold."""
    count_lost_bars(piece, bars, tally)
    return find_all_windows([piece], bars, hop_bars)


def find_all_windows(pieces: Sequence[GridPiece], bars: int, hop_bars: int) -> Windows:
    """Finds the windows of `bars` regular bars, one every `hop_bars` of a run."""
    spans = [
        (number, span.start_step, span.first_bar, (span.bars - bars) // hop_bars + 1)
        for number, piece in enumerate(pieces)
        for span in piece.spans
        if span.bars >= bars
    ]
    numbers, start_steps, first_bars, counts = np.array(spans, np.int64).reshape(-1, 4).T
    hops = number_within(counts) * hop_bars
    steps_per_bar = pieces[0].steps_per_bar if pieces else 0
    return Windows(
        first_steps=np.repeat(start_steps, counts) + hops * steps_per_bar,
        start_bars=(np.repeat(first_bars, counts) + hops).astype(np.int32),
        sizes=np.bincount(np.repeat(numbers, counts), minlength=len(pieces)),
    )


def number_within(counts: Int64[np.ndarray, " _"]) -> Int64[np.ndarray, " batch"]:
    """Numbers from 0 within each of some groups, which have so many members and stand in a row.

    >>> number_within(np.array([2, 0, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    numbers: Int64[np.ndarray, " batch"] = np.arange(counts.sum())
    numbers -= np.repeat(np.cumsum(counts) - counts, counts)
    return numbers


def count_lost_bars(piece: GridPiece, bars: int, tally: Tally) -> None:
    """Counts the bars that no window of `bars` can hold."""
    if piece.irregular_bars:
        are = "is" if piece.irregular_bars == 1 else "are"
        found = f"{_say(piece.irregular_bars, 'bar')} that {are} no whole {piece.meter}"
        tally.add("bar", Reason("irregular_bar", found), piece.irregular_bars)
    if piece.unsteady_bars:
        found = f"{_say(piece.unsteady_bars, 'bar')} within which the tempo changes"
        tally.add("bar", Reason("tempo_change", found), piece.unsteady_bars)
    short = [span.bars for span in piece.spans if span.bars < bars]
    if len(short) == len(piece.spans):
        found = f"{_say(max(short, default=0), 'regular bar')} in a row"
        tally.add("piece", Reason("too_short", found))
    elif short:
        found = f"fewer than {_say(bars, 'regular bar')} in a row"
        tally.add("bar", Reason("short_run", found), sum(short))


def _say(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
