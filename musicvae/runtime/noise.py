"""Random numbers by seed and row: row 3 is the same alone and among a thousand rows."""

import hashlib
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

SEED_BITS = 63
"""Keys stay below 2 to the 63rd: they fit a signed integer of 64 bits, torch's own kind."""


def row_seed(seed: int, row: int, purpose: str) -> int:
    """The seed of one row's own random numbers, 0 to 2**63 - 1, the same everywhere and for ever.

    Args:
        seed: The seed of the whole request.
        row: The row, from 0.
        purpose: What is drawn, such as `latent` or `events`: two purposes share no noise.
    """
    key = hashlib.blake2b(f"{purpose}/{seed}/{row}".encode(), digest_size=8).digest()
    return int.from_bytes(key, "big") >> (64 - SEED_BITS)


def latent_noise(seed: int, rows: Sequence[int], size: int) -> Float32[np.ndarray, "batch noise"]:
    """Standard Gaussian noise for draws of latents, by seed and row alone."""
    drawn = np.empty((len(rows), size), dtype=np.float32)
    for i, row in enumerate(rows):
        # Not torch.randn: its draws depend on the processor's vector width.
        philox = np.random.Philox(key=row_seed(seed, row, "latent"))
        drawn[i] = np.random.Generator(philox).standard_normal(size)
    return drawn
