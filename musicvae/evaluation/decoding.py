"""Many excerpts through a model, batch by batch: from music to latents, and from latents to music.

Conventions: tensors of events here have all streams, the given ones too; the decoder makes the
others and is told these.
"""

import numpy as np
import torch
from jaxtyping import Float, Int, Int16
from torch import Tensor
from torch.distributions import Independent, Normal

from musicvae.data.shards import Events
from musicvae.evaluation.watch import Watch, unwatched
from musicvae.model import MusicVAE
from musicvae.model.event_distribution import EventDistribution
from musicvae.model.latent.moves import row_seed
from musicvae.representation import Representation
from musicvae.representation.streams import made

BATCH_STEPS = 16_384
"""Steps of a batch: wide enough for a matrix product, and small in memory for 512 events a step."""


def batches(rows: int, length_steps: int) -> list[slice]:
    """Divides so many excerpts of that length into batches."""
    size = max(1, BATCH_STEPS // length_steps)
    return [slice(first, min(first + size, rows)) for first in range(0, rows, size)]


def to_device(model: MusicVAE, events: Int[np.ndarray, "*any"]) -> Int[Tensor, "*any"]:
    """Events as the model reads them."""
    return torch.from_numpy(events.astype(np.int64)).to(next(model.parameters()).device)


@torch.inference_mode()
def encode(
    model: MusicVAE, events: Events, *, title: str = "", watch: Watch = unwatched
) -> Independent[Normal]:
    """The posteriors of all excerpts, on the CPU."""
    posteriors = [
        model.encode(to_device(model, events[part])).base_dist
        for part in watch(batches(len(events), events.shape[1]), title)
    ]
    normal = Normal(
        torch.cat([each.mean.cpu() for each in posteriors]),
        torch.cat([each.stddev.cpu() for each in posteriors]),
        validate_args=False,
    )
    return Independent(normal, 1, validate_args=False)


def decode(
    model: MusicVAE,
    representation: Representation,
    z: Float[Tensor, "batch latent"],
    like: Int[Tensor, "batch step stream"],
) -> EventDistribution:
    """What the decoder makes of latents where the given streams are those of `like`."""
    count = len(made(representation.streams))
    z = z.to(like.device)
    if count == len(representation.streams):
        return model.decode(z)
    return model.decode(z, like[..., count:])


@torch.inference_mode()
def play(
    model: MusicVAE,
    representation: Representation,
    z: Float[Tensor, "batch latent"],
    like: Int[np.ndarray, "batch step stream"],
    *,
    temperature: float = 0.0,
    seed: int = 0,
    title: str = "",
    watch: Watch = unwatched,
) -> Int16[np.ndarray, "batch step stream"]:
    """Plays latents.

    Args:
        model: What plays.
        representation: Of its music.
        z: The latents.
        like: Excerpts whose given streams hold for them; where there are none, any excerpts.
        temperature: What events are drawn at; 0 takes the likeliest at every step.
        seed: Of the events; a row's draw depends on nothing but the seed and the row.
        title: What is being done, for `watch`.
        watch: Shows how far it has come.
    """
    count = len(made(representation.streams))
    played = like.astype(np.int16)
    for part in watch(batches(len(z), like.shape[1]), title):
        events = to_device(model, like[part])
        decoded = decode(model, representation, z[part], events)
        seeds = [row_seed(seed, row, "events") for row in range(part.start, part.stop)]
        repeats = model.find_repeats(z[part].to(events.device))
        events = decoded.sample(temperature=temperature, randomness=seeds, repeats=repeats)
        played[part, :, :count] = events.cpu().numpy()
    return played


def canonical(
    representation: Representation, events: Int[np.ndarray, "batch step stream"]
) -> Int16[np.ndarray, "batch step stream"]:
    """The one way to write the same music: a decoder may stop what is silent, or pitch a rest."""
    written = [representation.to_tensor(representation.to_notes(each)) for each in events]
    return np.stack(written) if written else events.astype(np.int16)
