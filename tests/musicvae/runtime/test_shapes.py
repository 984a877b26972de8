"""The shapes that a bundle is checked by, and draws of latents, beside torch."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from musicvae.bundle.modules import weights_of
from musicvae.experiment.build import build_model, build_prior
from musicvae.experiment.experiment import rows_per_bar
from musicvae.experiment.presets import PRESETS, get_preset
from musicvae.model.latent.bar_prior import BarPrior
from musicvae.model.touch import Touch
from musicvae.music.notes import Meter, TimeGrid
from musicvae.runtime.latent_priors import BarDraws
from musicvae.runtime.noise import latent_noise
from musicvae.runtime.shapes import (
    event_prior_shapes,
    latent_prior_shapes,
    model_shapes,
    touch_shapes,
)


def shapes_of(module):
    return {name: tuple(each.shape) for name, each in module.state_dict().items()}


@pytest.mark.parametrize("preset", [name for name in PRESETS if "paper" not in name])
def test_shapes_are_those_of_torch(preset):
    experiment = get_preset(preset)
    grids = (TimeGrid(Meter(6, 8)), TimeGrid(Meter(), 12))
    several = replace(experiment, grids=grids, prior=replace(experiment.prior, styles=("a", "b")))
    for each in (experiment, several):
        representation = each.representation
        how = {
            "streams": representation.streams,
            "bars": representation.bars,
            "steps_per_bar": rows_per_bar(each),
        }
        model, event_prior = build_model(each), build_prior(each)
        prior = model.latent.make_prior()
        assert model_shapes(each.model, **how) == shapes_of(model)
        assert event_prior_shapes(each.prior, **how) == shapes_of(event_prior)
        assert latent_prior_shapes(each.model, representation.bars) == shapes_of(prior)
    assert touch_shapes() == shapes_of(Touch())


@pytest.mark.parametrize("latent_size", [1, 2, 5])
def test_small_latents_have_priors_too(latent_size):
    config = replace(get_preset("melody-2bar").model, latent_size=latent_size)
    experiment = replace(get_preset("melody-2bar"), model=config)
    prior = build_model(experiment).latent.make_prior()
    assert latent_prior_shapes(config, 2) == shapes_of(prior)


def test_draws_of_bars_are_those_of_torch():
    torch.manual_seed(1)
    prior = BarPrior(share_size=6, bars=5)
    prior.going_on.data.zero_()
    draws = BarDraws(weights_of(prior.requires_grad_(requires_grad=False)), 6, 5)
    different = set()
    for row in range(32):
        noise = latent_noise(1, [row], draws.noise_size)
        found = draws(noise)
        np.testing.assert_allclose(found, prior(torch.from_numpy(noise)), rtol=1e-4, atol=1e-4)
        different.add(len(np.unique(found.reshape(5, 6), axis=0)))
    assert len(different) > 1, "some bars are copies, some are new"
