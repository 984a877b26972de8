import numpy as np
import pytest

from musicvae.evaluation.lines import lines_of
from musicvae.evaluation.self_similarity import compare_bars
from musicvae.representation import Melody, Trio

FOUR_BARS = Melody(bars=4)


def compare(*bars, representation=FOUR_BARS):
    """Of excerpts of four bars, each bar given by its events' pitches on its first steps."""
    events = np.zeros((1, 64, 1), np.int16)
    for number, pitches in enumerate(bars):
        events[0, 16 * number : 16 * number + len(pitches), 0] = pitches
    return compare_bars(representation, lines_of(representation)[0], events)


def test_bars_that_come_back_are_found_at_their_distance():
    found = compare([40, 41], [50], [40, 41], [50])
    assert found.equal == (0, 1, 0)
    assert found.likeness == (0, 1, 0)


def test_likeness_is_the_share_of_onsets_in_common():
    found = compare([40, 41, 42], [40, 41], [40, 45], [60])
    # Next bars: 2 of 3, 1 of 3 (at one step both start something else), 0 of 3.
    assert found.likeness[0] == pytest.approx((2 / 3 + 1 / 3 + 0) / 3)
    assert found.equal[0] == 0


def test_bars_without_onsets_are_no_pairs():
    found = compare([40], [], [], [40])
    assert found.likeness == (0, 0, 1)
    assert compare([], [], [], []).likeness == (0, 0, 0)


def test_a_repeat_is_not_equal_where_the_note_ends_otherwise():
    found = compare([40, 0, 1], [40, 0, 0], [50], [51])
    assert found.likeness[0] == pytest.approx(1 / 3)
    assert found.equal[0] == 0


def test_the_distance_of_two_forms():
    one, other = compare([40], [40], [40], [40]), compare([40], [41], [40], [41])
    assert one.distance(one) == 0
    assert one.distance(other) == pytest.approx(2 / 3)
    assert other.distance(one) == one.distance(other)


def test_every_line_is_compared_by_itself(make_events):
    trio = Trio(bars=4)
    events = make_events(trio, 5)
    events[:, 32:, 0] = events[:, :32, 0]
    melody, bass, drums = (compare_bars(trio, line, events) for line in lines_of(trio))
    assert melody.equal[1] == 1
    assert bass.equal[1] < 1
    assert drums.equal[1] < 1


def test_every_kind_is_compared(representation, make_events):
    events = make_events(representation, 5)
    for line in lines_of(representation):
        found = compare_bars(representation, line, events)
        assert len(found.equal) == len(found.likeness) == 3
        assert 0 <= min(found.likeness) <= max(found.likeness) <= 1
