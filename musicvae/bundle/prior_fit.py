"""Fits a prior to the posteriors of a model's training music."""

from collections.abc import Callable

import numpy as np
import torch
from torch.nn.utils import clip_grad_norm_
from torch.optim.lr_scheduler import OneCycleLR

from musicvae.data.shards import Events
from musicvae.evaluation.decoding import encode
from musicvae.evaluation.subject import choose, transposed
from musicvae.evaluation.watch import Watch, unwatched
from musicvae.experiment.experiment import Experiment
from musicvae.model.latent.latent import Posterior, Prior
from musicvae.model.vae import MusicVAE

MUSIC_STEPS = 2**22 / 12_000
"""Time steps of music for each optimiser step of a fit: 131,072 excerpts of two bars in all for the
12,000 steps of a full preset, so that each excerpt is drawn some twenty times."""

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
        experiment: The model's.
        events: The training examples.
        seed: Of all chance.
        watch: Shows the progress.
    """
    steps = experiment.training.prior_steps
    count = max(1, round(MUSIC_STEPS * steps) // events.shape[1])
    # Few examples are taken several times, each time in another key.
    chosen = events[np.resize(choose(len(events), count, seed), count)]
    moved = transposed(
        experiment.representation,
        chosen,
        most_semitones=experiment.training.most_semitones,
        seed=seed,
    )
    posteriors = encode(
        model, experiment.representation, moved, title="encoding for the prior", watch=watch
    )
    prior = fit(model.latent.make_prior, posteriors, seed=seed, steps=steps, watch=watch)
    prior.load_state_dict({name: each.half() for name, each in prior.state_dict().items()})
    return prior


def fit(
    make_prior: Callable[[], Prior],
    posteriors: Posterior,
    *,
    seed: int,
    steps: int,
    watch: Watch = unwatched,
) -> Prior:
    """Fits a prior to draws from the posteriors of many examples.

    Args:
        make_prior: Makes a prior that is not fitted yet.
        posteriors: The posteriors of the examples, on the CPU.
        seed: Of all chance.
        steps: Optimiser steps.
        watch: Shows the progress.

    Source: Tomczak and Welling 2018, VAE with a VampPrior, section 2: the best prior of a trained
    model is the mean of its posteriors.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        prior = make_prior()
    if not list(prior.parameters()):
        return prior
    prior.start_from(posteriors)
    optimizer = torch.optim.Adam(prior.parameters(), lr=_LEARNING_RATE)
    rate = OneCycleLR(optimizer, _LEARNING_RATE, total_steps=steps, pct_start=_WARM_UP)
    size = prior.fit_batch_size
    for _ in watch(range(steps), "fitting the prior"):
        rows = torch.randint(len(posteriors), (size,), generator=generator)
        noise = torch.randn((size, posteriors.noise_size), generator=generator)
        loss = -prior.log_prob(posteriors[rows].at(noise)).mean()
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(prior.parameters(), _GRADIENT_NORM)
        optimizer.step()
        rate.step()
    return prior.eval().requires_grad_(requires_grad=False)
