"""How likely a model holds music that it has not seen: bounds on its log likelihood.

Conventions: nats are for one excerpt, bits for one step of one excerpt. Both bounds lie below the
log likelihood; the one by importance weights is the closer, the more draws the closer.

Source: Burda et al. 2016, Importance Weighted Autoencoders, equation 8.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int16, Shaped
from torch import Tensor
from torch.distributions import Normal

from musicvae.evaluation.bootstrap import Estimate, mean
from musicvae.evaluation.decoding import batches, decode, to_device
from musicvae.evaluation.watch import Watch, unwatched
from musicvae.model import MusicVAE
from musicvae.representation import Representation
from musicvae.representation.streams import made

DRAWS = 100
"""As many as the bound is usually given with; ten times as many gain little and cost ten times."""


@dataclass(frozen=True, kw_only=True)
class Likelihood:
    """Bounds on the log likelihood of excerpts.

    Attributes:
        examples: Number of excerpts.
        draws: Draws of the posterior for each.
        elbo_nats: Evidence lower bound, the mean over the draws.
        elbo_bits_per_step: The same as bits a step; lower is better.
        bound_nats: The bound by importance weights.
        bound_bits_per_step: The same as bits a step.
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
    """Bounds the log likelihood of every excerpt; `seed` decides the draws of the latents."""
    generator = torch.Generator().manual_seed(seed)
    steps = events.shape[1]
    # A batch is one of rows, of which each excerpt takes as many as it has draws.
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
    """The logarithm of p(events, z) / q(z | events) for draws z of q, a column a draw."""
    like = to_device(model, events)
    posterior = model.encode(like).base_dist
    center, spread = posterior.mean, posterior.stddev
    noise = torch.randn(draws, *center.shape, generator=generator).to(center)
    z = center + spread * noise
    standard = Normal(torch.zeros_like(center), torch.ones_like(spread), validate_args=False)
    prior = standard.log_prob(z).sum(-1)
    own = posterior.log_prob(z).sum(-1)
    likes = like.repeat(draws, 1, 1)
    decoded = decode(model, representation, z.flatten(0, 1), likes)
    likelihood = decoded.log_prob(likes[..., : len(made(representation.streams))])
    weights: Tensor = (likelihood.view(draws, -1) + prior - own).T.double().cpu()
    return weights
