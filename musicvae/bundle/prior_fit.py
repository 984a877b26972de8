"""Fits a prior to where a model finds the music that it was trained on."""

from collections.abc import Callable

import numpy as np
import torch
from torch.distributions import Independent, Normal
from torch.nn.utils import clip_grad_norm_
from torch.optim.lr_scheduler import OneCycleLR

from musicvae.data.shards import Events
from musicvae.evaluation.decoding import encode
from musicvae.evaluation.subject import choose, transposed
from musicvae.evaluation.watch import Watch, unwatched
from musicvae.experiment.experiment import Experiment
from musicvae.model import BarPrior, MusicVAE, Prior

MUSIC_STEPS = 2**22
"""Steps of music that a prior is fitted to: 131,072 excerpts of two bars."""

STEPS = 12_000
"""Optimiser steps of a fit."""

_BATCH_SIZE = 256
_MOST_BATCH_BARS = 1_024
_LEARNING_RATE = 3e-3
_WARM_UP = 0.1
_GRADIENT_NORM = 5.0


def fit_prior(
    model: MusicVAE,
    experiment: Experiment,
    events: Events,
    *,
    seed: int,
    watch: Watch = unwatched,
) -> Prior:
    """Fits the prior of a model, rounded to half precision as a bundle keeps it.

    Args:
        model: In evaluation mode.
        experiment: What it is of.
        events: The examples it was trained on.
        seed: Of all chance.
        watch: Shows how far it has come.
    """
    count = max(1, MUSIC_STEPS // events.shape[1])
    # Each again and again, each time in another key.
    chosen = events[np.resize(choose(len(events), count, seed), count)]
    moved = transposed(
        experiment.representation,
        chosen,
        most_semitones=experiment.training.most_semitones,
        seed=seed,
    )
    posteriors = encode(model, moved, title="encoding for the prior", watch=watch)
    prior = fit(model.make_prior, posteriors, seed=seed, watch=watch)
    prior.load_state_dict({name: each.half() for name, each in prior.state_dict().items()})
    return prior


def fit(
    make_prior: Callable[[], Prior],
    posteriors: Independent[Normal],
    *,
    seed: int,
    watch: Watch = unwatched,
) -> Prior:
    """Fits a prior to draws from the posteriors of many examples.

    Args:
        make_prior: Makes one that is yet to be fitted.
        posteriors: Of the examples, on the CPU.
        seed: Of all chance.
        watch: Shows how far it has come.

    Source: Tomczak and Welling 2018, VAE with a VampPrior, section 2: the best prior of a trained
    model is the mean of its posteriors.
    """
    mean, stddev = posteriors.mean, posteriors.stddev
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        prior = make_prior()
    if not list(prior.parameters()):
        return prior
    batch_size = _BATCH_SIZE
    if isinstance(prior, BarPrior):
        batch_size = max(1, min(_BATCH_SIZE, _MOST_BATCH_BARS // prior.bars))
        prior.start_from(mean, stddev)
    optimizer = torch.optim.Adam(prior.parameters(), lr=_LEARNING_RATE)
    rate = OneCycleLR(optimizer, _LEARNING_RATE, total_steps=STEPS, pct_start=_WARM_UP)
    for _ in watch(range(STEPS), "fitting the prior"):
        rows = torch.randint(len(mean), (batch_size,), generator=generator)
        noise = torch.randn((batch_size, mean.shape[1]), generator=generator)
        loss = -prior.log_prob(mean[rows] + stddev[rows] * noise).mean()
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(prior.parameters(), _GRADIENT_NORM)
        optimizer.step()
        rate.step()
    return prior.eval().requires_grad_(requires_grad=False)
