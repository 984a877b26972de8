"""The contract of the model, over every architecture, length, meter and set of streams."""

import pytest
import torch

from musicvae.errors import SettingError
from musicvae.model.conditions import Batch, split_streams
from musicvae.model.event_distribution import Teacher
from musicvae.model.latent.latent import draw
from musicvae.music.notes import Meter, TimeGrid
from musicvae.runtime.model_config import ModelConfig
from musicvae.training.elbo import elbo

SHAPES = {
    "flat, 1 bar": {"latent": "gaussian", "bars": 1},
    "flat, 2 bars": {"latent": "gaussian", "bars": 2},
    "hierarchical, 1 bar": {"latent": "bars", "bars": 1},
    "hierarchical, 2 bars": {"latent": "bars", "bars": 2},
    "hierarchical, 16 bars": {"latent": "bars", "bars": 16},
}
FURTHER = {
    TimeGrid(Meter(6, 8)): 12,
    TimeGrid(Meter(3, 4)): 12,
    TimeGrid(Meter(7, 8)): 14,
    TimeGrid(Meter(5, 4)): 20,
    TimeGrid(Meter(), 12): 48,
}
METERS = [Meter(4, 4), Meter(3, 4), Meter(6, 8), Meter(7, 8)]
STREAMS = [(5,), (5, 4, 7)]

shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
streams = pytest.mark.parametrize("vocabulary_sizes", STREAMS, ids=["1 stream", "3 streams"])


@shapes
@streams
@pytest.mark.parametrize("meter", METERS, ids=str)
@pytest.mark.parametrize("batch", [1, 3])
def test_events_to_a_latent_and_a_latent_to_events(
    make_model, make_events, shape, vocabulary_sizes, meter, batch
):
    steps_per_bar = meter.steps_per_bar()
    model = make_model(**shape, steps_per_bar=steps_per_bar, vocabulary_sizes=vocabulary_sizes)
    steps = shape["bars"] * steps_per_bar
    assert model.length_steps() == steps
    events = make_events(batch, steps, vocabulary_sizes)
    posterior = model.encode(Batch(events=events))
    assert posterior.mean.shape == posterior.stddev.shape == (batch, model.latent_size)
    shares = shape["bars"] if shape["latent"] == "bars" else 1
    assert model.latent_size == shares * model.config.latent_size
    assert (posterior.stddev > 0).all()
    decoded = model.decode(posterior.mean)
    log_prob = decoded.log_prob(events)
    assert log_prob.shape == (batch,)
    assert torch.isfinite(log_prob).all() and (log_prob < 0).all()
    sample = decoded.sample(randomness=torch.Generator().manual_seed(0))
    assert sample.shape == events.shape
    assert ((sample >= 0) & (sample < torch.tensor(vocabulary_sizes))).all()


@shapes
@streams
@pytest.mark.parametrize(("hidden", "sampled"), [(0.0, 0.0), (0.5, 0.0), (0.3, 0.5)])
def test_every_parameter_gets_a_gradient_from_the_objective(
    make_model, make_events, shape, vocabulary_sizes, hidden, sampled
):
    model = make_model(**shape, vocabulary_sizes=vocabulary_sizes, scale=1.0)
    events = make_events(3, model.length_steps(), vocabulary_sizes)
    generator = torch.Generator().manual_seed(0)
    teacher = Teacher(hidden=hidden, sampled=sampled, generator=generator)
    posterior = model.encode(Batch(events=events))
    log_likelihood = model.decode(draw(posterior, generator)).log_prob(events, teacher=teacher)
    elbo(posterior, log_likelihood, beta=0.5).loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        # An LSTM over one bar, from an empty state, has no use for its recurrent weights.
        is_dead = shape == SHAPES["hierarchical, 1 bar"] and name.startswith(
            "encoder.excerpt.weight_hh"
        )
        assert is_dead or parameter.grad.abs().max() > 0, name


