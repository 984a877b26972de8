import pytest
from hypothesis import given
from hypothesis import strategies as st
from pieces import make_part, make_piece

from musicvae.data_pipeline.cut.cut import cut_reads
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.cut.rules import Rules
from musicvae.data_pipeline.grid.spans import Span
from musicvae.data_pipeline.grid.tempo_runs import split_at_tempos
from musicvae.data_pipeline.readers.piece import TempoChange
from musicvae.representation import Melody


def make_tune(*tempos, bars=6):
    """A scale of quarter notes in 4/4, with tempos `(quarter, qpm)`."""
    notes = [(4 * beat, 60 + beat % 7, 4 * beat + 4) for beat in range(4 * bars)]
    lines = range(0, 16 * bars + 1, 16)
    changes = tuple(TempoChange(float(quarter), float(qpm)) for quarter, qpm in tempos)
    return make_piece(make_part(*notes), bar_lines=lines, tempos=changes)


@pytest.mark.parametrize(
    ("tempos", "spans", "unsteady_bars"),
    [
        ([], [(0, 6)], 0),
        ([(0, 120)], [(0, 6)], 0),
        ([(0, 120), (8, 120)], [(0, 6)], 0),  # written again
        ([(0, 120), (8, 126)], [(0, 6)], 0),  # hardly to be heard
        ([(0, 120), (8, 140)], [(0, 2), (2, 4)], 0),
        ([(0, 140), (8, 120), (16, 140)], [(0, 2), (2, 2), (4, 2)], 0),
        ([(0, 120), (10, 140)], [(0, 2), (3, 3)], 1),  # within a bar
        ([(0, 120), (2, 140)], [(1, 5)], 1),
        ([(0, 120), (22, 140)], [(0, 5)], 1),
        ([(8, 120), (12, 60)], [(0, 3), (3, 3)], 0),  # the first one holds from the start
        # Slower from bar to bar: compared with the start of a run
        (
            [(0, 120), (4, 114), (8, 108), (12, 102), (16, 97), (20, 92)],
            [(0, 2), (2, 2), (4, 2)],
            0,
        ),
        ([(0, 120), (20, 100), (21, 80), (22, 60), (24, 60)], [(0, 5)], 1),  # a last ritardando
        ([(0, 120), (40, 60)], [(0, 6)], 0),  # behind the end
    ],
)
def test_a_run_ends_where_the_tempo_changes(tempos, spans, unsteady_bars):
    piece = split_at_tempos(make_tune(*tempos), 0.1)
    assert [(span.start_step // 16, span.bars) for span in piece.spans] == spans
    assert piece.unsteady_bars == unsteady_bars


def test_how_much_it_may_change_is_a_rule():
    piece = make_tune((0, 120), (8, 180))
    assert len(split_at_tempos(piece, 0.5).spans) == 1
    assert len(split_at_tempos(piece, 0.49).spans) == 2
    assert len(split_at_tempos(make_tune((0, 120), (8, 120.1)), 0.0).spans) == 2


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 0.5, 1, 2, 4, 7]), st.sampled_from([60, 63, 66, 70, 120])),
        max_size=8,
    ),
    st.sampled_from([0.0, 0.05, 0.1, 0.2]),
)
def test_no_run_holds_two_tempos(changes, most_change):
    time, tempos = 0.0, []
    for wait, qpm in changes:
        time += wait
        tempos.append((time, qpm))
    whole = make_tune(*tempos)
    piece = split_at_tempos(whole, most_change)
    kept = sum(span.bars for span in piece.spans)
    assert kept + piece.unsteady_bars == whole.spans[0].bars
    steps = {span: range(span.start_step, span.start_step + 16 * span.bars) for span in piece.spans}
    for span, own in steps.items():
        # Two tempos at one time: the second counts
        qpms = {qpm_at(tempos, step / 4) for step in own}
        assert max(qpms) <= (1 + most_change) * min(qpms) + 1e-9, span
    for first, second in zip(piece.spans, piece.spans[1:], strict=False):
        assert isinstance(first, Span)
        assert first.start_step + 16 * first.bars <= second.start_step


def qpm_at(tempos, quarter):
    before = [qpm for time, qpm in tempos if time <= quarter + 1e-9]
    return before[-1] if before else (tempos[0][1] if tempos else 120)


def test_excerpts_do_not_cross_a_change_and_lost_bars_are_counted():
    rules = Rules(fewest_notes=1)
    read = make_tune((0, 120), (4, 60), (14, 90)).piece
    (cut,) = cut_reads([read], CutSettings(representation=Melody(bars=2), rules=rules))
    (excerpts,) = cut.excerpts
    assert excerpts.start_bars.tolist() == [1, 4]
    assert excerpts.labels.qpms.tolist() == [60, 90]
    rejections = {each.reason: (each.count, each.found) for each in cut.rejections}
    assert rejections == {
        "tempo_change": (1, "1 bar within which the tempo changes"),
        "short_run": (1, "fewer than 2 regular bars in a row"),
    }
