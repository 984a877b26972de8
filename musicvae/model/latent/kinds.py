"""Every kind of latent by the name that `ModelConfig.latent` gives it."""

from collections.abc import Callable

from musicvae.model.latent.bars import BarsLatent
from musicvae.model.latent.gaussian import GaussianLatent
from musicvae.model.latent.latent import Latent

LATENTS: dict[str, Callable[[int, int], Latent]] = {
    "gaussian": lambda size, _: GaussianLatent(size),
    "bars": BarsLatent,
}
"""Each is made of `ModelConfig.latent_size` and the number of bars of an excerpt."""
