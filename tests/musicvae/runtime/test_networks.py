"""The networks of every bundle that ships, beside torch: real widths, real weights."""

import numpy as np
import pytest
import torch

from musicvae.bundle.format import embedded, load
from musicvae.bundle.modules import modules_of
from musicvae.model.conditions import join_streams, split_streams
from musicvae.runtime.decoding import unroll
from musicvae.runtime.noise import latent_noise

EXCERPTS = 64
WIDTHS = (1, 2, 7, 8)
TOLERANCE = 1e-4
"""Of logits that reach 75; twice the largest difference that was found."""


@pytest.fixture(scope="module", params=embedded())
def bundle(request):
    return load(request.param)


@pytest.fixture(scope="module")
def modules(bundle):
    return modules_of(bundle)


@pytest.fixture(scope="module")
def music(bundle):
    """Random events with their conditions."""
    draw = np.random.default_rng(1)
    streams = bundle.representation.streams
    length = bundle.representation.bars * bundle.representation.rows_per_bar
    columns = [draw.integers(0, stream.size, (EXCERPTS, length)) for stream in streams]
    return split_streams(torch.from_numpy(np.stack(columns, axis=-1)), streams)


@pytest.fixture(scope="module")
def z(bundle):
    shape = (EXCERPTS, bundle.latent_size)
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def by_row(bundle, values):
    """(batch, bar * step, ...) -> (batch * bar, step, ...)"""
    bars = bundle.representation.bars if bundle.experiment.model.is_by_bar else 1
    return values.reshape(len(values) * bars, values.shape[1] // bars, values.shape[2])


def shares_of(bundle, z):
    return z.numpy().reshape(len(z), -1, bundle.experiment.model.latent_size)


def whole(music):
    return join_streams(music.events, music.conditions).numpy()


def started(bundle, z, conditions):
    """The decoder's state before step 0, for all rows."""
    decoder = bundle.networks.decoder
    plans = decoder.plan(shares_of(bundle, z))
    told = conditions.streams
    if told is None:
        length = bundle.representation.bars * bundle.representation.rows_per_bar
        told = torch.zeros(len(z), length, 0, dtype=torch.long)
    return decoder.start(plans.reshape(-1, plans.shape[2]), by_row(bundle, told.numpy()))


def test_the_posterior_is_that_of_torch(bundle, modules, music):
    with torch.inference_mode():
        expected = modules.model.encode(music)
    found = bundle.networks.encode(whole(music), None)
    for name in ("mean", "stddev"):
        own, other = torch.from_numpy(getattr(found, name)), getattr(expected, name)
        torch.testing.assert_close(own, other, atol=TOLERANCE, rtol=0)


def test_the_logits_of_the_decoder_are_those_of_torch(bundle, modules, music, z):
    events, conditions = music.events[:4], music.conditions[:4]
    with torch.inference_mode():
        expected = modules.model.decode(z[:4], conditions).parameters(events).numpy()
    rows, unknown = by_row(bundle, events.numpy()), modules.model.decoder.heads.unknown.numpy()
    steps = unroll(
        bundle.networks.decoder,
        started(bundle, z[:4], conditions),
        np.broadcast_to(unknown, rows[:, 0].shape),
        rows.shape[1],
        lambda number, _: rows[:, number],
        None,
    )
    assert (
        np.abs(np.stack(list(steps), axis=1).reshape(expected.shape) - expected).max() < TOLERANCE
    )


def test_greedy_decodes_are_those_of_torch(bundle, modules, music, z):
    few = slice(0, 16)
    conditions = music.conditions[few]
    expected = modules.model.decode(z[few], conditions).mode().numpy()
    found = bundle.networks.decode(
        z[few].numpy(), conditions.to_arrays(), seeds=[], temperature=0.0
    )
    assert (expected == found.events).mean() >= 0.999


def test_draws_of_the_prior_are_those_of_torch(bundle, modules, music):
    if not bundle.draws_events:
        noise = latent_noise(1, [0], bundle.networks.latent_prior.noise_size)
        expected = modules.prior(torch.from_numpy(noise))
        found = torch.from_numpy(bundle.networks.latent_prior(noise))
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
        return
    for temperature in (0.0, 1.0):
        expected, found = (
            each.draw(
                music.conditions[:2].to_arrays(), seeds=[1, 2], temperature=temperature
            ).events
            for each in (modules.prior.draws, bundle.networks.draws)
        )
        assert (expected == found).mean() >= 0.999


def check_rows(run, *arrays):
    """Checks that a row's results are the same to the last bit at every width and place."""
    together = run(*arrays)
    for width in WIDTHS:
        for first in (0, 5, EXCERPTS - width):
            rows = slice(first, first + width)
            alone = run(*(np.ascontiguousarray(each[rows]) for each in arrays))
            for one, every in zip(alone, together, strict=True):
                assert np.array_equal(one, every[rows]), f"{width} rows from {first}"


def test_a_row_of_the_encoder_is_the_same_at_every_width(bundle, music):
    check_rows(lambda rows: [bundle.networks.encoder(rows, None)], whole(music))


def test_a_row_of_the_decoder_is_the_same_at_every_width(bundle, music, z):
    decoder = bundle.networks.decoder
    shares = shares_of(bundle, z)
    check_rows(lambda rows: [decoder.plan(rows)], shares)
    state = started(bundle, z, music.conditions)
    rows = by_row(bundle, music.events.numpy())

    def run(previous, *before):
        stepped = decoder.step(before, previous, 3)
        return stepped.parameters, *stepped.state

    check_rows(run, *(each[:EXCERPTS] for each in (rows[:, 2], *state)))


def test_a_row_of_the_prior_is_the_same_at_every_width(bundle, modules):
    if not bundle.draws_events:
        pytest.skip("a prior over latents")
    prior, draw = bundle.networks.draws._network, np.random.default_rng(2)
    columns = [draw.integers(0, each.size, EXCERPTS) for each in modules.prior.columns]
    state = [np.tanh(draw.standard_normal(each.shape)) for each in prior.start(EXCERPTS)]
    sizes = modules.prior.heads.parameter_sizes
    has_bias = modules.prior.chord_bias is not None
    bias = draw.standard_normal((EXCERPTS, sum(sizes) if has_bias else 0))

    def run(columns, bias, *before):
        stepped = prior.step(before, columns, bias if has_bias else None, 3, None)
        return stepped.parameters, *stepped.state

    floats = [each.astype(np.float32) for each in (bias, *state)]
    check_rows(run, np.stack(columns, axis=1), *floats)
