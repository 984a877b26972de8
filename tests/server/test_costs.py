import time

import pytest

from musicvae.generation.decoding import group_rows
from musicvae.server.costs import Costs, Kind

MELODY = Kind("melody-2bar", "Sample", 32)
GROUP_ROWS = group_rows(32)


def slow(items, *, every, seconds):
    """Items of which the first of each group takes its time."""
    for index in range(items):
        if index % every == 0:
            time.sleep(seconds)
        yield index


def test_a_request_costs_its_groups_and_a_turn_is_the_longest_of_them():
    costs = Costs()
    costs.learn(MELODY, GROUP_ROWS, 0.8)
    costs.learn(MELODY, 3, 0.5)
    load = costs.load(MELODY, 2 * GROUP_ROWS + 3)
    assert load.items == 2 * GROUP_ROWS + 3
    assert (load.whole_s, load.turn_s) == pytest.approx((2.1, 0.8))


def test_work_tells_its_cost_by_the_size_of_the_group():
    costs = Costs()
    count = GROUP_ROWS + 1
    made = list(costs.timed(slow(count, every=GROUP_ROWS, seconds=0.03), MELODY, count))
    assert made == list(range(count))
    assert costs.load(MELODY, GROUP_ROWS).whole_s >= 0.03
    assert costs.load(MELODY, 1).whole_s >= 0.03
    assert costs.load(MELODY, count).whole_s >= 0.06


def test_work_that_ends_early_teaches_nothing():
    costs = Costs()
    next(costs.timed(slow(8, every=8, seconds=0.01), MELODY, 8))
    assert costs.load(MELODY, 8).whole_s == 0


def test_an_unknown_size_and_an_unknown_method_cost_as_the_nearest_that_is_known():
    costs = Costs()
    costs.learn(MELODY, 1, 0.1)
    costs.learn(MELODY, 8, 0.4)
    assert costs.load(MELODY, 7).whole_s == 0.4
    assert costs.load(MELODY._replace(method="Decode"), 2).whole_s == 0.1
    assert costs.load(Kind("trio-16bar", "Sample", 256), 1).whole_s == 0


def test_a_mean_forgets_a_stall():
    costs = Costs()
    for seconds in (0.1, 5.0, *[0.1] * 12):
        costs.learn(MELODY, 1, seconds)
    assert 0.1 <= costs.load(MELODY, 1).whole_s < 0.15
