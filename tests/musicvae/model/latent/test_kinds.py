"""The laws of `Latent`, `Posterior` and `Prior`, over every kind of latent."""

import pytest
import torch

from musicvae.model.latent.kinds import LATENTS
from musicvae.model.latent.latent import draw

SIZE, BARS = 3, 4
DRAWS = 20_000


@pytest.fixture(params=LATENTS)
def latent(request):
    return LATENTS[request.param](SIZE, BARS)


def make_posterior(latent, rows, seed=0):
    """A posterior of other parameters in every row."""
    shape = (
        (rows, BARS, latent.parameter_size) if latent.is_by_bar else (rows, latent.parameter_size)
    )
    parameters = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return latent.posterior(parameters.requires_grad_()), parameters


def test_a_draw_has_the_mean_and_the_deviation_of_its_posterior(latent):
    posterior, _ = make_posterior(latent, 1)
    rows = posterior[torch.zeros(DRAWS, dtype=torch.long)]
    z = draw(rows, torch.Generator().manual_seed(1))
    assert z.shape == (DRAWS, latent.size)
    torch.testing.assert_close(z.mean(0), posterior.mean[0], atol=0.05, rtol=0)
    torch.testing.assert_close(z.std(0), posterior.stddev[0], atol=0.05, rtol=0.03)
    assert torch.equal(z, draw(rows, torch.Generator().manual_seed(1)))


def test_the_divergence_is_the_mean_price_of_a_draw(latent):
    posterior, _ = make_posterior(latent, 3)
    noise = torch.randn(DRAWS, 3, posterior.noise_size, generator=torch.Generator().manual_seed(2))
    z = posterior.at(noise)
    price = (posterior.log_prob(z) - latent.log_prob(z)).mean(0)
    divergence = posterior.divergence()
    assert divergence.shape == (3, latent.size)
    assert (divergence >= 0).all()
    torch.testing.assert_close(divergence.sum(1), price, atol=0.1, rtol=0.02)


def test_gradients_flow_through_draws_and_divergence(latent):
    for value in (lambda each: draw(each, torch.Generator()), lambda each: each.divergence()):
        posterior, parameters = make_posterior(latent, 2)
        value(posterior).square().sum().backward()
        assert (parameters.grad != 0).all()


def test_rows_of_a_posterior_are_independent_and_can_be_joined(latent):
    posterior, _ = make_posterior(latent, 5)
    assert len(posterior) == 5
    again = posterior.join([posterior[:2], posterior[2:]])
    assert torch.equal(again.mean, posterior.mean)
    assert torch.equal(again.stddev, posterior.stddev)
    noise = torch.randn(5, posterior.noise_size, generator=torch.Generator().manual_seed(3))
    assert torch.equal(posterior[3:4].at(noise[3:4])[0], posterior.at(noise)[3])


def test_a_prior_draws_and_weighs_latents(latent):
    prior = latent.make_prior()
    prior.start_from(make_posterior(latent, 50)[0])
    noise = torch.randn(6, prior.noise_size, generator=torch.Generator().manual_seed(4))
    z = prior(noise)
    assert z.shape == (6, latent.size)
    assert torch.isfinite(prior.log_prob(z)).all()
    torch.testing.assert_close(prior(noise[2:3])[0], z[2])
    assert prior.fit_batch_size >= 1


def test_shares_are_all_of_a_latent(latent):
    z = torch.randn(2, latent.size, generator=torch.Generator().manual_seed(5))
    shares = latent.shares(z)
    assert shares.shape[:2] == (2, BARS if latent.is_by_bar else 1)
    assert torch.equal(shares.flatten(1), z)
