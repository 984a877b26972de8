"""The directions in latent space that change an attribute of the music."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float

from musicvae.errors import LatentError
from musicvae.music.attributes import get_attribute


def fit_vectors(
    latents: Float[np.ndarray, "batch latent"], values: Mapping[str, Float[np.ndarray, " batch"]]
) -> dict[str, Float[np.ndarray, " latent"]]:
    """Finds the direction of each attribute: mean latent of the upper minus of the lower quartile.

    So the whole vector moves music from a typical example of the data's lower quarter to a typical
    example of the upper quarter. An attribute that is equal in all examples gets zeros.

    Args:
        latents: The latents of examples, at least one.
        values: The value of each example, by the attribute's name. Examples of equal value stay
            together: a quartile holds all examples that equal its boundary; if one value is both
            boundaries, the quartiles hold the examples above and below that value.

    Raises:
        AttributeNameError: If there is no such attribute.
        LatentError: If a latent or a value is not finite.

    Source: Roberts et al. 2018, section on attribute vector arithmetic.
    """
    if not np.isfinite(latents).all() or not all(np.isfinite(v).all() for v in values.values()):
        raise LatentError(
            "latents or measures that are not finite",
            expected="finite numbers",
            action="Encode the examples with a model that was trained without divergence.",
        )
    exact = latents.astype(np.float64)
    vectors = {}
    for name, value in values.items():
        lower, upper = _quartiles(value)
        difference = exact[upper].mean(0) - exact[lower].mean(0)
        vectors[get_attribute(name).name] = difference.astype(latents.dtype)
    return vectors


def _quartiles(
    value: Float[np.ndarray, " batch"],
) -> tuple[Bool[np.ndarray, " batch"], Bool[np.ndarray, " batch"]]:
    """Marks the examples of the lower and of the upper quartile."""
    low, high = np.quantile(value, [0.25, 0.75])
    lower, upper = value <= low, value >= high
    if low == high:
        # More than half of the examples have this value. They are the middle, and count as the
        # lower or upper quartile only if no example lies beyond.
        lower = value < low if (value < low).any() else lower
        upper = value > high if (value > high).any() else upper
    return lower, upper
