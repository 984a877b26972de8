import numpy as np
import pytest

from musicvae.music.meter_evidence import (
    doubt_common_time,
    doubt_grid,
    find_first_bar,
    is_grid_doubtful,
)

RANDOM = np.random.default_rng(7)


def melody(bar, steps, *, bars=32, jitter=0.0):
    """Onsets on some 16ths of each bar of so many quarter notes."""
    onsets = (bar * np.arange(bars)[:, None] + np.array(steps) / 4).ravel()
    return np.abs(onsets + RANDOM.normal(0, jitter, len(onsets)) if jitter else onsets)


def is_doubtful(onsets):
    return is_grid_doubtful(onsets, np.array([len(onsets)])) == [True]


REEL = melody(4.0, [0, 2, 3, 4, 8, 10, 12])
WALTZ = melody(3.0, [0, 4, 6, 8])
JIG = melody(3.0, [0, 2, 4, 6, 8, 10])
FREE = np.cumsum(RANDOM.uniform(0.05, 0.8, 400))


def test_common_time_is_known_by_its_onsets():
    assert doubt_common_time(REEL) == ""
    assert doubt_common_time(melody(4.0, [0, 2, 3, 4, 8, 10, 12], jitter=0.02)) == ""


@pytest.mark.parametrize("onsets", [WALTZ, JIG], ids=["3/4", "6/8"])
def test_other_meters_are_not_taken_for_it(onsets):
    assert "no sign of 4/4" in doubt_common_time(onsets)


def test_even_notes_say_nothing():
    assert "no sign of 4/4" in doubt_common_time(np.arange(200.0) / 2)


def test_few_onsets_say_nothing():
    assert "too few" in doubt_common_time(REEL[:31])


def test_free_time_keeps_no_grid():
    assert "keep no grid" in doubt_common_time(FREE)
    assert is_doubtful(FREE)
    assert "keep no grid" in doubt_grid(FREE)


@pytest.mark.parametrize(
    "onsets",
    [
        REEL,
        WALTZ,
        JIG,
        REEL + 0.17,  # late throughout
        np.arange(300) / 3,  # triplets
        melody(4.0, [0, 3, 4, 7, 8, 11, 12], jitter=0.04),  # as people play
        FREE[:99],  # too few to judge
    ],
)
def test_what_keeps_a_grid_is_believed(onsets):
    assert not is_doubtful(onsets) or doubt_grid(onsets) == ""


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("late", [0, 1, 2, 3])
def test_longer_bars_start_after_a_long_note_and_where_no_note_sounds_on(count, late):
    onsets = melody(4.0, [0, 2, 4, 6, 8], bars=8)
    ends = np.append(onsets[1:], 32.0)
    lines = np.arange(late, 8 * count) * 4 / count
    assert find_first_bar(onsets, ends, lines, count=count, parts=1) == -late % count


def test_the_first_bar_counts_where_the_notes_say_little():
    even = np.arange(64) / 2
    for late in (0, 1):
        lines = np.arange(late, 16) * 2.0
        assert find_first_bar(even, even + 0.5, lines, count=2, parts=1) == 0
    long = np.array([1.0, 2.0, 6.0])
    assert find_first_bar(long, long + 1, np.arange(7.0), count=2, parts=1) == 0
