"""Encodes and decodes many excerpts, batch by batch.

Conventions: events hold all streams, the conditions included.
"""

import numpy as np
import torch
from jaxtyping import Float, Int, Int16
from torch import Tensor

from musicvae.data.shards import Events
from musicvae.evaluation.watch import Watch, unwatched
from musicvae.model import conditions
from musicvae.model.conditions import Batch, join_streams
from musicvae.model.latent.latent import Posterior
from musicvae.model.vae import MusicVAE
from musicvae.representation import Representation
from musicvae.runtime.noise import row_seed

BATCH_STEPS = 16_384
"""Steps in a batch: enough for quick matrix products, and little memory for 512 events a step."""


def batches(rows: int, length_steps: int) -> list[slice]:
    """Divides excerpts of one length into batches."""
    size = max(1, BATCH_STEPS // length_steps)
    return [slice(first, min(first + size, rows)) for first in range(0, rows, size)]


def to_batch(
    model: MusicVAE, representation: Representation, events: Int[np.ndarray, "batch step stream"]
) -> Batch:
    """Puts excerpts of a representation into a batch on the model's device."""
    return conditions.to_batch(representation, events).to(next(model.parameters()).device)


@torch.inference_mode()
def encode(
    model: MusicVAE,
    representation: Representation,
    events: Events,
    *,
    title: str = "",
    watch: Watch = unwatched,
) -> Posterior:
    """Encodes excerpts of a representation; returns their posteriors on the CPU."""
    parts = [
        model.encode(to_batch(model, representation, events[part])).to("cpu")
        for part in watch(batches(len(events), events.shape[1]), title)
    ]
    return parts[0].join(parts)


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
        model: The model that plays.
        representation: The representation of its music, on the grid to play on.
        z: The latents.
        like: An excerpt for each latent, with the conditions to play under; any excerpts where the
            model has no conditions.
        temperature: The temperature of the events; 0 takes the likeliest event at every step.
        seed: The seed of the events; the events of a row depend on the seed and the row alone.
        title: The name of the work, for `watch`.
        watch: Shows the progress.
    """
    played = np.empty(like.shape, np.int16)
    for part in watch(batches(len(z), like.shape[1]), title):
        batch = to_batch(model, representation, like[part])
        latents = z[part].to(batch.events.device)
        events = model.decode(latents, batch.conditions).sample(
            temperature=temperature,
            randomness=[row_seed(seed, row, "events") for row in range(part.start, part.stop)],
        )
        played[part] = join_streams(events, batch.conditions).cpu().numpy()
    return played


def canonical(
    representation: Representation, events: Int[np.ndarray, "batch step stream"]
) -> Int16[np.ndarray, "batch step stream"]:
    """Rewrites excerpts as the representation does: a decoder may end silence, or pitch a rest."""
    written = [representation.to_tensor(representation.to_notes(each)) for each in events]
    return np.stack(written) if written else events.astype(np.int16)
