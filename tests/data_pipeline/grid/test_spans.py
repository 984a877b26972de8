from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pieces import make_part, make_piece

from musicvae.data_pipeline.grid.grid import put_on_grid
from musicvae.data_pipeline.grid.spans import ShortBars, Span, find_runs
from musicvae.data_pipeline.readers.piece import MeterChange
from musicvae.music.notes import Meter


@pytest.mark.parametrize(
    ("lines", "spans"),
    [
        ([0], ()),
        ([0, 16], (Span(0, 1),)),
        ([0, 16, 32], (Span(0, 2),)),
        ([0, 4, 20, 36], (Span(4, 2),)),  # a pickup
        ([0, 16, 28, 32, 48], (Span(0, 3),)),  # a bar that a repeat divides
        ([0, 16, 28, 44, 60], (Span(0, 1), Span(28, 2))),  # a short bar
        ([0, 16, 40, 56], (Span(0, 1), Span(40, 1))),  # a long bar
        ([0, 6, 10], ()),
    ],
)
def test_runs_of_regular_bars(lines, spans):
    assert tuple(find_runs(np.array(lines), 16)[0]) == spans
    if len(lines) > 1:
        assert make_piece(make_part((0, 60, 4)), bar_lines=lines).spans == spans


@given(st.lists(st.integers(1, 30), max_size=30))
def test_a_span_holds_only_whole_bars_between_bar_lines(lengths):
    lines = [0]
    for length in lengths:
        lines.append(lines[-1] + length)
    spans, _ = find_runs(np.array(lines), 16)
    ends = [0]
    for span in spans:
        assert span.bars > 0
        assert span.start_step >= ends[-1]
        assert all(span.start_step + 16 * bar in lines for bar in range(span.bars + 1))
        ends.append(span.start_step + 16 * span.bars)
    assert ends[-1] <= lines[-1]


FOUR, THREE, TWO, ONE = Meter(4, 4), Meter(3, 4), Meter(2, 4), Meter(1, 4)


def put(*runs, notes=((0, 60, 4),), wanted=FOUR):
    """A piece of runs `(meter, bars)`, on the grid to be cut in a meter."""
    lines, meters = [0], []
    for meter, bars in runs:
        meters.append(MeterChange(len(lines) - 1, meter))
        for _ in range(bars):
            lines.append(lines[-1] + meter.steps_per_bar())
    read = make_piece(make_part(*notes), bar_lines=lines).piece._replace(meters=tuple(meters))
    return put_on_grid([read], wanted, 4)[0]


def repeat(steps, bar, bars, start=0):
    """Notes on some steps of each bar, each until the next."""
    starts = [start + bar * number + step for number in range(bars) for step in steps]
    return [(first, 60, end) for first, end in pairwise([*starts, start + bar * bars])]


@pytest.mark.parametrize("wanted", [FOUR, Meter(2, 2)])
def test_two_bars_of_two_quarters_are_one_of_four(wanted):
    piece = put((TWO, 7), wanted=wanted)
    assert piece.spans == (Span(0, 3),)
    assert piece.short_bars == {"2/4": ShortBars(joined=6, left=1)}
    assert piece.other_bars == {}
    assert put((TWO, 7), wanted=TWO).spans == (Span(0, 7),)
    assert put((TWO, 7), wanted=THREE).short_bars == {}


def test_joined_bars_begin_where_the_notes_say():
    # A long note before every other bar line
    piece = put((TWO, 17), notes=repeat((0, 4), 16, 8, start=8))
    assert piece.spans == (Span(8, 8),)
    assert piece.short_bars == {"2/4": ShortBars(joined=16, left=1)}


def test_joined_bars_and_bars_of_the_meter_make_one_span():
    assert put((FOUR, 2), (TWO, 2), (FOUR, 1)).spans == (Span(0, 4),)
    alone = put((FOUR, 2), (TWO, 1), (FOUR, 1))
    assert alone.spans == (Span(0, 2), Span(40, 1))
    assert alone.short_bars == {"2/4": ShortBars(left=1)}


def test_four_bars_of_one_quarter_are_joined_where_the_onsets_agree_with_common_time():
    piece = put((ONE, 34), notes=repeat((0, 2, 4, 8, 10, 12), 16, 8))
    assert piece.spans == (Span(0, 8),)
    assert piece.short_bars == {"1/4": ShortBars(joined=32, left=2)}
    refused = put((ONE, 30), notes=repeat((0, 4, 6, 8), 12, 10))
    assert refused.spans == ()
    short = refused.short_bars["1/4"]
    assert (short.joined, short.left) == (0, 30)
    assert "no sign of 4/4" in short.doubt


def test_a_pickup_to_short_bars_is_irregular():
    read = make_piece(make_part((0, 60, 4)), bar_lines=[0, 4, 12, 20, 28, 36]).piece
    piece = put_on_grid([read._replace(meters=(MeterChange(0, TWO),))], FOUR, 4)[0]
    assert (piece.spans, piece.irregular_bars) == ((Span(4, 2),), 1)
