import math

import pytest
import torch

from musicvae.model.latent.flow_prior import FlowPrior


def make_prior(latent_size):
    """A prior that bends whatever it is given."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(latent_size)
        prior = FlowPrior(latent_size)
        for tensor in prior.parameters():
            torch.nn.init.normal_(tensor, std=0.15)
    return prior.double()


def noise(rows, latent_size):
    return torch.randn(
        rows, latent_size, generator=torch.Generator().manual_seed(7), dtype=torch.float64
    )


@pytest.mark.parametrize("latent_size", [1, 2, 3, 8, 13, 64])
def test_every_latent_has_one_noise(latent_size):
    prior, drawn = make_prior(latent_size), noise(20, latent_size)
    z = prior(drawn)
    assert z.shape == drawn.shape
    back = z
    for coupling in prior.couplings:
        back, _ = coupling.to_noise(back)
    torch.testing.assert_close(back, drawn)
    if latent_size > 1:
        assert not torch.allclose(z, drawn, atol=0.1)


@pytest.mark.parametrize("latent_size", [1, 2, 5, 8])
def test_the_density_is_that_of_the_map(latent_size):
    prior, drawn = make_prior(latent_size), noise(6, latent_size)
    for row in drawn:
        slopes = torch.autograd.functional.jacobian(lambda u: prior(u[None])[0], row)
        of_noise = -0.5 * (row.square().sum() + latent_size * math.log(2 * math.pi))
        expected = of_noise - torch.linalg.slogdet(slopes).logabsdet
        torch.testing.assert_close(prior.log_prob(prior(row[None]))[0], expected)


def test_a_new_prior_is_a_standard_gaussian():
    prior, drawn = FlowPrior(8), noise(50, 8).float()
    torch.testing.assert_close(prior(drawn).sort(dim=1).values, drawn.sort(dim=1).values)
    expected = -0.5 * (drawn.square().sum(1) + 8 * math.log(2 * math.pi))
    torch.testing.assert_close(prior.log_prob(drawn), expected)


def test_every_number_is_moved_by_every_other():
    prior, row = make_prior(16), noise(1, 16)[0]
    slopes = torch.autograd.functional.jacobian(lambda u: prior(u[None])[0], row)
    assert (slopes.abs() > 1e-9).all()


@pytest.mark.parametrize("latent_size", [2, 3, 8, 128, 384, 512])
def test_every_number_is_moved_as_often_as_any_other(latent_size):
    place = torch.arange(latent_size)
    moves = torch.zeros(latent_size, dtype=torch.int64)
    for coupling in FlowPrior(latent_size).couplings:
        kept, moved = place.split([coupling.kept, coupling.moved])
        moves[moved] += 1
        place = torch.cat([moved, kept])[coupling.order]
    assert moves.min() >= 4 - latent_size % 2 * 2
    assert moves.max() <= 4 + latent_size % 2


def test_a_prior_is_small_beside_a_large_model():
    assert sum(tensor.numel() for tensor in FlowPrior(384).parameters()) < 350_000
    assert sum(tensor.numel() for tensor in FlowPrior(512).parameters()) < 350_000
