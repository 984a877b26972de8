import copy
import math
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from musicvae.evaluation import decoding
from musicvae.evaluation.accuracy import Decodings
from musicvae.evaluation.reconstruction import reconstruct
from musicvae.experiment.build import build_model
from musicvae.model.conditions import Batch
from musicvae.model.latent.latent import draw
from musicvae.representation import Melody
from musicvae.training.elbo import elbo

ACCURACIES = [field.name for field in fields(Decodings)]


@pytest.fixture(scope="module")
def learnt(make_experiment, melodies):
    """A model that knows eight melodies by heart, and the melodies."""
    tiny = make_experiment()
    widths = replace(
        tiny.model,
        latent_size=16,
        event_size=16,
        position_size=16,
        encoder_size=32,
        decoder_size=128,
        decoder_layers=1,
    )
    events = melodies(8, seed=5)
    batch = torch.from_numpy(events.astype(np.int64))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build_model(replace(tiny, model=widths))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(250):
        posterior = model.encode(Batch(events=batch))
        loss = elbo(posterior, model.decode(posterior.mean).log_prob(batch), beta=0.0).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if loss.item() < 0.5:
            break
    with torch.no_grad():
        # A sure posterior: a draw is then as good as the mean.
        model.posterior.weight[widths.latent_size :] = 0
        model.posterior.bias[widths.latent_size :] = -6
    return model, events


def test_a_model_that_knows_its_excerpts_by_heart_gives_them_back(learnt):
    model, events = learnt
    measured = reconstruct(model, Melody(), events, seed=0)
    for accuracy in (measured.teacher_forced, measured.sampled, measured.sampled_from_draw):
        assert (accuracy.all_steps, accuracy.onsets) == (1.0, 1.0)
    assert measured.sampled_at_temperature_1.all_steps > 0.9
    assert measured.shuffled.onsets < 0.5  # every latent is another melody
    assert measured.examples == 8
    assert -2 < measured.reconstruction_nats < 0
    assert measured.active_units == measured.latent_size == 16


def test_a_posterior_that_is_unsure_hurts_its_draws_and_not_its_mean(learnt):
    model, events = learnt
    unsure = copy.deepcopy(model)
    with torch.no_grad():
        unsure.posterior.bias[16:] = 3
    measured = reconstruct(unsure, Melody(), events, seed=0)
    assert measured.sampled.all_steps == 1.0
    assert measured.sampled_from_draw.all_steps < 0.9
    assert measured.reconstruction_nats < -10


def test_accuracies_are_shares_of_the_steps_that_are_right(make_stubborn):
    events = np.zeros((2, 32, 1), np.int16)
    events[0, :8], events[1, 3], events[1, 5] = 41, 41, 50  # 9 of 64 steps, 9 of 10 onsets
    always = reconstruct(make_stubborn(41), Melody(), events, seed=0)
    never = reconstruct(make_stubborn(0), Melody(), events, seed=0)
    for name in ACCURACIES:
        assert getattr(always, name).all_steps == pytest.approx(9 / 64)
        assert getattr(always, name).onsets == pytest.approx(9 / 10)
        assert getattr(never, name).all_steps == pytest.approx(54 / 64)
        assert getattr(never, name).onsets == 0


def test_at_temperature_1_events_are_drawn_as_often_as_the_model_has_them(make_stubborn):
    model = make_stubborn(41, 0)
    events = np.full((300, 32, 1), 41, np.int16)
    measured, other = (reconstruct(model, Melody(), events, seed=seed) for seed in (0, 1))
    assert measured.sampled_at_temperature_1.all_steps == pytest.approx(0.5, abs=0.02)
    assert measured.sampled_at_temperature_1 != other.sampled_at_temperature_1
    assert measured.sampled.all_steps in (0, 1)


def test_each_row_has_its_own_noise_whatever_the_batch(make_stubborn, monkeypatch):
    model = make_stubborn(41, 0)
    events = np.full((20, 32, 1), 41, np.int16)
    whole = reconstruct(model, Melody(), events, seed=0)
    monkeypatch.setattr(decoding, "BATCH_STEPS", 7 * 32)
    parts = reconstruct(model, Melody(), events, seed=0)
    assert whole.sampled_at_temperature_1 == parts.sampled_at_temperature_1


def test_the_log_likelihood_is_the_models_own(untrained, melodies):
    events = melodies(20, seed=1)
    batch = torch.from_numpy(events.astype(np.int64))
    z = draw(untrained.encode(Batch(events=batch)), torch.Generator().manual_seed(7))
    expected = untrained.decode(z).log_prob(batch).mean().item()
    measured = reconstruct(untrained, Melody(), events, seed=7)
    assert measured.reconstruction_nats == pytest.approx(expected, rel=1e-6)


