"""What training maximises: the evidence lower bound, with free bits and an annealed beta.

Conventions: everything is in nats for one excerpt, summed over steps, streams and latent
dimensions; a bit is ln 2 nats.

Source: Roberts et al. 2018, sections 2.1 and 5.1, equation 2. As in Magenta's code the free
bits are taken off the whole divergence of an excerpt, not off each dimension (Kingma et al. 2016,
appendix C.8, has the latter).
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from musicvae.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class Objective:
    """The settings of the objective and of how the decoder is taught.

    Attributes:
        beta_max: The weight of the divergence at the end of the annealing, 0 or more. More gives
            better draws from the prior, less gives better reconstruction.
        beta_rate: beta is `beta_max * (1 - beta_rate ** step)`; 0 is `beta_max` from the start,
            1 would be no divergence for ever.
        free_nats: Divergence of an excerpt that costs nothing, in nats.
        history_hidden: Share of past events hidden from the decoder, 0 to 1.
        teacher_decay: k of the inverse sigmoid `k / (k + exp(step / k))`, the share of past events
            that are the true ones; the others are the decoder's own samples. None is no
            scheduled sampling. It costs about twice the time of a step.

    Raises:
        SettingError: If a value is out of its range.
    """

    beta_max: float = 0.15
    beta_rate: float = 0.9995
    free_nats: float = 36.0
    history_hidden: float = 0.5
    teacher_decay: float | None = None

    def __post_init__(self) -> None:
        k = self.teacher_decay
        ranges = {
            "beta_max": (0 <= self.beta_max < math.inf, "0 or more, and finite"),
            "beta_rate": (0 <= self.beta_rate < 1, "0 or more, and below 1"),
            "free_nats": (0 <= self.free_nats < math.inf, "0 or more, and finite"),
            "history_hidden": (0 <= self.history_hidden <= 1, "0 to 1"),
            "teacher_decay": (k is None or 1 <= k < math.inf, "1 or more, and finite"),
        }
        for name, (is_within, expected) in ranges.items():
            if not is_within:
                raise SettingError(
                    f"objective.{name}={getattr(self, name)}",
                    expected=expected,
                    action="Give a value in that range.",
                    field=f"objective.{name}",
                )


@dataclass(frozen=True, eq=False)
class ElboTerms:
    """The evidence lower bound of a batch, term by term, in nats for each excerpt.

    Attributes:
        log_likelihood: Of the events given a draw of the latent.
        divergence: KL of the posterior from the prior.
        loss: What is minimised, the mean over the batch.
    """

    log_likelihood: Float[Tensor, " batch"]
    divergence: Float[Tensor, " batch"]
    loss: Float[Tensor, ""]


def elbo(
    posterior: Independent[Normal],
    log_likelihood: Float[Tensor, " batch"],
    *,
    beta: float = 1.0,
    free_nats: float = 0.0,
) -> ElboTerms:
    """The negative evidence lower bound, the divergence in closed form."""
    divergence = divergence_by_dimension(posterior).sum(-1)
    loss = (beta * (divergence - free_nats).clamp_min(0) - log_likelihood).mean()
    return ElboTerms(log_likelihood=log_likelihood, divergence=divergence, loss=loss)


def divergence_by_dimension(posterior: Independent[Normal]) -> Float[Tensor, "batch latent"]:
    """KL of each latent dimension's Gaussian from the standard one, in nats."""
    base = posterior.base_dist
    prior = Normal(torch.zeros_like(base.mean), torch.ones_like(base.stddev), validate_args=False)
    divergence: Tensor = kl_divergence(base, prior)
    return divergence


def beta_at(objective: Objective, step: int) -> float:
    """The weight of the divergence at an optimiser step."""
    if objective.beta_rate == 0:
        return objective.beta_max
    return objective.beta_max * (1 - objective.beta_rate**step)


def sampled_share_at(objective: Objective, step: int) -> float:
    """The share of past events that are the decoder's own at an optimiser step.

    >>> sampled_share_at(Objective(teacher_decay=1000.0), 0) < 0.001
    True
    """
    k = objective.teacher_decay
    if k is None:
        return 0.0
    # The sigmoid form of 1 - k / (k + exp(step / k)): exp alone overflows late in training.
    return 1 / (1 + math.exp(-step / k + math.log(k)))
