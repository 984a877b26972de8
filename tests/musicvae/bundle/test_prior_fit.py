from functools import partial

import pytest
import torch
from torch.distributions import Independent, Normal
from torch.nn.functional import pad

from musicvae.bundle import prior_fit
from musicvae.bundle.prior_fit import fit
from musicvae.model import BarPrior, FlowPrior

new_prior = partial(FlowPrior, 8)


@pytest.fixture
def enough_steps(monkeypatch):
    monkeypatch.setattr(prior_fit, "STEPS", 400)


@pytest.fixture(scope="module")
def posteriors():
    """Of music along a curve: the other seven numbers follow the square of the first."""
    first = torch.randn(4_000, 1, generator=torch.Generator().manual_seed(3))
    mean = torch.cat([first, (first.square() - 1).expand(-1, 7)], dim=1)
    return Independent(Normal(mean, torch.full_like(mean, 0.3)), 1)


def share_near_the_curve(z):
    return ((z[:, 1:] - z[:, :1].square() + 1).abs() < 1.5).all(dim=1).float().mean()


@pytest.mark.usefixtures("enough_steps")
def test_a_prior_draws_where_music_is(posteriors):
    prior = fit(new_prior, posteriors, seed=0)
    drawn = torch.randn(1_000, 8, generator=torch.Generator().manual_seed(0))
    assert share_near_the_curve(drawn) < 0.25
    assert share_near_the_curve(prior(drawn)) > 0.7
    held = posteriors.sample()
    assert prior.log_prob(held).mean() > FlowPrior(8).log_prob(held).mean() + 8


def test_the_seed_decides_the_fit(posteriors):
    first, again, other = (fit(new_prior, posteriors, seed=seed) for seed in (1, 1, 2))
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])
    assert any(
        not torch.equal(tensor, other.state_dict()[name])
        for name, tensor in first.state_dict().items()
    )


def test_a_fitted_prior_is_for_drawing_only(posteriors):
    prior = fit(new_prior, posteriors, seed=0)
    assert not prior.training
    assert not any(tensor.requires_grad for tensor in prior.parameters())


def test_a_latent_of_one_number_keeps_its_gaussian():
    one = Independent(Normal(torch.zeros(10, 1), torch.ones(10, 1)), 1)
    assert fit(partial(FlowPrior, 1), one, seed=0)(torch.ones(1, 1)).tolist() == [[1.0]]


def test_a_prior_of_bars_repeats_what_music_repeats(monkeypatch):
    monkeypatch.setattr(prior_fit, "STEPS", 1_200)
    monkeypatch.setattr(prior_fit, "_BATCH_SIZE", 64)
    # Two bars, and half of the excerpts have both of them again.
    generator = torch.Generator().manual_seed(3)
    bars = torch.randn(4_000, 4, 3, generator=generator)
    is_repeated = torch.arange(4_000) % 2 == 0
    bars[is_repeated, 2:] = bars[is_repeated, :2]
    # Beside the numbers that a model uses, a share has others that mean nothing.
    idle = 32
    mean = pad(bars, (0, idle)).flatten(1)
    stddev = pad(torch.full_like(bars, 0.05), (0, idle), value=1.0).flatten(1)
    posteriors = Independent(Normal(mean, stddev), 1)
    prior = fit(partial(BarPrior, 3 + idle, 4), posteriors, seed=0)
    noise = torch.randn(1_000, prior.noise_size, generator=generator)
    drawn = prior(noise).unflatten(1, (4, 3 + idle))
    third, fourth = ((drawn[:, bar] == drawn[:, bar - 2]).all(1) for bar in (2, 3))
    assert 0.4 < third.float().mean() < 0.6
    assert (third == fourth).float().mean() > 0.75
    assert not (drawn[:, 1] == drawn[:, 0]).all(1).float().mean() > 0.05