def test_the_true_past_is_read_once(untrained, melodies):
    calls = []
    hook = untrained.decoder.register_forward_hook(lambda *_: calls.append(1))
    reconstruct(untrained, Melody(), melodies(5, seed=1), seed=0)
    hook.remove()
    assert len(calls) == 1


@pytest.fixture(scope="module")
def untrained(make_experiment):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build_model(make_experiment())


def test_the_terms_of_the_bound_agree(untrained, melodies):
    events = melodies(20, seed=1)
    measured = reconstruct(untrained, Melody(), events, seed=0)
    assert measured.elbo_nats == pytest.approx(
        measured.reconstruction_nats - measured.divergence_nats
    )
    assert measured.bits_per_step == pytest.approx(-measured.elbo_nats / math.log(2) / 32)
    assert sum(measured.divergence_by_dimension) == pytest.approx(measured.divergence_nats)
    posterior = untrained.encode(Batch(events=torch.from_numpy(events.astype(np.int64))))
    expected = posterior.divergence().sum(1).mean().item()
    assert measured.divergence_nats == pytest.approx(expected, rel=1e-5)
    # Hardly better than 90 events equally likely.
    assert 0.9 * math.log2(90) < measured.bits_per_step < 1.1 * math.log2(90)


def test_an_untrained_model_uses_no_dimension(untrained, melodies):
    measured = reconstruct(untrained, Melody(), melodies(20, seed=1), seed=0)
    assert measured.active_units == 0
    for accuracy in (measured.teacher_forced, measured.sampled, measured.sampled_from_draw):
        assert 0 <= accuracy.onsets <= accuracy.all_steps + 0.5 <= 1.5


def test_the_seed_decides_the_draws(learnt, melodies):
    model, _ = learnt
    events = melodies(20, seed=1)
    first, again, other = (reconstruct(model, Melody(), events, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.sampled == other.sampled  # of the mean: nothing is drawn
    assert first.elbo_nats != other.elbo_nats


def test_the_size_of_batches_changes_nothing(learnt, melodies, monkeypatch):
    model, _ = learnt
    events = melodies(20, seed=1)
    whole = reconstruct(model, Melody(), events, seed=0)
    monkeypatch.setattr(decoding, "BATCH_STEPS", 7 * 32)
    parts = reconstruct(model, Melody(), events, seed=0)
    for name in ACCURACIES:
        assert getattr(parts, name) == getattr(whole, name)
    assert parts.active_units == whole.active_units
    assert parts.elbo_nats == pytest.approx(whole.elbo_nats, rel=1e-5)


def test_excerpts_without_an_onset_have_no_accuracy_over_onsets(untrained):
    measured = reconstruct(untrained, Melody(), np.zeros((3, 32, 1), np.int16), seed=0)
    assert measured.sampled.onsets == 0
    assert 0 <= measured.sampled.all_steps <= 1


def test_every_kind_of_music_is_given_back(representation, make_events, make_model):
    model, events = make_model(representation), make_events(representation, 6)
    pieces = np.array(["a", "a", "b", "b", "c", "c"])
    sources = np.array(["x", "x", "x", "x", "y", "y"], dtype=object)
    measured = reconstruct(model, representation, events, seed=0, pieces=pieces, sources=sources)
    assert math.isfinite(measured.elbo_nats)
    assert set(measured.sources) == {"x", "y"}
    assert measured.sources["x"].keys() == measured.lines.keys()
    for ways in measured.sources["x"].values():
        assert ways.sampled.all_steps_interval is not None
    interval = measured.teacher_forced.all_steps_interval
    assert interval.low <= measured.teacher_forced.all_steps <= interval.high
    has_numbers = any(stream.is_number for stream in representation.streams)
    assert set(measured.numbers) == ({"velocity", "offset"} if has_numbers else set())


def test_one_source_is_not_told_apart(make_stubborn):
    events = np.full((4, 32, 1), 41, np.int16)
    names = np.array(["x"] * 4, dtype=object)
    assert reconstruct(make_stubborn(41), Melody(), events, seed=0, sources=names).sources == {}


def test_one_excerpt_has_no_other(make_stubborn):
    measured = reconstruct(make_stubborn(41), Melody(), np.full((1, 32, 1), 41, np.int16), seed=0)
    assert measured.shuffled.all_steps == 1
