import math

import pytest
import torch
from torch.distributions import Normal

from musicvae.model.latent.gaussian import GaussianPosterior
from musicvae.training.elbo import elbo


@pytest.fixture
def posterior():
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(3, 6, generator=generator)
    stddev = torch.rand(3, 6, generator=generator) + 0.1
    return GaussianPosterior(mean=mean, stddev=stddev)


def test_the_closed_form_of_the_divergence_agrees_with_monte_carlo(posterior):
    torch.manual_seed(0)
    z = posterior.at(torch.randn(40_000, 3, 6))
    ratio = Normal(posterior.mean, posterior.stddev).log_prob(z) - Normal(0.0, 1.0).log_prob(z)
    error = ratio.std(0) / 200  # of the mean of 40,000
    closed = posterior.divergence()
    assert ((ratio.mean(0) - closed).abs() < 4 * error).all()
    assert (error < 0.05 * closed.clamp_min(0.2)).all()  # or nothing would be tested


def test_the_divergence_of_the_prior_from_itself_is_zero():
    prior = GaussianPosterior(mean=torch.zeros(2, 4), stddev=torch.ones(2, 4))
    assert prior.divergence().abs().max() == 0


def test_the_bound_is_below_the_log_likelihood_that_it_bounds():
    # x is z plus Gaussian noise, so that p(x) is known: a Gaussian of variance 2.
    x = torch.tensor([0.7])
    exact = Normal(0.0, math.sqrt(2)).log_prob(x)
    torch.manual_seed(0)
    bounds = []
    for center, spread in ((0.35, math.sqrt(0.5)), (0.0, 1.0), (1.0, 0.3)):
        mean, stddev = torch.full((1, 1), center), torch.full((1, 1), spread)
        posterior = GaussianPosterior(mean=mean, stddev=stddev)
        z = posterior.at(torch.randn(20_000, 1, 1))[:, 0, 0]
        log_likelihood = Normal(z, 1.0).log_prob(x).mean()[None]
        bounds.append(-elbo(posterior, log_likelihood).loss.item())
    # The first is the true posterior, with which the bound is reached.
    assert bounds[0] == pytest.approx(exact.item(), abs=0.01)
    assert max(bounds[1:]) < exact.item() - 0.05


@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("spared", [0, 1, 3])
def test_free_bits_are_taken_off_each_excerpt(posterior, beta, spared):
    divergence = posterior.divergence().sum(1)
    # As many free nats as the first `spared` excerpts in order need, and a little more.
    free_nats = 0.0 if spared == 0 else divergence.sort().values[spared - 1].item() + 0.1
    log_likelihood = torch.tensor([-5.0, -7.0, -11.0])
    terms = elbo(posterior, log_likelihood, beta=beta, free_nats=free_nats)
    assert torch.equal(terms.divergence, divergence)
    assert torch.equal(terms.log_likelihood, log_likelihood)
    paid = [max(0.0, each - free_nats) for each in divergence.tolist()]
    assert paid.count(0.0) == spared
    assert terms.loss.item() == pytest.approx(beta * sum(paid) / 3 + 23 / 3, rel=1e-5)


def test_divergence_within_the_free_bits_is_not_pressed():
    mean = torch.ones(2, 4, requires_grad=True)
    posterior = GaussianPosterior(mean=mean, stddev=torch.ones(2, 4))  # 2 nats
    free = elbo(posterior, torch.zeros(2), free_nats=2.5).loss
    assert torch.autograd.grad(free, mean)[0].abs().max() == 0
    pressed = elbo(posterior, torch.zeros(2), free_nats=1.5).loss
    assert torch.autograd.grad(pressed, mean)[0].min() > 0
