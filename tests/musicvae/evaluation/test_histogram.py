import json
import math
from dataclasses import asdict

import numpy as np
import pytest

from musicvae.evaluation.histogram import count


def array(*values):
    return np.array(values, dtype=float)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (array(1, 2, 3), array(3, 2, 1), 1.0),
        (array(1, 2), array(2, 3), 0.5),
        (array(1, 1, 1, 2), array(1, 2, 2, 2), 0.5),
        (array(1), array(7), 0.0),
        (array(60, 62, 64, 65), array(60), 0.25),
        (array(5, 5), array(5), 1.0),
        (array(-3, 4), array(-3, 4), 1.0),
        (array(), array(1), 0.0),
        (array(), array(), 0.0),
    ],
)
def test_the_overlap_of_whole_numbers(a, b, expected):
    histogram = count({"a": a, "b": b}, 1.0)
    assert histogram.overlap("a", "b") == pytest.approx(expected)
    assert histogram.overlap("b", "a") == pytest.approx(expected)


def test_bins_begin_at_multiples_of_their_width():
    histogram = count({"a": array(7, 9, 10, 21)}, 5.0)
    assert (histogram.start, histogram.width) == (5, 5)
    assert histogram.counts == {"a": (2, 1, 0, 1)}
    assert count({"a": array(-0.24, -0.26, 0.0)}, 0.25).counts == {"a": (1, 1, 1)}


def test_other_sets_do_not_move_the_bins():
    alone = count({"a": array(7, 9), "b": array(8, 12)}, 5.0)
    beside = count({"a": array(7, 9), "b": array(8, 12), "c": array(-40, 90)}, 5.0)
    assert beside.overlap("a", "b") == alone.overlap("a", "b")


def test_two_samples_of_one_distribution_overlap_much():
    a, b = np.random.default_rng(0).normal(60, 5, (2, 5000)).round()
    assert count({"a": a, "b": b}, 1.0).overlap("a", "b") > 0.95
    assert 0.3 < count({"a": a, "b": b + 5}, 1.0).overlap("a", "b") < 0.7


def test_the_divergence_is_finite_and_not_negative():
    histogram = count({"a": array(0, 0, 1), "b": array(1, 1, 1), "c": array(0, 0, 1)}, 1.0)
    assert histogram.divergence("a", "c") == 0
    shares = [(2.5 / 4, 0.5 / 4), (1.5 / 4, 3.5 / 4)]
    expected = sum(p * math.log(p / q) for p, q in shares)
    assert histogram.divergence("a", "b") == pytest.approx(expected)
    assert histogram.divergence("b", "a") > 0


def test_a_histogram_is_plain_values():
    json.dumps(asdict(count({"a": np.array([1, 2]), "b": array(0.5)}, 0.5)), allow_nan=False)
