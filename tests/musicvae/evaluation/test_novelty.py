import numpy as np
import pytest

from musicvae.evaluation import novelty
from musicvae.evaluation.lines import lines_of
from musicvae.evaluation.novelty import find_copies
from musicvae.representation import Drums, Melody, Trio

TWO_BARS = Melody()


def tune(*pitches, gap=2):
    """An excerpt of notes at even distances."""
    events = np.zeros((1, 32, 1), np.int16)
    events[0, : gap * len(pitches) : gap, 0] = pitches
    return events


def runs(training, asked, representation=TWO_BARS, line=0):
    """The length of the longest run of every excerpt that is asked about."""
    found = find_copies(representation, lines_of(representation)[line], training, {"a": asked})["a"]
    return [length for length, count in enumerate(found.lengths) for _ in range(count)]


KNOWN = tune(40, 42, 44, 45, 47)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (KNOWN, 5),
        (KNOWN + 3 * (KNOWN > 0).astype(np.int16), 5),  # transposed
        (tune(40, 42, 44, 45, 48), 4),
        (tune(60, 42, 44, 45, 60), 3),
        (tune(40, 42, 44, 45, 47, gap=3), 0),  # in another rhythm
        (tune(40, 41, 43, 46), 3),  # as 44, 45, 47
        (tune(40, 42, 43, 50), 3),  # as 42, 44, 45
        (tune(40, 50, 60), 0),
        (tune(40), 0),
        (tune(), 0),
        (tune(47, 45, 44, 42, 40), 0),  # backwards
    ],
)
def test_the_longest_run_of_an_excerpt(asked, expected):
    assert runs(KNOWN, asked) == [expected]


def test_it_does_not_matter_how_long_a_note_sounds():
    asked = KNOWN.copy()
    asked[0, 1] = 1  # the first note stops early
    assert runs(KNOWN, asked) == [5]


def test_a_run_does_not_go_from_one_excerpt_to_the_next():
    training = np.concatenate([tune(40, 42), tune(44, 45)])
    assert runs(training, tune(40, 42, 44, 45)) == [2]


def naive(training, asked):
    """The same by comparing every stretch of moves with every other."""

    def moves(row):
        steps = np.flatnonzero(row >= 2)
        return list(zip(np.diff(row[steps]).tolist(), np.diff(steps).tolist(), strict=True))

    known = [moves(row) for row in training[..., 0]]
    longest = []
    for row in asked[..., 0]:
        mine, best = moves(row), 0
        for start in range(len(mine)):
            for end in range(start + 1, len(mine) + 1):
                part = mine[start:end]
                for theirs in known:
                    if any(theirs[i : i + len(part)] == part for i in range(len(theirs))):
                        best = max(best, len(part) + 1)
        longest.append(best)
    return longest


def test_it_finds_what_a_plain_search_finds(melodies):
    training, asked = melodies(30, seed=0), melodies(10, seed=1)
    found = find_copies(TWO_BARS, lines_of(TWO_BARS)[0], training, {"a": asked})["a"]
    expected = naive(training, asked)
    assert list(found.lengths) == np.bincount(expected).tolist()
    assert found.mean == pytest.approx(np.mean(expected))
    assert found.longest == max(expected)


def test_shards_are_read_in_parts(melodies, monkeypatch):
    training, asked = melodies(30, seed=0), melodies(10, seed=1)
    whole = runs(training, asked)
    monkeypatch.setattr(novelty, "READ_AT_ONCE", 7)
    assert runs(training, asked) == whole


def test_shares_of_long_runs_and_of_whole_copies():
    pitches = range(40, 40 + novelty.LONG_RUN)
    training = tune(*pitches)
    asked = np.concatenate([training, tune(*pitches, 60), tune(40, 41, 60), tune(40, 41), tune()])
    found = find_copies(TWO_BARS, lines_of(TWO_BARS)[0], training, {"a": asked})["a"]
    assert found.long == pytest.approx(2 / 5)
    assert found.whole == pytest.approx(2 / 5)  # the first, and that of two notes
    assert found.longest == novelty.LONG_RUN


def test_drums_are_compared_as_they_are():
    drums = Drums()
    known, other = tune(1, 5, 4, 1), tune(2, 10, 8, 2)
    assert runs(known, known, drums) == [4]
    assert runs(known, other, drums) == [0]
    assert runs(known, tune(1, 5, 4, 2), drums) == [3]


def test_lines_are_compared_by_themselves(make_events):
    trio = Trio(bars=1)
    training = make_events(trio, 6)
    asked = make_events(trio, 6, seed=1)
    asked[..., 1] = training[..., 1]
    melody, bass = (runs(training, asked, trio, line) for line in (0, 1))
    onsets = (training[..., 1] >= 2).sum(1)
    assert sorted(bass) == sorted(np.where(onsets > 1, onsets, 0).tolist())
    assert sum(melody) < sum(bass)