def test_the_posterior_of_a_bar_stands_at_its_place(make_model, make_events):
    model = make_model(latent="bars", bars=3)
    with torch.no_grad():
        for parameter in model.encoder.excerpt.parameters():  # a bar hears no other bar
            parameter.zero_()
    events = make_events(2, 48, (5,))
    before = model.encode(Batch(events=events))
    for bar in range(3):
        other = events.clone()
        other[:, bar * 16 : (bar + 1) * 16] = make_events(2, 16, (5,), seed=1)
        after = model.encode(Batch(events=other))
        for name in ("mean", "stddev"):
            changed = (getattr(after, name) - getattr(before, name)).abs().unflatten(1, (3, -1))
            assert changed[:, bar].min() > 1e-6
            assert changed[:, torch.arange(3) != bar].max() < 1e-6


@streams
def test_training_makes_the_excerpt_likelier(make_model, make_events, vocabulary_sizes):
    model = make_model(latent="bars", vocabulary_sizes=vocabulary_sizes, scale=1.0)
    events = make_events(2, 1, vocabulary_sizes).expand(-1, model.length_steps(), -1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    losses = []
    for _ in range(12):
        posterior = model.encode(Batch(events=events))
        loss = elbo(posterior, model.decode(posterior.mean).log_prob(events), beta=0.0).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_a_seeded_model_is_the_same_again(make_model, make_events):
    events = make_events(2, 32, (5,))
    first, second = (make_model(seed=3).encode(Batch(events=events)) for _ in range(2))
    assert torch.equal(first.mean, second.mean)
    assert not torch.equal(first.mean, make_model(seed=4).encode(Batch(events=events)).mean)


def test_the_posterior_is_of_single_precision_under_autocast(make_model, make_events):
    model = make_model(latent="bars")
    events = make_events(3, 32, (5,))
    with torch.autocast("cpu", torch.bfloat16):
        posterior = model.encode(Batch(events=events))
        log_prob = model.decode(posterior.mean).log_prob(events)
    assert posterior.mean.dtype == posterior.stddev.dtype == log_prob.dtype == torch.float32


@pytest.mark.parametrize("name", ["latent_size", "decoder_layers", "plan_size"])
def test_a_width_below_one_is_refused(name):
    with pytest.raises(SettingError, match=f"model.{name}=0; expected 1 or more"):
        ModelConfig(**{name: 0})


def test_a_latent_that_does_not_exist_is_refused_with_the_kinds():
    with pytest.raises(SettingError, match=r"model\.latent=bar; expected gaussian or bars"):
        ModelConfig(latent="bar")


@shapes
@pytest.mark.parametrize("grid", FURTHER, ids=str)
def test_one_model_plays_music_on_several_grids(make_model, make_events, shape, grid):
    model = make_model(**shape, further_grids=FURTHER)
    events = make_events(2, shape["bars"] * FURTHER[grid], (5,))
    batch = split_streams(events, model.streams, grid)
    posterior = model.encode(batch)
    decoded = model.decode(posterior.mean, batch.conditions)
    assert decoded.sample(randomness=(0, 1)).shape == events.shape
    assert torch.isfinite(decoded.log_prob(events)).all()
    if grid.meter == Meter(3, 4):
        other = split_streams(events, model.streams, TimeGrid(Meter(6, 8)))
        assert not torch.allclose(model.encode(other).mean, posterior.mean, atol=1e-3)
        heard = model.decode(posterior.mean, other.conditions)
        assert not torch.allclose(heard.log_prob(events), decoded.log_prob(events), atol=1e-3)


def test_a_model_of_several_grids_plays_the_first_as_if_alone(make_model, make_events):
    further = {TimeGrid(Meter(), 12): 48}
    alone, several = (make_model(further_grids=each) for each in ({}, further))
    weights = alone.state_dict()
    for name, tensor in several.state_dict().items():
        tensor[: len(weights[name])] = weights[name]
    events = make_events(3, 32, (5,))
    batch = split_streams(events, alone.streams, TimeGrid())
    z = alone.encode(Batch(events=events)).mean
    assert torch.equal(several.encode(batch).mean, z)
    one, other = alone.decode(z), several.decode(z, batch.conditions)
    assert torch.equal(one.sample(randomness=range(3)), other.sample(randomness=range(3)))
