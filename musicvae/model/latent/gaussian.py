"""The latent of a whole excerpt: one diagonal Gaussian, pulled towards the standard Gaussian."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.distributions import Normal, kl_divergence
from torch.nn.functional import softplus

from musicvae.model.latent.flow_prior import FlowPrior
from musicvae.model.latent.latent import Latent, Posterior, Prior
from musicvae.runtime.posterior import SMALLEST_STDDEV


@dataclass(frozen=True, kw_only=True, eq=False)
class GaussianPosterior(Posterior):
    """A diagonal Gaussian for each row."""

    mean: Float[Tensor, "batch latent"]
    stddev: Float[Tensor, "batch latent"]

    @classmethod
    def from_parameters(cls, parameters: Float[Tensor, "batch *bar _"]) -> "GaussianPosterior":
        """Means and deviations, the latter before the softplus that makes them positive."""
        # Single precision under autocast, too: 8 bits are too few for noise and divergence.
        mean, raw = parameters.float().chunk(2, dim=-1)
        # With summaries by bar: (batch, bar, share) -> (batch, bar * share)
        return cls(mean=mean.flatten(1), stddev=softplus(raw.flatten(1)) + SMALLEST_STDDEV)

    @property
    def noise_size(self) -> int:
        return self.mean.shape[1]

    def at(self, noise: Float[Tensor, "*draw batch noise"]) -> Float[Tensor, "*draw batch latent"]:
        return self.mean + self.stddev * noise

    def log_prob(self, z: Float[Tensor, "*draw batch latent"]) -> Float[Tensor, "*draw batch"]:
        density: Tensor = self._normal().log_prob(z).sum(-1)
        return density

    def divergence(self) -> Float[Tensor, "batch latent"]:
        divergence: Tensor = kl_divergence(self._normal(), _standard(self.mean))
        return divergence

    def __len__(self) -> int:
        return len(self.mean)

    def __getitem__(self, rows: slice | Int[Tensor, " _"]) -> "GaussianPosterior":
        return GaussianPosterior(mean=self.mean[rows], stddev=self.stddev[rows])

    def to(self, device: torch.device | str) -> "GaussianPosterior":
        return GaussianPosterior(mean=self.mean.to(device), stddev=self.stddev.to(device))

    @classmethod
    def join(cls, parts: Sequence["GaussianPosterior"]) -> "GaussianPosterior":
        mean = torch.cat([part.mean for part in parts])
        return cls(mean=mean, stddev=torch.cat([part.stddev for part in parts]))

    def _normal(self) -> Normal:
        return Normal(self.mean, self.stddev, validate_args=False)


class GaussianLatent(Latent):
    """One Gaussian for the whole excerpt.

    Args:
        size: Number of values of a latent.
    """

    is_by_bar = False

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.parameter_size = 2 * size

    def posterior(self, parameters: Float[Tensor, "batch *bar _"]) -> Posterior:
        return GaussianPosterior.from_parameters(parameters)

    def log_prob(self, z: Float[Tensor, "*draw batch latent"]) -> Float[Tensor, "*draw batch"]:
        return standard_log_prob(z)

    def shares(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch bar share"]:
        return z[:, None]

    def make_prior(self) -> Prior:
        return FlowPrior(self.size)


def standard_log_prob(z: Float[Tensor, "*draw batch latent"]) -> Float[Tensor, "*draw batch"]:
    """The density of the standard Gaussian, in nats."""
    density: Tensor = _standard(z).log_prob(z).sum(-1)
    return density


def _standard(like: Tensor) -> Normal:
    return Normal(torch.zeros_like(like), torch.ones_like(like), validate_args=False)
