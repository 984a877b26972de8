import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae.music.bars import (
    Bars,
    MeterChange,
    MeterMark,
    accented_quarters,
    draw_bars,
    lay_on_steps,
)
from musicvae.music.notes import BarChange, Meter

COMMON, WALTZ = Meter(), Meter(3, 4)
METERS = [COMMON, WALTZ, Meter(6, 8), Meter(2, 2), Meter(7, 8)]


def mark(quarter, meter):
    return MeterMark(float(quarter), meter)


@pytest.mark.parametrize(
    ("marks", "end", "lines"),
    [
        ([], 8.0, [0, 4, 8]),
        ([], 0.5, [0, 4]),
        ([mark(0, WALTZ)], 7.0, [0, 3, 6, 9]),
        ([mark(0, COMMON), mark(0, WALTZ)], 6.0, [0, 3, 6]),
        ([mark(4, WALTZ)], 10.0, [0, 4, 7, 10]),
        ([mark(6, WALTZ)], 9.0, [0, 4, 6, 9]),  # a short bar
        ([mark(4.02, WALTZ)], 7.0, [0, 4, 7]),  # a tick too late
        ([mark(3.98, WALTZ)], 7.0, [0, 4, 7]),  # and one too early
        ([mark(4, COMMON), mark(8, COMMON)], 12.0, [0, 4, 8, 12]),
        ([mark(4, WALTZ), mark(4.01, COMMON)], 8.0, [0, 4, 8]),
        ([mark(100, WALTZ)], 8.0, [0, 4, 8]),  # behind the last note
    ],
)
def test_bars_start_at_changes_of_meter(marks, end, lines):
    (bars,) = draw_bars([marks], [end], [0.0])
    assert bars.bar_lines.tolist() == pytest.approx(lines)


def test_a_pickup_is_a_short_first_bar():
    (bars,) = draw_bars([[mark(0, WALTZ)]], [7.0], [1.0])
    assert bars.bar_lines.tolist() == [0, 1, 4, 7]
    assert bars.meters == (MeterChange(0, WALTZ),)


@given(
    st.lists(st.tuples(st.integers(0, 1500), st.sampled_from(METERS)), max_size=8),
    st.floats(0.25, 80),
)
def test_lines_ascend_past_the_end_and_each_meter_has_its_length(marks, end):
    marks = [mark(tick / 50, meter) for tick, meter in sorted(marks, key=lambda each: each[0])]
    (bars,) = draw_bars([marks], [end], [0.0])
    lines = bars.bar_lines
    assert lines[0] == 0
    assert lines[-1] >= end - 1e-5
    assert (np.diff(lines) > 0).all()
    firsts = [change.bar for change in bars.meters]
    assert firsts == sorted(set(firsts))
    assert firsts[-1] < len(lines) - 1
    for change, after in zip(bars.meters, [*firsts[1:], len(lines) - 1], strict=True):
        lengths = np.diff(lines[change.bar : after + 1])
        whole = 4 * change.meter.numerator / change.meter.denominator
        # Only the last bar before a change may be a short one.
        assert lengths[:-1] == pytest.approx(whole)
        assert lengths[-1] <= whole + 0.06


GRIDS = [
    ([0, 4, 8], [(0, COMMON)], [(0, COMMON)]),
    ([0, 1, 4, 7], [(0, WALTZ)], [(0, WALTZ), (4, WALTZ)]),  # a pickup
    ([0, 4, 6, 10], [(0, COMMON), (1, Meter(2, 4)), (2, COMMON)],
     [(0, COMMON), (16, Meter(2, 4)), (24, COMMON)]),
    ([0, 4, 5.3, 8.3], [(0, COMMON), (2, WALTZ)], [(0, COMMON), (22, WALTZ)]),  # off the grid
    ([0, 0.1, 4.1], [(0, Meter(1, 4)), (1, COMMON)], [(0, Meter(1, 4)), (1, COMMON)]),
    ([0, 0.625, 1.25], [(0, Meter(5, 32))], [(0, Meter(5, 32))]),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "meters", "changes"), GRIDS)
def test_each_run_of_bars_starts_on_a_step(lines, meters, changes):
    meters = tuple(MeterChange(*each) for each in meters)
    grid = lay_on_steps(Bars(np.array(lines, float), meters), 4)
    assert grid.changes == tuple(BarChange(*each) for each in changes)
    # A note on the first line of a run is on its step, and so is an early one.
    starts = np.array([change.start_step for change in grid.changes])
    assert grid.quarters * 4 + grid.shifts(grid.quarters) == pytest.approx(starts)


ONSETS = np.arange(40.0)
LOUD = np.where(ONSETS % 4 == 1, 105, 80)
ACCENTS = [
    (ONSETS, LOUD, COMMON, 1),
    (ONSETS, np.full(40, 80), COMMON, 0),
    (ONSETS[:20], LOUD[:20], COMMON, 0),  # too few
    (ONSETS, np.where(ONSETS % 2 == 1, 105, 80), COMMON, 0),  # elsewhere, too
    (ONSETS, LOUD, Meter(5, 32), 0),  # no whole number of 16ths
    (ONSETS, LOUD, None, 0),
    (ONSETS[:0], LOUD[:0], COMMON, 0),
    (ONSETS + 0.5, np.where(ONSETS % 3 == 0, 105, 80), WALTZ, 0.5),
]


def accents_of(*pieces):
    onsets, velocities, meters, _ = zip(*pieces, strict=True)
    sizes = np.array([len(each) for each in onsets])
    return accented_quarters(np.concatenate(onsets), np.concatenate(velocities), sizes, meters)


@pytest.mark.parametrize("piece", ACCENTS)
def test_accents_tell_where_bars_begin(piece):
    assert accents_of(piece).tolist() == [piece[-1]]


def test_pieces_that_are_looked_at_together_do_not_mix():
    assert accents_of(*ACCENTS, *ACCENTS[::-1]).tolist() == [
        piece[-1] for piece in (*ACCENTS, *ACCENTS[::-1])
    ]
