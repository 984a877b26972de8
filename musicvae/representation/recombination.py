"""New music from old: parts of one example played together with parts of another.

Beats and trios are few beside what people play, and most of what makes one likely is within the
hands, within the drums, or within one line. Our own; for training alone.
"""

import numpy as np
from jaxtyping import Int16

from musicvae.music.instruments import CYMBALS, DRUM_CLASSES
from musicvae.representation.drums import Drums, join_hits, split_hits
from musicvae.representation.groove import Groove
from musicvae.representation.trio import Trio

RECOMBINED = (Drums, Groove, Trio)
"""The representations whose examples can be recombined."""


_CYMBAL_BITS = np.int16(sum(1 << index for index in CYMBALS))


def recombine(
    representation: Drums | Groove | Trio,
    events: Int16[np.ndarray, "batch step stream"],
    random: np.random.Generator,
) -> Int16[np.ndarray, "batch step stream"]:
    """Each example anew, from examples of the batch.

    Drums and grooves keep their drums and get the hi-hats, crash and ride cymbals of another. In a
    trio each half of the melody, the bass and each drum is that of an example drawn for it, and the
    drums have changed places: the kick may have the hi-hat's hits.
    """
    if isinstance(representation, Trio):
        return _mix_trios(events, random)
    # Neighbours in a shuffled batch have nothing to do with each other.
    others = np.roll(events, 1, axis=0)
    if isinstance(representation, Drums) and not representation.is_binary:
        return (events & ~_CYMBAL_BITS) | (others & _CYMBAL_BITS)
    is_cymbal = np.isin(np.arange(events.shape[-1]) % len(DRUM_CLASSES), CYMBALS)
    return np.where(is_cymbal, others, events)


def _mix_trios(
    events: Int16[np.ndarray, "batch step 3"], random: np.random.Generator
) -> Int16[np.ndarray, "batch step 3"]:
    lines, drums = events[..., :2], events[..., 2]
    parts = np.concatenate([lines, split_hits(drums)], axis=-1)
    batch, steps, count = parts.shape
    at = np.arange(steps)
    half = 2 * at // steps
    rows = random.integers(batch, size=(batch, 2, count))[:, half]
    columns = np.tile(np.arange(count), (batch, 1))
    columns[:, 2:] = random.permuted(columns[:, 2:], axis=1)
    mixed = parts[rows, at[:, None], columns[:, None]]
    return np.concatenate([mixed[..., :2], join_hits(mixed[..., 2:])[..., None]], axis=-1)
