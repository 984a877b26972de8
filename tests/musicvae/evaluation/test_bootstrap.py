import numpy as np
import pytest

from musicvae.evaluation.bootstrap import COVERAGE, mean, ratios


def column(*values):
    return np.array(values, float)[:, None]


def test_a_figure_is_one_sum_divided_by_the_other():
    (share,) = ratios(column(1, 2, 0), column(4, 4, 2), pieces=None, seed=0)
    assert share.value == pytest.approx(0.3)
    assert share.interval is None


def test_a_figure_of_nothing_is_zero():
    shares = ratios(np.zeros((3, 2)), np.array([[0.0, 1], [0, 1], [0, 1]]), pieces=None, seed=0)
    assert [each.value for each in shares] == [0, 0]


def test_one_piece_tells_nothing_of_others():
    pieces = np.array(["a", "a", "a"])
    assert mean(np.array([1.0, 2.0, 3.0]), pieces=pieces, seed=0).interval is None


def test_excerpts_of_one_piece_are_one_witness():
    values = np.repeat(np.random.default_rng(0).normal(size=50), 20)
    apart = mean(values, pieces=np.arange(1000).astype(str), seed=0).interval
    together = mean(values, pieces=np.repeat(np.arange(50), 20).astype(str), seed=0).interval
    assert (together.high - together.low) > 3 * (apart.high - apart.low)


def test_the_interval_of_a_mean_is_the_one_of_theory():
    values = np.random.default_rng(1).normal(10, 2, size=400)
    found = mean(values, pieces=np.arange(400).astype(str), seed=0)
    error = values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert found.interval.low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert found.interval.high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)


def test_intervals_cover_as_often_as_they_say():
    random = np.random.default_rng(2)
    pieces = np.repeat(np.arange(30), 4).astype(str)
    covered = 0
    for seed in range(200):
        centers = np.repeat(random.normal(size=30), 4)
        interval = mean(centers + random.normal(size=120), pieces=pieces, seed=seed).interval
        covered += interval.low <= 0 <= interval.high
    assert covered / 200 == pytest.approx(COVERAGE, abs=0.05)


def test_a_piece_with_more_excerpts_weighs_more():
    pieces = np.array(["long"] * 9 + ["short"])
    found = ratios(column(*[1] * 9, 0), column(*[1] * 10), pieces=pieces, seed=0)[0]
    assert found.value == 0.9
    assert (found.interval.low, found.interval.high) == (0, 1)


def test_the_seed_decides_the_draws():
    values = np.random.default_rng(3).normal(size=40)
    pieces = np.arange(40).astype(str)
    assert mean(values, pieces=pieces, seed=1) == mean(values, pieces=pieces, seed=1)
    assert mean(values, pieces=pieces, seed=1) != mean(values, pieces=pieces, seed=2)
