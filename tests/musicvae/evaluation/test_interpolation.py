import numpy as np
import pytest

from musicvae.evaluation.interpolation import choose_pairs, interpolate
from musicvae.representation import Melody

PIECES = np.array([f"piece {number // 2}" for number in range(12)], dtype=object)


def walk(model, representation, events, **settings):
    return interpolate(
        model,
        representation,
        events,
        PIECES[: len(events)],
        events,
        **{"seed": 0, "pairs": 20, "points": 5, **settings},
    )


def test_every_kind_of_music_is_interpolated(representation, make_events, make_model):
    events = make_events(representation, 12)
    found = walk(make_model(representation), representation, events)
    assert found.pairs == 20
    assert found.fractions == (0, 0.25, 0.5, 0.75, 1)
    for values in (found.distance, found.mixture_distance):
        assert len(values) == 5
        assert 0 <= min(values) <= max(values) <= 1
    assert min(found.cost) > 0
    assert found == walk(make_model(representation), representation, events)
    assert found != walk(make_model(representation), representation, events, seed=1)


def test_a_mixture_leads_straight_from_one_to_the_other(make_stubborn, melodies):
    found = walk(make_stubborn(0), Melody(), melodies(12, seed=0), pairs=300)
    assert found.mixture_distance[0] == 0
    assert found.mixture_distance[2] == pytest.approx(found.mixture_distance[-1] / 2, rel=0.05)
    assert found.mixture_cost[0] == pytest.approx(1)
    assert found.mixture_cost[-1] == pytest.approx(1)
    assert found.mixture_cost[2] > 1.2


def test_a_model_that_ignores_its_input_stays_at_one_point(make_stubborn, melodies):
    events = melodies(12, seed=0)
    found = walk(make_stubborn(0), Melody(), events)
    assert len(set(found.distance)) == 1  # it holds, whatever it is given
    assert found.distance[0] == pytest.approx((events > 0).mean(), abs=0.1)


def test_the_ends_are_what_the_model_gives_back(make_model, make_events):
    representation = Melody()
    model, events = make_model(representation), make_events(representation, 12)
    two, many = (walk(model, representation, events, points=points) for points in (2, 5))
    assert two.distance == (many.distance[0], many.distance[-1])


def test_pairs_are_of_different_pieces():
    first, second = choose_pairs(PIECES, 500, np.random.default_rng(0))
    assert (PIECES[first] != PIECES[second]).all()
    assert set(first) == set(second) == set(range(12))


def test_one_piece_is_paired_with_itself():
    first, second = choose_pairs(PIECES[:2], 10, np.random.default_rng(0))
    assert set(first) | set(second) == {0, 1}
