"""The directions in latent space that change an attribute of the music."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from musicvae.errors import LatentError
from musicvae.music.attributes import get_attribute


def fit_vectors(
    latents: Float[Tensor, "batch latent"], values: Mapping[str, Float[np.ndarray, " batch"]]
) -> dict[str, Float[Tensor, " latent"]]:
    """Finds the direction of each attribute: mean latent of the upper minus of the lower quartile.

    Adding the whole vector thus moves music from what is typical of the lower quarter of the data
    to what is typical of the upper. An attribute that is the same for all examples gets zeros.

    Args:
        latents: The latents of examples, at least one.
        values: The measures of the same examples, by the attribute's name. Examples that measure
            alike are never divided: both quartiles take in all that equal their boundary, and where
            both boundaries are one value, only what lies above and below it.

    Raises:
        AttributeNameError: If there is no such attribute.
        LatentError: If a latent or a measure is not finite.

    Source: Roberts et al. 2018, section on attribute vector arithmetic.
    """
    if not torch.isfinite(latents).all() or not all(np.isfinite(v).all() for v in values.values()):
        raise LatentError(
            "latents or measures that are not finite",
            expected="finite numbers",
            action="Encode the examples with a model that was trained without divergence.",
        )
    exact = latents.cpu().double()
    vectors = {}
    for name, value in values.items():
        lower, upper = map(torch.from_numpy, _quartiles(value))
        difference = exact[upper].mean(0) - exact[lower].mean(0)
        vectors[get_attribute(name).name] = difference.to(latents)
    return vectors


def _quartiles(
    value: Float[np.ndarray, " batch"],
) -> tuple[Bool[np.ndarray, " batch"], Bool[np.ndarray, " batch"]]:
    """Which examples are the lower and the upper quartile."""
    low, high = np.quantile(value, [0.25, 0.75])
    lower, upper = value <= low, value >= high
    if low == high:
        # More than half of the examples have this one value: they are the middle, and stand for
        # the lower or upper end only where there is nothing beyond.
        lower = value < low if (value < low).any() else lower
        upper = value > high if (value > high).any() else upper
    return lower, upper
