from dataclasses import fields

import numpy as np
import pytest
from pieces import make_part, make_piece

from musicvae.data_pipeline.cut.candidates import Candidates
from musicvae.data_pipeline.cut.lines.line_rules import LineWindows, judge_line
from musicvae.data_pipeline.cut.rules import Rules
from musicvae.data_pipeline.rejections import Rejection
from musicvae.errors import SettingError

SCALE = tuple((4 * step, 60 + step, 4 * step + 4) for step in range(16))


def judge_windows(*notes, first_steps=(0, 16, 32), rules=None):
    (line,) = make_piece(make_part(*notes)).parts
    candidates = Candidates(np.array(first_steps), 32)
    windows = LineWindows.find(candidates, line)
    judge_line(windows, rules or Rules(), steps_per_bar=16, steps_per_quarter=4)
    return candidates.is_kept.tolist(), candidates.rejections[0]


def test_music_that_breaks_no_rule_is_kept():
    assert judge_windows(*SCALE) == ([True, True, True], [])


def test_the_first_rule_that_is_broken_counts():
    # The first window has one note, off the grid; the others have a gap as well.
    kept, rejections = judge_windows((0, 60, 32, 0.3), (60, 62, 64))
    assert kept == [False, False, False]
    assert rejections == [
        Rejection("excerpt", "silent", "no notes"),
        Rejection("excerpt", "long_gap", "28 steps of silence"),
        Rejection("excerpt", "few_notes", "1 notes"),
    ]


@pytest.mark.parametrize(
    ("fewest", "kept"), [(2, [True] * 3), (8, [True] * 3), (9, [False] * 3), (1, [True] * 3)]
)
def test_pitches_are_counted_in_each_window(fewest, kept):
    assert judge_windows(*SCALE, rules=Rules(fewest_pitches=fewest))[0] == kept


def test_pitches_that_come_back_count_once():
    notes = [(4 * step, pitch, 4 * step + 4) for step, pitch in enumerate([30, 94, 127, 63] * 4)]
    assert judge_windows(*notes, rules=Rules(fewest_pitches=5))[1][0].found == "4 pitches"


@pytest.mark.parametrize(("bars", "kept"), [(0.5, False), (0.75, True)])
def test_a_gap_may_be_part_of_a_bar(bars, kept):
    notes = [*SCALE[:4], *SCALE[6:]]
    assert judge_windows(*notes, rules=Rules(longest_gap_bars=bars))[0][0] == kept


@pytest.mark.parametrize("value", [float("inf"), float("nan"), -0.5])
def test_a_value_out_of_range_is_refused(value):
    with pytest.raises(SettingError, match=f"most_tempo_change={value}"):
        Rules(most_tempo_change=value)


def test_a_rule_has_a_default_and_a_line_of_its_own():
    for field in fields(Rules):
        assert isinstance(field.default, int | float)
        assert f"        {field.name}: " in Rules.__doc__
