"""The networks of every bundle that ships, beside torch: real widths, real weights."""

import numpy as np
import pytest
import torch

from musicvae.bundle.format import embedded, load
from musicvae.model import EventPrior
from musicvae.model.conditions import split_streams
from musicvae.runtime.decoding import unroll

EXCERPTS = 64
WIDTHS = (1, 2, 7, 8)
TOLERANCE = 1e-4
"""Of logits that reach 75; twice the largest difference that was found."""


@pytest.fixture(scope="module", params=embedded())
def bundle(request):
    return load(request.param)


@pytest.fixture(scope="module")
def music(bundle):
    """Random events with their conditions."""
    draw = np.random.default_rng(1)
    streams = bundle.representation.streams
    length = bundle.model.length_steps()
    columns = [draw.integers(0, stream.size, (EXCERPTS, length)) for stream in streams]
    return split_streams(torch.from_numpy(np.stack(columns, axis=-1)), streams)


@pytest.fixture(scope="module")
def z(bundle):
    shape = (EXCERPTS, bundle.model.latent_size)
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def by_row(bundle, values):
    """(batch, bar * step, ...) -> (batch * bar, step, ...)"""
    bars = bundle.representation.bars if bundle.model.latent.is_by_bar else 1
    return values.reshape(len(values) * bars, values.shape[1] // bars, values.shape[2])


def started(bundle, z, conditions):
    """The decoder's state before step 0, for all rows."""
    decoder = bundle.networks.decoder
    plans = decoder.plan(bundle.model.latent.shares(z).numpy())
    told = conditions.streams
    if told is None:
        told = torch.zeros(len(z), bundle.model.length_steps(), 0, dtype=torch.long)
    return decoder.start(plans.reshape(-1, plans.shape[2]), by_row(bundle, told.numpy()))


def test_the_posterior_is_that_of_torch(bundle, music):
    with torch.inference_mode():
        expected = bundle.model.encode(music)
        found = bundle.model.encode(music, bundle.networks)
    torch.testing.assert_close(found.mean, expected.mean, atol=TOLERANCE, rtol=0)
    torch.testing.assert_close(found.stddev, expected.stddev, atol=TOLERANCE, rtol=0)


def test_the_logits_of_the_decoder_are_those_of_torch(bundle, music, z):
    events, conditions = music.events[:4], music.conditions[:4]
    with torch.inference_mode():
        expected = bundle.model.decode(z[:4], conditions).parameters(events).numpy()
    rows, unknown = by_row(bundle, events.numpy()), bundle.model.decoder.heads.unknown.numpy()
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


def test_greedy_decodes_are_those_of_torch(bundle, music, z):
    few = slice(0, 16)
    expected, found = (
        bundle.model.decode(z[few], music.conditions[few], networks).mode()
        for networks in (None, bundle.networks)
    )
    assert (expected == found).float().mean() >= 0.999


def test_draws_of_the_prior_are_those_of_torch(bundle, music):
    if not isinstance(bundle.prior, EventPrior):
        pytest.skip("a prior over latents")
    for temperature in (0.0, 1.0):
        expected, found = (
            bundle.prior.draw(
                music.conditions[:2], seeds=[1, 2], temperature=temperature, network=network
            ).events
            for network in (None, bundle.networks.prior)
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
    told = music.conditions.streams
    events = music.events if told is None else torch.cat([music.events, told], dim=-1)
    check_rows(lambda rows: [bundle.networks.encoder(rows, None)], events.numpy())


def test_a_row_of_the_decoder_is_the_same_at_every_width(bundle, music, z):
    decoder = bundle.networks.decoder
    shares = bundle.model.latent.shares(z).numpy()
    check_rows(lambda rows: [decoder.plan(rows)], shares)
    state = started(bundle, z, music.conditions)
    rows = by_row(bundle, music.events.numpy())

    def run(previous, *before):
        stepped = decoder.step(before, previous, 3)
        return stepped.parameters, *stepped.state

    check_rows(run, *(each[:EXCERPTS] for each in (rows[:, 2], *state)))


def test_a_row_of_the_prior_is_the_same_at_every_width(bundle):
    if not isinstance(bundle.prior, EventPrior):
        pytest.skip("a prior over latents")
    prior, draw = bundle.networks.prior, np.random.default_rng(2)
    columns = [draw.integers(0, each.size, EXCERPTS) for each in bundle.prior.columns]
    state = [np.tanh(draw.standard_normal(each.shape)) for each in prior.start(EXCERPTS)]
    sizes = bundle.prior.heads.parameter_sizes
    has_bias = bundle.prior.chord_bias is not None
    bias = draw.standard_normal((EXCERPTS, sum(sizes) if has_bias else 0))

    def run(columns, bias, *before):
        stepped = prior.step(before, columns, bias if has_bias else None, 3, None)
        return stepped.parameters, *stepped.state

    floats = [each.astype(np.float32) for each in (bias, *state)]
    check_rows(run, np.stack(columns, axis=1), *floats)
