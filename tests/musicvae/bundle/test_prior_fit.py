from functools import partial

import pytest
import torch
from torch.nn.functional import pad

from musicvae.bundle.prior_fit import fit
from musicvae.model.latent.bar_prior import BarPrior
from musicvae.model.latent.flow_prior import FlowPrior
from musicvae.model.latent.gaussian import GaussianPosterior
from musicvae.model.latent.latent import draw

new_prior = partial(FlowPrior, 8)


@pytest.fixture(scope="module")
def posteriors():
    """Of music along a curve: the other seven numbers follow the square of the first."""
    first = torch.randn(4_000, 1, generator=torch.Generator().manual_seed(3))
    mean = torch.cat([first, (first.square() - 1).expand(-1, 7)], dim=1)
    return GaussianPosterior(mean=mean, stddev=torch.full_like(mean, 0.3))


def share_near_the_curve(z):
    return ((z[:, 1:] - z[:, :1].square() + 1).abs() < 1.5).all(dim=1).float().mean()


@pytest.mark.slow
def test_a_prior_draws_where_music_is(posteriors):
    prior = fit(new_prior, posteriors, seed=0, steps=400)
    drawn = torch.randn(1_000, 8, generator=torch.Generator().manual_seed(0))
    assert share_near_the_curve(drawn) < 0.25
    assert share_near_the_curve(prior(drawn)) > 0.7
    held = draw(posteriors, torch.Generator().manual_seed(4))
    assert prior.log_prob(held).mean() > FlowPrior(8).log_prob(held).mean() + 8


def test_the_seed_decides_the_fit(posteriors):
    first, again, other = (fit(new_prior, posteriors, seed=seed, steps=20) for seed in (1, 1, 2))
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])
    assert any(
        not torch.equal(tensor, other.state_dict()[name])
        for name, tensor in first.state_dict().items()
    )


def test_a_fitted_prior_is_for_drawing_only(posteriors):
    prior = fit(new_prior, posteriors, seed=0, steps=20)
    assert not prior.training
    assert not any(tensor.requires_grad for tensor in prior.parameters())


def test_a_latent_of_one_number_keeps_its_gaussian():
    one = GaussianPosterior(mean=torch.zeros(10, 1), stddev=torch.ones(10, 1))
    assert fit(partial(FlowPrior, 1), one, seed=0, steps=20)(torch.ones(1, 1)).tolist() == [[1.0]]


@pytest.mark.slow
def test_a_prior_of_bars_repeats_as_its_music_does():
    # Two bars, and half of the excerpts have both of them again.
    generator = torch.Generator().manual_seed(3)
    bars = torch.randn(4_000, 4, 3, generator=generator)
    is_repeated = torch.arange(4_000) % 2 == 0
    bars[is_repeated, 2:] = bars[is_repeated, :2]
    # Beside the numbers that a model uses, a share has others that mean nothing.
    idle = 32
    mean = pad(bars, (0, idle)).flatten(1)
    stddev = pad(torch.full_like(bars, 0.05), (0, idle), value=1.0).flatten(1)
    posteriors = GaussianPosterior(mean=mean, stddev=stddev)

    def small_steps():
        prior = BarPrior(3 + idle, 4)
        prior.fit_batch_size = 64
        return prior

    prior = fit(small_steps, posteriors, seed=0, steps=1_200)
    noise = torch.randn(1_000, prior.noise_size, generator=generator)
    drawn = prior(noise).unflatten(1, (4, 3 + idle))
    third, fourth = ((drawn[:, bar] == drawn[:, bar - 2]).all(1) for bar in (2, 3))
    assert 0.4 < third.float().mean() < 0.6
    assert (third == fourth).float().mean() > 0.75
    assert not (drawn[:, 1] == drawn[:, 0]).all(1).float().mean() > 0.05
