import numpy as np
import pytest

from musicvae.evaluation.accuracy import Decodings, judge, score
from musicvae.representation import Drums, Groove, Melody, Trio


def scores_of(representation, truth, guess, **settings):
    """The scores of one guess, in every way alike."""
    sums = judge(representation, truth, guess)
    ways = np.repeat(sums[:, :, None], 5, axis=2)
    return score(representation, ways, **{"pieces": None, "seed": 0, **settings}).sampled


def test_what_is_equal_is_right(representation, make_events):
    events = make_events(representation, 6)
    scores = scores_of(representation, events, events)
    for accuracy in (scores.together, *scores.lines.values()):
        assert (accuracy.all_steps, accuracy.onsets) == (1, 1)
    assert all(f1.value == 1 for f1 in scores.hits.values())
    assert all(each.value == 1 for drums in scores.recalls.values() for each in drums.values())
    assert all(error.value == 0 for error in scores.numbers.values())


def test_only_generated_streams_are_measured(representation, make_events):
    events = make_events(representation, 6)
    guess = events.copy()
    for column, stream in enumerate(representation.streams):
        if stream.is_condition or stream.gate is not None:
            guess[..., column] = 0
    assert scores_of(representation, events, guess).together.all_steps == 1


def test_an_accuracy_is_the_share_of_steps():
    truth = np.zeros((2, 32, 1), np.int16)
    truth[0, :8], truth[1, 3], truth[1, 5] = 41, 41, 50
    melody = scores_of(Melody(), truth, np.full_like(truth, 41)).lines["melody"]
    assert melody.all_steps == pytest.approx(9 / 64)
    assert melody.onsets == pytest.approx(9 / 10)


def test_lines_together_are_all_their_steps():
    truth = np.zeros((1, 256, 3), np.int16)
    truth[0, :16, 0], truth[0, :4, 1], truth[0, 0, 2] = 41, 20, 3
    guess = truth.copy()
    guess[0, :8, 0], guess[0, 0, 2] = 42, 1
    scores = scores_of(Trio(), truth, guess)
    assert scores.lines["melody"].all_steps == pytest.approx(1 - 8 / 256)
    assert scores.lines["melody"].onsets == pytest.approx(0.5)
    assert scores.lines["bass"].onsets == 1
    assert scores.lines["drums"].onsets == 0
    assert scores.together.all_steps == pytest.approx(1 - 9 / 768)
    assert scores.together.onsets == pytest.approx(12 / 21)


def test_the_f1_counts_single_hits():
    truth, guess = np.zeros((2, 1, 32, 1), np.int16)
    truth[0, 0], truth[0, 8] = 0b011, 0b100  # three hits
    guess[0, 0], guess[0, 9] = 0b001, 0b100  # two, of which one is right
    scores = scores_of(Drums(), truth, guess)
    assert scores.hits["drums"].value == pytest.approx(2 * 1 / (3 + 2))
    assert scores.lines["drums"].onsets == 0


def test_recall_is_counted_for_each_drum_that_the_true_music_hits():
    truth, guess = np.zeros((2, 1, 32, 1), np.int16)
    kick, snare, closed, _, low_tom, *_ = (1 << bit for bit in range(9))
    truth[0, [0, 4, 8, 12], 0] = kick | closed, snare, kick, low_tom
    guess[0, [0, 4, 8, 13], 0] = kick | closed, closed, snare, low_tom
    recalls = scores_of(Drums(), truth, guess).recalls["drums"]
    assert {name: each.value for name, each in recalls.items()} == {
        "kick": 0.5, "snare": 0, "closed hi-hat": 1, "low tom": 0,
    }  # fmt: skip


def test_numbers_err_where_both_hit_and_in_their_units():
    truth = Groove().to_tensor(Groove().to_notes(np.zeros((32, 27), np.int16)))[None]
    truth[0, 0, 0], truth[0, 0, 9], truth[0, 0, 18] = 1, 80, 512
    truth[0, 4, 1], truth[0, 4, 10] = 1, 60
    guess = truth.copy()
    guess[0, 0, 9], guess[0, 0, 18] = 70, 512 - 256
    guess[0, 4, 1], guess[0, 4, 10] = 0, 0  # missed: no error of its loudness
    guess[0, 8, 2], guess[0, 8, 11] = 1, 126  # one too many: none either
    scores = scores_of(Groove(), truth, guess)
    assert scores.numbers["velocity"].value == pytest.approx(10)
    assert scores.numbers["offset"].value == pytest.approx(0.25)
    assert scores.hits["hits"].value == pytest.approx(2 / 4)


def test_pieces_give_intervals(representation, make_events):
    events = make_events(representation, 40)
    guess = make_events(representation, 40, seed=1)
    guess[::2] = events[::2]
    pieces = np.repeat(np.arange(20), 2).astype(str)
    scores = scores_of(representation, events, guess, pieces=pieces)
    interval = scores.together.all_steps_interval
    assert interval.low <= scores.together.all_steps <= interval.high
    assert scores_of(representation, events, guess).together.all_steps_interval is None


def test_the_ways_are_told_apart():
    truth = np.full((1, 32, 1), 41, np.int16)
    sums = [judge(Melody(), truth, np.full_like(truth, event)) for event in (41, 0, 41, 0, 0)]
    ways = score(Melody(), np.stack(sums, axis=2), pieces=None, seed=0)
    assert [way.together.all_steps for way in ways] == [1, 0, 1, 0, 0]
    assert list(Decodings(1, 2, 3, 4, 5)) == [1, 2, 3, 4, 5]
