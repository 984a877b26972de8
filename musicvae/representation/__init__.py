"""Two-way maps between an excerpt of music and a tensor of events."""

from musicvae.representation.melody import Melody, on_grid, top_line
from musicvae.representation.representation import (
    REPRESENTATIONS,
    Representation,
    representation_from_config,
)

__all__ = [
    "REPRESENTATIONS",
    "Melody",
    "Representation",
    "on_grid",
    "representation_from_config",
    "top_line",
]
