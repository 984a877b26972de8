"""The terms of the objective: the evidence lower bound, with free bits.

Conventions: everything is in nats for one excerpt, summed over steps, streams and latent
dimensions; a bit is ln 2 nats.

Source: Roberts et al. 2018, section 2.1, equation 2. As in Magenta's code, the free bits are
subtracted from the whole divergence of an excerpt; Kingma et al. 2016, appendix C.8, subtract them
from each dimension.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from musicvae.model.latent.latent import Posterior


@dataclass(frozen=True, kw_only=True, eq=False)
class ElboTerms:
    """The evidence lower bound of a batch, term by term, in nats for each excerpt.

    Attributes:
        log_likelihood: Of the events given a draw of the latent.
        divergence: KL of the posterior from the prior of training.
        loss: The value to minimise, the mean over the batch.
    """

    log_likelihood: Float[Tensor, " batch"]
    divergence: Float[Tensor, " batch"]
    loss: Float[Tensor, ""]


def elbo(
    posterior: Posterior,
    log_likelihood: Float[Tensor, " batch"],
    *,
    beta: float = 1.0,
    free_nats: float = 0.0,
) -> ElboTerms:
    """The negative evidence lower bound; `beta` weighs the divergence beyond `free_nats`."""
    divergence = posterior.divergence().sum(-1)
    loss = (beta * (divergence - free_nats).clamp_min(0) - log_likelihood).mean()
    return ElboTerms(log_likelihood=log_likelihood, divergence=divergence, loss=loss)
