import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae.data_pipeline.grid.grid import find_note_order, put_on_grid
from musicvae.data_pipeline.grid.spans import Span
from musicvae.data_pipeline.readers.piece import MeterChange, Part, ReadPiece, TempoChange
from musicvae.music.notes import Meter

COMMON, WALTZ, CUT = Meter(), Meter(3, 4), Meter(2, 2)


def put_one(piece, meter, steps_per_quarter):
    return put_on_grid([piece], meter, steps_per_quarter)[0]


def make_part(*notes, **fields):
    """A part of notes `(onset, end, pitch)` in quarter notes."""
    rows = sorted(notes, key=lambda note: (note[0], note[2], note[1]))
    return Part(
        name="",
        onsets=np.array([row[0] for row in rows], float),
        ends=np.array([row[1] for row in rows], float),
        pitches=np.array([row[2] for row in rows], np.int16),
        velocities=np.arange(1, len(rows) + 1, dtype=np.int16),
        **fields,
    )


def make_piece(bar_lines, *parts, meters=((0, COMMON),), **fields):
    return ReadPiece(
        parts=parts,
        bar_lines=np.array(bar_lines, float),
        meters=tuple(MeterChange(bar, meter) for bar, meter in meters),
        **fields,
    )


def steps_of(piece, steps_per_quarter=4, meter=COMMON):
    (part,) = put_one(piece, meter, steps_per_quarter).parts
    return list(zip(part.starts.tolist(), part.ends.tolist(), strict=True))


def spans_of(piece, meter=COMMON, steps_per_quarter=4):
    return put_one(piece, meter, steps_per_quarter).spans


# Notes


def test_an_onset_goes_to_the_nearest_step_and_keeps_how_far_it_was_off():
    piece = make_piece([0, 4], make_part((0.1, 1.1, 60), (0.2, 1, 62), (2.0, 3.9, 64)))
    (part,) = put_one(piece, COMMON, 4).parts
    assert part.starts.tolist() == [0, 1, 8]
    assert part.ends.tolist() == [4, 4, 16]
    assert part.offsets.tolist() == pytest.approx([0.4, -0.2, 0])


def test_half_a_step_goes_to_the_later_one():
    piece = make_piece([0, 4], make_part((0.125, 0.375, 60), (3.875, 4, 62)))
    (part,) = put_one(piece, COMMON, 4).parts
    assert part.starts.tolist() == [1, 16]
    assert part.ends.tolist() == [2, 17]
    assert part.offsets.tolist() == [-0.5, -0.5]


def test_a_note_has_one_step_at_least():
    assert steps_of(make_piece([0, 4], make_part((1, 1.01, 60)))) == [(4, 5)]


def test_twelve_steps_a_quarter_hold_triplets():
    thirds = make_part(*((third / 3, (third + 1) / 3, 60 + third) for third in range(6)))
    (part,) = put_one(make_piece([0, 4], thirds), COMMON, 12).parts
    assert part.starts.tolist() == [0, 4, 8, 12, 16, 20]
    assert np.abs(part.offsets).max() < 1e-6


def test_notes_that_meet_on_a_step_stand_by_pitch():
    piece = make_piece([0, 4], make_part((0.0, 1, 67), (0.05, 1, 60), (1, 2, 64)))
    (part,) = put_one(piece, COMMON, 4).parts
    assert part.pitches.tolist() == [60, 67, 64]
    assert part.velocities.tolist() == [2, 1, 3]
    assert part.offsets.tolist() == pytest.approx([0.2, 0, 0])


