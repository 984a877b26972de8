"""The posterior of a latent as arrays: a diagonal Gaussian for each row."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

SMALLEST_STDDEV = 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class GaussianPosterior:
    """See `musicvae.model.latent.gaussian`.

    Attributes:
        mean: The best single guess.
        stddev: The standard deviation of each number of the draws.
    """

    mean: Float32[np.ndarray, "batch latent"]
    stddev: Float32[np.ndarray, "batch latent"]

    @classmethod
    def from_parameters(
        cls, parameters: Float32[np.ndarray, "batch *bar _"]
    ) -> "GaussianPosterior":
        """Means and deviations, the latter before the softplus that makes them positive."""
        mean, raw = np.split(parameters, 2, axis=-1)
        # With summaries by bar: (batch, bar, share) -> (batch, bar * share)
        rows = len(parameters)
        stddev = np.logaddexp(raw.reshape(rows, -1), np.float32(0)) + np.float32(SMALLEST_STDDEV)
        return cls(mean=mean.reshape(rows, -1), stddev=stddev)

    def at(self, noise: Float32[np.ndarray, "batch latent"]) -> Float32[np.ndarray, "batch latent"]:
        """The latents that standard Gaussian noise stands for."""
        latents: Float32[np.ndarray, "batch latent"] = self.mean + self.stddev * noise
        return latents
