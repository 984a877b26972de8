import pytest
from hypothesis import given
from hypothesis import strategies as st
from pieces import make_part, make_piece

from musicvae.data_pipeline.grid.spans import Span, regular_spans, whole_bars


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
    assert tuple(regular_spans(*whole_bars(lines, 16))) == spans
    if len(lines) > 1:
        assert make_piece(make_part((0, 60, 4)), bar_lines=lines).spans == spans


@given(st.lists(st.integers(1, 30), max_size=30))
def test_a_span_holds_only_whole_bars_between_bar_lines(lengths):
    lines = [0]
    for length in lengths:
        lines.append(lines[-1] + length)
    spans = regular_spans(*whole_bars(lines, 16))
    ends = [0]
    for span in spans:
        assert span.bars > 0
        assert span.start_step >= ends[-1]
        assert all(span.start_step + 16 * bar in lines for bar in range(span.bars + 1))
        ends.append(span.start_step + 16 * span.bars)
    assert ends[-1] <= lines[-1]