@given(
    st.lists(
        st.tuples(st.floats(0, 30, allow_subnormal=False), st.floats(0.01, 4), st.integers(0, 127)),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from([4, 12]),
)
def test_in_even_bars_a_step_is_a_time_rounded(notes, steps_per_quarter):
    part = make_part(*((onset, onset + length, pitch) for onset, length, pitch in notes))
    piece = make_piece(np.arange(10) * 4, part)
    grid = put_one(piece, COMMON, steps_per_quarter)
    (put,) = grid.parts
    for row, velocity in enumerate(put.velocities.tolist()):
        onset, end = part.onsets[velocity - 1], part.ends[velocity - 1]
        start = math.floor(onset * steps_per_quarter + 0.5 + 1e-6)
        assert put.starts[row] == start
        assert put.ends[row] == max(math.floor(end * steps_per_quarter + 0.5 + 1e-6), start + 1)
        assert start + put.offsets[row] == pytest.approx(onset * steps_per_quarter, abs=1e-4)
    keys = list(zip(put.starts.tolist(), put.pitches.tolist(), put.ends.tolist(), strict=True))
    assert keys == sorted(keys)
    assert grid.length_steps >= put.ends.max()


# Bars


def test_a_bar_starts_on_a_step_whatever_those_before_it_hold():
    # A bar of two thirds of a quarter note more than four
    piece = make_piece([0, 14 / 3, 26 / 3], make_part((0, 1, 60), (14 / 3, 5, 62)))
    grid = put_one(piece, COMMON, 4)
    assert grid.bar_steps.tolist() == [0, 19, 35]
    assert grid.parts[0].starts.tolist() == [0, 19]
    assert grid.spans == (Span(19, 1),)
    assert grid.irregular_bars == 1


def test_after_a_pickup_bars_are_regular():
    piece = make_piece([0, 1, 5, 9, 13], make_part((0, 1, 60)))
    grid = put_one(piece, COMMON, 4)
    assert grid.spans == (Span(4, 3),)
    assert (grid.irregular_bars, grid.other_bars, grid.length_steps) == (1, {}, 52)


def test_each_meter_has_spans_of_its_own():
    piece = make_piece(
        [0, 4, 8, 11, 14, 17, 21],
        make_part((0, 1, 60)),
        meters=((0, COMMON), (2, WALTZ), (5, COMMON)),
    )
    common = put_one(piece, COMMON, 4)
    assert common.spans == (Span(0, 2), Span(68, 1))
    assert common.other_bars == {"3/4": 3}
    waltz = put_one(piece, WALTZ, 4)
    assert waltz.spans == (Span(32, 3),)
    assert waltz.other_bars == {"4/4": 3}
    assert put_one(piece, Meter(7, 8), 4).spans == ()


def test_a_short_bar_before_a_change_of_meter_is_irregular():
    piece = make_piece([0, 4, 6, 9, 12], make_part((0, 1, 60)), meters=((0, COMMON), (2, WALTZ)))
    grid = put_one(piece, COMMON, 4)
    assert (grid.spans, grid.irregular_bars) == ((Span(0, 1),), 1)
    assert spans_of(piece, WALTZ) == (Span(24, 2),)


def test_a_bar_that_a_line_divides_counts_as_one_after_a_change_of_meter_too():
    piece = make_piece(
        [0, 4, 7, 8, 11, 15, 17, 21],
        make_part((0, 1, 60)),
        meters=((0, COMMON), (3, WALTZ), (4, COMMON)),
    )
    grid = put_one(piece, COMMON, 4)
    assert grid.spans == (Span(0, 2), Span(44, 1), Span(68, 1))
    assert (grid.irregular_bars, grid.other_bars) == (1, {"3/4": 1})


def test_cut_time_is_common_time_and_the_other_way_round():
    piece = make_piece(
        [0, 4, 8, 12, 16],
        make_part((0, 1, 60)),
        meters=((0, COMMON), (1, CUT), (3, COMMON)),
    )
    for meter in (COMMON, CUT):
        grid = put_one(piece, meter, 4)
        assert grid.spans == (Span(0, 4),)
        assert grid.other_bars == {}
    assert spans_of(make_piece([0, 4], make_part((0, 1, 60)), meters=((0, CUT),))) == (Span(0, 1),)


def test_the_grid_ends_with_the_last_bar_or_the_last_note():
    assert put_one(make_piece([0, 4], make_part((0, 1, 60))), COMMON, 4).length_steps == 16
    assert put_one(make_piece([0, 4], make_part((0, 9, 60))), COMMON, 4).length_steps == 36


def test_steps_know_their_time_and_tempo():
    piece = make_piece(
        [0, 1, 5, 9],
        make_part((0, 1, 60)),
        tempos=(TempoChange(0.0, 90.0), TempoChange(5.0, 120.0)),
    )
    grid = put_one(piece, COMMON, 4)
    steps = np.array([0, 4, 20, 22])
    assert grid.quarters(steps).tolist() == [0, 1, 5, 5.5]
    assert grid.qpms(steps).tolist() == [90, 90, 120, 120]
    assert put_one(make_piece([0, 4]), COMMON, 4).qpms(steps[:1]).tolist() == [120]


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from([1.0, 2.0, 3.0, 4.0, 4.5, 14 / 3]), min_size=1, max_size=6),
            st.lists(st.integers(0, 90), max_size=8),
            st.sampled_from([COMMON, WALTZ, CUT]),
        ),
        max_size=5,
    )
)
def test_many_pieces_are_put_as_each_of_them_is(specifications):
    pieces = []
    for lengths, onsets, meter in specifications:
        notes = [(onset / 7, onset / 7 + 0.3, 60 + onset % 5) for onset in onsets]
        parts = [make_part(*half) for half in (notes[::2], notes[1::2]) if half]
        pieces.append(make_piece(np.cumsum([0, *lengths]), *parts, meters=((0, meter),)))
    for together, piece in zip(put_on_grid(pieces, COMMON, 4), pieces, strict=True):
        alone = put_one(piece, COMMON, 4)
        assert together.spans == alone.spans
        assert together.bar_steps.tolist() == alone.bar_steps.tolist()
        assert (together.irregular_bars, together.other_bars, together.length_steps) == (
            alone.irregular_bars,
            alone.other_bars,
            alone.length_steps,
        )
        for part, same in zip(together.parts, alone.parts, strict=True):
            for name in ("starts", "ends", "pitches", "velocities", "offsets"):
                np.testing.assert_array_equal(getattr(part, name), getattr(same, name))


@given(
    st.lists(
        st.lists(st.tuples(*[st.integers(0, top) for top in (9, 127, 3, 2)]), min_size=1),
        min_size=1,
        max_size=4,
    ),
    st.booleans(),
)
def test_notes_are_ordered_by_time_and_each_column_within_their_part(parts, is_sorted):
    if is_sorted:
        parts = [sorted(part, key=lambda row: row[0]) for part in parts]
    bounds = [0, *np.cumsum([len(part) for part in parts]).tolist()]
    columns = np.concatenate([np.array(part) for part in parts]).T
    order = find_note_order(bounds, *columns)
    rows = columns.T if order is None else columns.T[order]
    assert [tuple(row) for row in rows.tolist()] == [row for part in parts for row in sorted(part)]
