"""Bounds on the log likelihood of held-out music under a model.

Conventions: nats are given for an excerpt, bits for a step of an excerpt. Both bounds lie below the
log likelihood; the bound by importance weights is closer, and more draws bring it closer.

Source: Burda et al. 2016, Importance Weighted Autoencoders, equation 8.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int16, Shaped
from torch import Tensor

from musicvae.evaluation.bootstrap import Estimate, mean
from musicvae.evaluation.decoding import batches, to_batch
from musicvae.evaluation.watch import Watch, unwatched
from musicvae.model.vae import MusicVAE
from musicvae.representation import Representation

DRAWS = 100
"""The usual number in the literature; ten times as many gain little at ten times the cost."""


@dataclass(frozen=True, kw_only=True)
class Likelihood:
    """Bounds on the log likelihood of excerpts.

    Attributes:
        examples: Number of excerpts.
        draws: Draws of the posterior for each excerpt.
        elbo_nats: The evidence lower bound, the mean over the draws.
        elbo_bits_per_step: The evidence lower bound as bits a step; lower is better.
        bound_nats: The bound by importance weights.
        bound_bits_per_step: The bound by importance weights as bits a step.
    """

    examples: int
    draws: int
    elbo_nats: Estimate
    elbo_bits_per_step: Estimate
    bound_nats: Estimate
    bound_bits_per_step: Estimate


def bound(
    model: MusicVAE,
    representation: Representation,
    events: Int16[np.ndarray, "batch step stream"],
    *,
    seed: int,
    draws: int = DRAWS,
    pieces: Shaped[np.ndarray, " batch"] | None = None,
    watch: Watch = unwatched,
) -> Likelihood:
    """Bounds the log likelihood of excerpts; `seed` is the seed of the draws of latents."""
    generator = torch.Generator().manual_seed(seed)
    steps = events.shape[1]
    # An excerpt takes a row of a batch for each draw.
    parts = batches(len(events), steps * draws)
    weights = torch.cat(
        [
            _log_weights(model, representation, events[part], draws, generator)
            for part in watch(parts, "bounding the likelihood")
        ]
    )
    elbo = weights.mean(1).numpy()
    closer = (weights.logsumexp(1) - math.log(draws)).numpy()
    bits = -1 / math.log(2) / steps
    return Likelihood(
        examples=len(events),
        draws=draws,
        elbo_nats=mean(elbo, pieces=pieces, seed=seed),
        elbo_bits_per_step=mean(bits * elbo, pieces=pieces, seed=seed),
        bound_nats=mean(closer, pieces=pieces, seed=seed),
        bound_bits_per_step=mean(bits * closer, pieces=pieces, seed=seed),
    )


@torch.inference_mode()
def _log_weights(
    model: MusicVAE,
    representation: Representation,
    events: Int16[np.ndarray, "batch step stream"],
    draws: int,
    generator: torch.Generator,
) -> Float[Tensor, "batch _"]:
    """Computes log(p(events, z) / q(z | events)) for draws z of q, a column a draw."""
    batch = to_batch(model, representation, events)
    posterior = model.encode(batch)
    shape = (draws, len(posterior), posterior.noise_size)
    z = posterior.at(torch.randn(shape, generator=generator).to(posterior.mean))
    rows = torch.arange(len(events)).repeat(draws)
    decoded = model.decode(z.flatten(0, 1), batch.conditions[rows])
    likelihood = decoded.log_prob(batch.events[rows]).view(draws, -1)
    weights = likelihood + model.latent.log_prob(z) - posterior.log_prob(z)
    return weights.T.double().cpu()
