"""Does the model give back what it was given, and at what price: accuracy, likelihood, divergence.

Conventions: nats are for one excerpt, bits for one step of one excerpt. An accuracy is the share
of steps whose event is right: most steps are holds, so that the share over onsets alone is given
beside it.

Sources: accuracies as in Roberts et al. 2018, table 1: its "teacher forcing" is `teacher_forced`,
its "sampling" is `sampled_at_temperature_1`; the others take the likeliest event at every step.
Active units: Burda et al. 2016, section 5.2: dimensions whose posterior mean has a variance over
the data above 0.01.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Int16
from torch import Tensor

from musicvae.latent import draw, row_seed
from musicvae.model import MusicVAE
from musicvae.model.event_distribution import likeliest, log_likelihood
from musicvae.objective import divergence_by_dimension
from musicvae.representation import Representation
from musicvae.shards import Events

ACTIVE_VARIANCE = 0.01


@dataclass(frozen=True)
class Accuracy:
    """Shares of events that are right, 0 to 1."""

    all_steps: float
    onsets: float


@dataclass(frozen=True, kw_only=True)
class Reconstruction:
    """How well a model gives back a set of excerpts.

    Attributes:
        examples: Number of excerpts.
        teacher_forced: Each step is told the true event before it.
        sampled: The posterior's mean is decoded, each step hearing only its own past.
        sampled_from_draw: The same from a draw of the posterior.
        sampled_at_temperature_1: The same draw, and every event drawn as the model has it, too.
        elbo_nats: Evidence lower bound on the log likelihood of an excerpt, from one draw each.
        bits_per_step: The same as bits a step; lower is better.
        reconstruction_nats: Its first term, the log likelihood given the draw.
        divergence_nats: Its second term, the KL of the posterior from the prior.
        divergence_by_dimension: The mean KL of every latent dimension.
        active_units: Number of latent dimensions in use.
        latent_size: Number of latent dimensions.
    """

    examples: int
    teacher_forced: Accuracy
    sampled: Accuracy
    sampled_from_draw: Accuracy
    sampled_at_temperature_1: Accuracy
    elbo_nats: float
    bits_per_step: float
    reconstruction_nats: float
    divergence_nats: float
    divergence_by_dimension: tuple[float, ...]
    active_units: int
    latent_size: int


@dataclass(frozen=True)
class _Batch:
    """What one batch adds to the sums; hits are in the order of the accuracies."""

    hits: Float[np.ndarray, "4"]
    onset_hits: Float[np.ndarray, "4"]
    steps: int
    onsets: int
    log_likelihood: Float[Tensor, " batch"]
    divergence: Float[Tensor, "batch latent"]
    mean: Float[Tensor, "batch latent"]


def reconstruct(
    model: MusicVAE,
    representation: Representation,
    events: Events,
    *,
    seed: int,
    batch_size: int = 256,
) -> Reconstruction:
    """Encodes and decodes every excerpt; `seed` decides the draws of latents and events."""
    device = next(model.parameters()).device
    generator = torch.Generator(device).manual_seed(seed)
    with torch.no_grad():
        batches = [
            _measure(
                model,
                representation,
                events[first : first + batch_size],
                generator,
                [
                    row_seed(seed, row, "events")
                    for row in range(len(events))[first : first + batch_size]
                ],
            )
            for first in range(0, len(events), batch_size)
        ]
    steps = sum(batch.steps for batch in batches)
    onsets = sum(batch.onsets for batch in batches)
    hits = np.sum([batch.hits for batch in batches], axis=0) / steps
    onset_hits = np.sum([batch.onset_hits for batch in batches], axis=0) / max(1, onsets)
    accuracies = [
        Accuracy(all_steps=float(a), onsets=float(b)) for a, b in zip(hits, onset_hits, strict=True)
    ]
    reconstruction_nats = float(torch.cat([batch.log_likelihood for batch in batches]).mean())
    divergence = torch.cat([batch.divergence for batch in batches]).mean(0)
    means = torch.cat([batch.mean for batch in batches])
    elbo_nats = reconstruction_nats - float(divergence.sum())
    return Reconstruction(
        examples=len(events),
        teacher_forced=accuracies[0],
        sampled=accuracies[1],
        sampled_from_draw=accuracies[2],
        sampled_at_temperature_1=accuracies[3],
        elbo_nats=elbo_nats,
        bits_per_step=-elbo_nats / math.log(2) / events.shape[1],
        reconstruction_nats=reconstruction_nats,
        divergence_nats=float(divergence.sum()),
        divergence_by_dimension=tuple(divergence.tolist()),
        active_units=int((means.var(0, correction=0) > ACTIVE_VARIANCE).sum()),
        latent_size=means.shape[1],
    )


def _measure(
    model: MusicVAE,
    representation: Representation,
    part: Int16[np.ndarray, "batch step stream"],
    generator: torch.Generator,
    row_seeds: Sequence[int],
) -> _Batch:
    is_onset = torch.from_numpy(representation.is_onset(part)).to(generator.device)
    events: Int[Tensor, "batch step stream"] = torch.from_numpy(part.astype(np.int64)).to(
        generator.device
    )
    posterior = model.encode(events)
    decoded = model.decode(draw(posterior, generator))
    logits = decoded.logits(events)
    guesses = [
        likeliest(logits, representation.vocabulary_sizes),
        model.decode(posterior.mean).mode(),
        decoded.mode(),
        decoded.sample(temperature=1.0, randomness=row_seeds),
    ]
    hits: list[Bool[Tensor, "batch step stream"]] = [guess == events for guess in guesses]
    return _Batch(
        hits=np.array([float(hit.sum()) for hit in hits]),
        onset_hits=np.array([float(hit[is_onset].sum()) for hit in hits]),
        steps=events.numel(),
        onsets=int(is_onset.sum()),
        log_likelihood=log_likelihood(logits, events, representation.vocabulary_sizes).cpu(),
        divergence=divergence_by_dimension(posterior).cpu(),
        mean=posterior.mean.cpu(),
    )
