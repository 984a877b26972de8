"""The latent of an excerpt of many bars: a share for every bar, one behind the other in z."""

from jaxtyping import Float
from torch import Tensor

from musicvae.model.latent.bar_prior import BarPrior
from musicvae.model.latent.flow_prior import FlowPrior
from musicvae.model.latent.gaussian import GaussianPosterior, standard_log_prob
from musicvae.model.latent.latent import Latent, Posterior, Prior


class BarsLatent(Latent):
    """A Gaussian for the share of every bar.

    Args:
        size: Number of values of a share.
        bars: Number of bars of an excerpt.
    """

    is_by_bar = True

    def __init__(self, size: int, bars: int) -> None:
        super().__init__()
        self._share_size = size
        self._bars = bars
        self.size = size * bars
        self.parameter_size = 2 * size

    def posterior(self, parameters: Float[Tensor, "batch *bar _"]) -> Posterior:
        return GaussianPosterior.from_parameters(parameters)

    def log_prob(self, z: Float[Tensor, "*draw batch latent"]) -> Float[Tensor, "*draw batch"]:
        return standard_log_prob(z)

    def shares(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch bar share"]:
        # (batch, bar * share) -> (batch, bar, share)
        parts: Tensor = z.unflatten(1, (self._bars, -1))
        return parts

    def make_prior(self) -> Prior:
        if self._bars == 1:
            return FlowPrior(self._share_size)
        return BarPrior(self._share_size, self._bars)
