import math

import pytest
import torch

from musicvae.model.latent.bar_prior import LATER_SPREAD, BarPrior
from musicvae.model.latent.gaussian import GaussianPosterior

FAR = 50.0


def make_prior(share_size=3, bars=5, *, std=0.3):
    """A prior that bends whatever it is given."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        prior = BarPrior(share_size, bars)
        for tensor in prior.parameters():
            torch.nn.init.normal_(tensor, std=std)
    return prior.double().requires_grad_(requires_grad=False)


def prefer(prior, logits):
    """Makes the choices of all bars hang on nothing but these."""
    prior.choice.weight.zero_()
    prior.going_on.zero_()
    prior.choice.bias.copy_(torch.tensor(logits))


def noise(rows, prior):
    generator = torch.Generator().manual_seed(7)
    return torch.randn(rows, prior.noise_size, generator=generator, dtype=torch.float64)


def bars_of(prior, z):
    return z.unflatten(1, (prior.bars, -1))


def test_a_bar_can_be_a_bar_before_it_once_more():
    prior = make_prior()
    prefer(prior, [-FAR, 0.0, -FAR, -FAR, -2.0])
    bars = bars_of(prior, prior(noise(500, prior)))
    are_copies = [(bars[:, bar] == bars[:, bar - 2]).all(1).double().mean() for bar in range(2, 5)]
    assert are_copies == pytest.approx([1 / (1 + math.exp(-2))] * 3, abs=0.05)
    assert not (bars[:, 1] == bars[:, 0]).all(1).any()


def test_a_bar_likes_to_go_on_copying_from_as_far_away():
    prior = make_prior(bars=6)
    prefer(prior, [-FAR, -FAR, -1.0, -FAR, -FAR, 0.0])
    prior.going_on[2] = FAR
    prior.kept.fill_(1.0)
    drawn = noise(50, prior)
    drawn[:, 3] = -1.0  # its chance is a sixth: the bar three before
    bars = bars_of(prior, prior(drawn))
    for bar in (3, 4, 5):
        assert torch.equal(bars[:, bar], bars[:, bar - 3])


def test_the_density_of_new_bars_is_that_of_the_map_but_for_their_spread():
    prior = make_prior(share_size=2, bars=3)
    prefer(prior, [-FAR, -FAR, 0.0])
    spread = torch.tensor([1.0] * 2 + [LATER_SPREAD] * 4).double()
    for row in noise(4, prior):
        choices, shares = row[:3], row[3:]
        slopes = torch.autograd.functional.jacobian(
            lambda u, c=choices: prior(torch.cat([c, u])[None])[0], shares
        )
        of_noise = -0.5 * ((spread * shares).square().sum() + 6 * math.log(2 * math.pi))
        expected = of_noise - torch.linalg.slogdet(slopes / spread).logabsdet
        torch.testing.assert_close(prior.log_prob(prior(row[None]))[0], expected)


@pytest.mark.slow
@pytest.mark.parametrize("bars", [2, 3])
def test_the_density_has_a_mass_of_one(bars):
    prior = make_prior(share_size=1, bars=bars, std=0.5)
    wide = torch.distributions.Normal(0.0, 3.0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        z = wide.sample((100_000, bars)).double()
    weights = (prior.log_prob(z) - wide.log_prob(z).sum(1)).exp()
    assert weights.mean() == pytest.approx(1, abs=0.03)


def test_a_copy_is_likelier_than_its_like():
    prior = make_prior(share_size=4, bars=2)
    prefer(prior, [0.0, 0.0])
    prior.kept.fill_(1.0)
    prior.log_spread.fill_(-4.0)
    first = noise(20, prior)[:, :4]
    copied = prior.log_prob(torch.cat([first, first + 0.01], dim=1))
    other = prior.log_prob(torch.cat([first, first + 1.0], dim=1))
    assert (copied > other + 10).all()


def test_copies_start_as_two_draws_from_one_posterior_are():
    prior = make_prior(share_size=2, bars=3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        # The first number of a share has a meaning, the second none.
        mean = torch.randn(20_000, 3, 2).double() * torch.tensor([2.0, 0.0])
        stddev = torch.tensor([0.5, 1.0]).double().expand_as(mean)
        first, second = (mean + stddev * torch.randn_like(mean) for _ in range(2))
    prior.start_from(GaussianPosterior(mean=mean.flatten(1), stddev=stddev.flatten(1)))
    rest = (second - prior.kept * first) / prior.log_spread.exp()
    assert rest.flatten(0, 1).std(0).tolist() == pytest.approx([1, 1], abs=0.02)
    assert (rest * first).flatten(0, 1).mean(0).tolist() == pytest.approx([0, 0], abs=0.03)
    assert prior.kept.tolist() == pytest.approx([4 / 4.25, 0], abs=0.01)


def test_a_row_hangs_on_no_other():
    prior = make_prior()
    drawn = noise(6, prior)
    together = prior(drawn)
    for row in range(6):
        torch.testing.assert_close(prior(drawn[row : row + 1])[0], together[row])
