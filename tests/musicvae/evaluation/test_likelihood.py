import math

import numpy as np
import pytest
import torch

from musicvae.evaluation import decoding
from musicvae.evaluation.decoding import to_batch
from musicvae.evaluation.likelihood import bound
from musicvae.representation import Melody


@pytest.fixture(scope="module")
def indifferent(make_stubborn):
    """A model of one note or a hold, as likely, whatever the latent; its posterior is too wide."""
    model = make_stubborn(0, 41)
    latent_size = model.latent_size
    with torch.no_grad():
        model.posterior.weight.zero_()
        model.posterior.bias[:latent_size] = 0.3
        model.posterior.bias[latent_size:] = 1.0
    return model


def test_importance_weights_undo_the_price_of_a_wrong_posterior(indifferent):
    events = np.full((2, 32, 1), 41, np.int16)
    measured = bound(indifferent, Melody(), events, seed=0, draws=4000)
    likelihood = -32 * math.log(2)
    divergence = indifferent.encode(to_batch(indifferent, Melody(), events)).divergence().sum(1)
    assert divergence.min() > 1
    assert measured.bound_nats.value == pytest.approx(likelihood, abs=0.1)
    assert measured.elbo_nats.value == pytest.approx(likelihood - divergence[0].item(), abs=0.2)
    assert measured.bound_bits_per_step.value == pytest.approx(1, abs=0.01)
    assert measured.elbo_bits_per_step.value == pytest.approx(
        -measured.elbo_nats.value / 32 / math.log(2)
    )


def test_one_draw_is_the_elbo_of_that_draw(representation, make_events, make_model):
    model, events = make_model(representation), make_events(representation, 5)
    one = bound(model, representation, events, seed=0, draws=1)
    assert one.bound_nats == one.elbo_nats
    assert (one.examples, one.draws) == (5, 1)


def test_more_draws_come_closer(representation, make_events, make_model):
    model, events = make_model(representation), make_events(representation, 5)
    measured = bound(model, representation, events, seed=0, draws=30)
    assert measured.bound_nats.value > measured.elbo_nats.value
    again, other = (bound(model, representation, events, seed=s, draws=30) for s in (0, 1))
    assert measured == again
    assert measured != other


def test_pieces_give_intervals(indifferent):
    events = np.full((4, 32, 1), 41, np.int16)
    pieces = np.array(["a", "a", "b", "c"])
    measured = bound(indifferent, Melody(), events, seed=0, draws=3, pieces=pieces)
    interval = measured.bound_bits_per_step.interval
    assert interval.low <= measured.bound_bits_per_step.value <= interval.high


def test_memory_is_bounded_by_rows_of_draws(indifferent, monkeypatch):
    monkeypatch.setattr(decoding, "BATCH_STEPS", 2 * 10 * 32)
    rows = []
    hook = indifferent.decoder.register_forward_pre_hook(
        lambda _, inputs: rows.append(len(inputs[0]))
    )
    bound(indifferent, Melody(), np.full((5, 32, 1), 41, np.int16), seed=0, draws=10)
    hook.remove()
    assert rows == [20, 20, 10]
