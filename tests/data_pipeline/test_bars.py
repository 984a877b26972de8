from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae.data_pipeline.bars import Span, accented_step, grid_lines, regular_spans
from musicvae.notes import NoteSequence


@pytest.mark.parametrize(
    ("lines", "spans"),
    [
        ([0], ()),
        ([0, 16], (Span(0, 1, 0),)),
        ([0, 16, 32], (Span(0, 2, 0),)),
        ([0, 4, 20, 36], (Span(4, 2, 1),)),  # a pickup
        ([0, 16, 28, 32, 48], (Span(0, 3, 0),)),  # a bar that a repeat divides
        ([0, 16, 28, 44, 60], (Span(0, 1, 0), Span(28, 2, 2))),  # a short bar
        ([0, 16, 40, 56], (Span(0, 1, 0), Span(40, 1, 2))),  # a long bar
        ([0, 6, 10], ()),
    ],
)
def test_runs_of_regular_bars(lines, spans):
    assert regular_spans(lines, 16) == spans


@given(st.lists(st.integers(1, 30), max_size=30))
def test_a_span_holds_only_whole_bars_between_bar_lines(lengths):
    lines = [0]
    for length in lengths:
        lines.append(lines[-1] + length)
    spans = regular_spans(lines, 16)
    ends = [0]
    for span in spans:
        assert span.bars > 0
        assert span.start_step >= ends[-1]
        assert all(span.start_step + 16 * bar in lines for bar in range(span.bars + 1))
        ends.append(span.start_step + 16 * span.bars)
    assert ends[-1] <= lines[-1]


def test_grid_lines_reach_the_end():
    assert grid_lines(0, 32, 16) == (0, 16, 32)
    assert grid_lines(4, 32, 16) == (0, 4, 20, 36)


def test_accents_tell_where_bars_begin(melody):
    plain = melody(0, bars=10)
    pickup = 4
    accented = replace(
        plain,
        notes=tuple(
            replace(note, velocity=105 if note.start_step % 16 == pickup else 80)
            for note in plain.notes
        ),
    )
    assert accented_step(accented, 16) == pickup
    assert accented_step(plain, 16) == 0
    few = replace(accented, notes=accented.notes[:20])
    assert accented_step(few, 16) == 0
    assert accented_step(NoteSequence(notes=(), length_steps=0), 16) == 0
