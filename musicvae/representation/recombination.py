"""New beats from old ones: the cymbals of one played over the drums of another.

Beats are few beside the patterns that drummers play, and most of what makes one likely is within
the hands or within the drums. Our own; for training alone.
"""

import numpy as np
from jaxtyping import Int16

from musicvae.representation.drums import CYMBALS, DRUM_CLASSES, Drums
from musicvae.representation.groove import Groove


def take_cymbals(
    representation: Drums | Groove,
    events: Int16[np.ndarray, "batch step stream"],
    others: Int16[np.ndarray, "batch step stream"],
) -> Int16[np.ndarray, "batch step stream"]:
    """The events with the hi-hats, crash and ride cymbals of the others."""
    if isinstance(representation, Drums) and not representation.is_binary:
        bits = np.int16(sum(1 << index for index in CYMBALS))
        return (events & ~bits) | (others & bits)
    is_cymbal = np.isin(np.arange(events.shape[-1]) % len(DRUM_CLASSES), CYMBALS)
    return np.where(is_cymbal, others, events)
