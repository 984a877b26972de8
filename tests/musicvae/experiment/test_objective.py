import math

import pytest
import torch
from torch.distributions import Independent, Normal

from musicvae.errors import SettingError
from musicvae.experiment.objective import (
    Objective,
    beta_at,
    divergence_by_dimension,
    elbo,
    sampled_share_at,
)


@pytest.fixture
def posterior():
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(3, 6, generator=generator)
    stddev = torch.rand(3, 6, generator=generator) + 0.1
    return Independent(Normal(mean, stddev), 1)


def test_the_closed_form_of_the_divergence_agrees_with_monte_carlo(posterior):
    torch.manual_seed(0)
    z = posterior.base_dist.sample((40_000,))
    ratio = posterior.base_dist.log_prob(z) - Normal(0.0, 1.0).log_prob(z)
    error = ratio.std(0) / 200  # of the mean of 40,000
    closed = divergence_by_dimension(posterior)
    assert ((ratio.mean(0) - closed).abs() < 4 * error).all()
    assert (error < 0.05 * closed.clamp_min(0.2)).all()  # or nothing would be tested


def test_the_divergence_of_the_prior_from_itself_is_zero():
    prior = Independent(Normal(torch.zeros(2, 4), torch.ones(2, 4)), 1)
    assert divergence_by_dimension(prior).abs().max() == 0


def test_the_bound_is_below_the_log_likelihood_that_it_bounds():
    # x is z plus Gaussian noise, so that p(x) is known: a Gaussian of variance 2.
    x = torch.tensor([0.7])
    exact = Normal(0.0, math.sqrt(2)).log_prob(x)
    torch.manual_seed(0)
    bounds = []
    for mean, stddev in ((0.35, math.sqrt(0.5)), (0.0, 1.0), (1.0, 0.3)):
        posterior = Independent(Normal(torch.full((1, 1), mean), torch.full((1, 1), stddev)), 1)
        z = posterior.sample((20_000,))[:, 0, 0]
        log_likelihood = Normal(z, 1.0).log_prob(x).mean()[None]
        bounds.append(-elbo(posterior, log_likelihood).loss.item())
    # The first is the true posterior, with which the bound is reached.
    assert bounds[0] == pytest.approx(exact.item(), abs=0.01)
    assert max(bounds[1:]) < exact.item() - 0.05


@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("spared", [0, 1, 3])
def test_free_bits_are_taken_off_each_excerpt(posterior, beta, spared):
    divergence = divergence_by_dimension(posterior).sum(1)
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
    posterior = Independent(Normal(mean, torch.ones(2, 4)), 1)  # 2 nats
    free = elbo(posterior, torch.zeros(2), free_nats=2.5).loss
    assert torch.autograd.grad(free, mean)[0].abs().max() == 0
    pressed = elbo(posterior, torch.zeros(2), free_nats=1.5).loss
    assert torch.autograd.grad(pressed, mean)[0].min() > 0


def test_beta_rises_from_zero_to_its_highest():
    objective = Objective(beta_max=0.2, beta_rate=0.999)
    assert beta_at(objective, 0) == 0
    assert beta_at(objective, 1) == pytest.approx(0.2 * 0.001)
    assert beta_at(objective, 693) == pytest.approx(0.1, rel=0.001)  # ln 2 of 1,000 steps
    assert beta_at(objective, 10**7) == pytest.approx(0.2)


def test_a_rate_of_zero_is_the_highest_from_the_start():
    assert beta_at(Objective(beta_max=0.2, beta_rate=0.0), 0) == 0.2


def test_the_share_of_own_samples_is_an_inverse_sigmoid():
    objective = Objective(teacher_decay=100.0)
    for step in (0, 50, 460, 1000):
        expected = 1 - 100 / (100 + math.exp(step / 100))
        assert sampled_share_at(objective, step) == pytest.approx(expected)
    # Half of the past is its own where exp(step / k) = k.
    assert sampled_share_at(objective, round(100 * math.log(100))) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("decay", [1.0, 2000.0, 1e6])
def test_the_share_of_own_samples_does_not_overflow(decay):
    shares = [sampled_share_at(Objective(teacher_decay=decay), step) for step in (0, 10**4, 10**7)]
    assert shares == sorted(shares)
    assert shares[-1] <= 1


def test_without_scheduled_sampling_the_share_is_zero():
    assert sampled_share_at(Objective(), 10**7) == 0


@pytest.mark.parametrize(
    "setting",
    [
        {"beta_max": -0.1},
        {"beta_max": math.nan},
        {"beta_max": math.inf},
        {"beta_rate": 1.0},
        {"beta_rate": -0.1},
        {"free_nats": -1.0},
        {"free_nats": math.inf},
        {"history_hidden": 1.5},
        {"teacher_decay": 0.0},
        {"teacher_decay": 0.5},
        {"teacher_decay": math.inf},
    ],
)
def test_a_setting_out_of_its_range_is_refused(setting):
    (name,) = setting
    with pytest.raises(SettingError, match=f"objective.{name}=") as refused:
        Objective(**setting)
    assert refused.value.field == f"objective.{name}"
