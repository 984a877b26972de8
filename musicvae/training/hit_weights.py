"""The weights of hits in the likelihood, so that a model also learns the drums that are rare.

A drum that is hit a hundred times more rarely than the hi-hat gives a hundredth of the likelihood,
and a model gains more nats by a better hi-hat than by any tom. Toms and crashes are what a listener
notices first when they are gone.

Source: Cui et al. 2019, Class-Balanced Loss Based on Effective Number of Samples, for weights by
rarity; the power and the bound are our own.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from musicvae.data.shards import Events
from musicvae.representation.streams import Stream, generated_streams, is_hit

_MOST = 12.0
_CHUNK = 4096


def weigh_hits(
    events: Events, streams: Sequence[Stream], *, power: float
) -> Float[Tensor, " stream"]:
    """The weight of a hit in each generated stream; 1 where a stream has no hits.

    >>> streams = [Stream(name=name, size=2) for name in ("kick", "tom")]
    >>> events = np.zeros((1, 16, 2), np.int16)
    >>> events[0, :, 0], events[0, 0, 1] = 1, 1
    >>> weigh_hits(events, streams, power=0.5)
    tensor([1., 4.])
    """
    generated = generated_streams(streams)
    counts = np.zeros(len(generated))
    for first in range(0, len(events), _CHUNK):
        chunk = events[first : first + _CHUNK][..., : len(generated)]
        counts += (chunk > 0).sum((0, 1))
    has_hits = np.array([is_hit(each) for each in generated])
    # A drum that is never hit has no hit to weigh.
    is_weighed = has_hits & (counts > 0)
    rarity = np.where(is_weighed, counts.max(where=has_hits, initial=0) / np.maximum(counts, 1), 1)
    return torch.from_numpy(np.minimum(rarity**power, _MOST)).float()


def weigh_events(
    events: Int[Tensor, "batch step stream"], weights: Float[Tensor, " stream"]
) -> Float[Tensor, "batch step stream"]:
    """The weight of each event: its stream's weight where something is hit, else 1."""
    return torch.where(events > 0, weights, 1.0)
