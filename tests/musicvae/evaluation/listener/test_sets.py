import numpy as np

from musicvae.evaluation.listener.measures import measure
from musicvae.evaluation.listener.sets import (
    POSTERIOR_DRAWS,
    POSTERIOR_MEANS,
    PRIOR_DRAWS,
    SETS,
    compare_sets,
)
from musicvae.evaluation.prior_samples import HELD_OUT
from musicvae.representation import Melody

FIRST_C = 41


def test_real_music_and_draws_are_measured_as_they_are(make_events, make_model):
    representation = Melody()
    held_out, draws = make_events(representation, 12), make_events(representation, 9, seed=1)
    model = make_model(representation)
    measured = compare_sets(model, representation, held_out, draws, seed=0)
    for name, events in ((HELD_OUT, held_out), (PRIOR_DRAWS, draws)):
        found = {key: by_set[name] for key, by_set in measured["melody"].items()}
        assert found == measure(representation, events)["melody"]
    assert all(tuple(by_set) == SETS for by_set in measured["melody"].values())


def test_the_model_plays_the_middle_sets(make_events, make_stubborn):
    """A model that always starts the same note, whatever it hears, has one pitch class."""
    representation = Melody()
    events = make_events(representation, 6)
    measured = compare_sets(make_stubborn(FIRST_C), representation, events, events, seed=0)
    classes = measured["melody"]["pitch_classes"]
    assert classes[POSTERIOR_DRAWS] == classes[POSTERIOR_MEANS] == 1
    assert classes[HELD_OUT] > 1


def test_draws_and_means_differ_and_the_seed_decides(make_events, make_model):
    representation = Melody()
    events = make_events(representation, 12)
    model = make_model(representation)

    def take(seed):
        measured = compare_sets(model, representation, events, events, seed=seed)["melody"]
        return [
            tuple(by_set[name] for by_set in measured.values())
            for name in (POSTERIOR_DRAWS, POSTERIOR_MEANS)
        ]

    assert take(0) == take(0)
    assert take(0)[0] != take(0)[1]
    assert not np.allclose(take(0)[0], take(1)[0])
