"""Reconstruction of excerpts: its accuracy, its likelihood, and the divergence it costs.

Conventions: nats are given for an excerpt, bits for a step of an excerpt.
`musicvae.evaluation.accuracy` defines which steps are right.

Sources: Roberts et al. 2018, table 1: its "teacher forcing" is `teacher_forced`, its "sampling"
`sampled_at_temperature_1`; all other decodings take the likeliest event at every step. Active
units: Burda et al. 2016, section 5.2: dimensions whose posterior mean has a variance above 0.01
over the data.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int, Int16, Shaped
from torch import Tensor

from musicvae.data.shards import Events
from musicvae.evaluation.accuracy import Accuracy, Decodings, Measure, Scores, judge, score
from musicvae.evaluation.bootstrap import Estimate
from musicvae.evaluation.decoding import batches, encode, to_batch
from musicvae.evaluation.watch import Watch, unwatched
from musicvae.model.event_distribution import EventDistribution
from musicvae.model.latent.latent import draw
from musicvae.model.vae import MusicVAE
from musicvae.representation import Representation
from musicvae.runtime.noise import row_seed

ACTIVE_VARIANCE = 0.01


@dataclass(frozen=True, kw_only=True)
class Reconstruction:
    """How well a model reconstructs a set of excerpts.

    Attributes:
        examples: Number of excerpts.
        teacher_forced: Accuracy of all lines together, each step reading the true step before it.
        sampled: The accuracy when excerpts are decoded from the posterior's mean.
        sampled_from_draw: The accuracy when they are decoded from a draw of the posterior.
        sampled_at_temperature_1: The accuracy when the events are drawn, too.
        shuffled: The accuracy when they are decoded from another excerpt's mean.
        lines: These accuracies for each line, by its name.
        sources: `lines` for the excerpts of each source, by its name; empty with one source.
        hits: The F1 of each line of drums, by its name.
        recalls: The recall of each class of drums, by the names of line and class. Classes that the
            excerpts never hit are left out.
        numbers: The mean absolute error of each kind of number, in its unit.
        elbo_nats: Evidence lower bound on the log likelihood of an excerpt, from one draw each.
        bits_per_step: The bound as bits a step; lower is better.
        reconstruction_nats: The bound's first term, the log likelihood given the draw.
        divergence_nats: The bound's second term, the KL of the posterior from the prior.
        divergence_by_dimension: The mean KL of every latent dimension.
        active_units: Number of latent dimensions in use.
        latent_size: Number of latent dimensions.
    """

    examples: int
    teacher_forced: Accuracy
    sampled: Accuracy
    sampled_from_draw: Accuracy
    sampled_at_temperature_1: Accuracy
    shuffled: Accuracy
    lines: dict[str, Decodings[Accuracy]]
    sources: dict[str, dict[str, Decodings[Accuracy]]]
    hits: dict[str, Decodings[Estimate]]
    recalls: dict[str, dict[str, Decodings[Estimate]]]
    numbers: dict[str, Decodings[Estimate]]
    elbo_nats: float
    bits_per_step: float
    reconstruction_nats: float
    divergence_nats: float
    divergence_by_dimension: tuple[float, ...]
    active_units: int
    latent_size: int


def reconstruct(
    model: MusicVAE,
    representation: Representation,
    events: Events,
    *,
    seed: int,
    pieces: Shaped[np.ndarray, " batch"] | None = None,
    sources: Shaped[np.ndarray, " batch"] | None = None,
    watch: Watch = unwatched,
) -> Reconstruction:
    """Encodes and decodes every excerpt.

    Args:
        model: The measured model.
        representation: The representation of its music.
        events: The excerpts.
        seed: The seed of the draws of latents and events, and of the intervals.
        pieces: The piece of each excerpt, for intervals; None for figures without intervals.
        sources: The source of each excerpt, for figures by source; None for no such figures.
        watch: Shows the progress.
    """
    posterior = encode(model, representation, events, title="encoding", watch=watch)
    latents = _Latents(
        drawn=draw(posterior, torch.Generator().manual_seed(seed)),
        mean=posterior.mean,
        other=posterior.mean[_swap(len(events), seed)],
    )
    likelihoods: list[Tensor] = []
    judged = []
    for part in watch(batches(len(events), events.shape[1]), "reconstructing"):
        seeds = [row_seed(seed, row, "events") for row in range(part.start, part.stop)]
        truth = events[part]
        played = _play(model, representation, truth, latents.rows(part), seeds)
        likelihoods.append(played.log_likelihood)
        judged.append(np.stack([judge(representation, truth, each) for each in played.guesses]))
    # (way, batch, sum, score) -> (batch, sum, way, score)
    sums = np.concatenate(judged, axis=1).transpose(1, 2, 0, 3)
    scores = score(representation, sums, pieces=pieces, seed=seed)
    together = Decodings(*(way.together for way in scores))
    reconstruction_nats = float(torch.cat(likelihoods).mean())
    divergence = posterior.divergence().mean(0)
    elbo_nats = reconstruction_nats - float(divergence.sum())
    return Reconstruction(
        examples=len(events),
        teacher_forced=together.teacher_forced,
        sampled=together.sampled,
        sampled_from_draw=together.sampled_from_draw,
        sampled_at_temperature_1=together.sampled_at_temperature_1,
        shuffled=together.shuffled,
        lines=_by_name(scores, lambda way: way.lines),
        sources={
            source: _by_name(
                score(
                    representation,
                    sums[rows],
                    pieces=None if pieces is None else pieces[rows],
                    seed=seed,
                ),
                lambda way: way.lines,
            )
            for source, rows in _rows_by_source(sources).items()
        },
        hits=_by_name(scores, lambda way: way.hits),
        recalls={
            line: _by_name(scores, partial(_recalls_of, line=line))
            for line in scores.sampled.recalls
        },
        numbers=_by_name(scores, lambda way: way.numbers),
        elbo_nats=elbo_nats,
        bits_per_step=-elbo_nats / math.log(2) / events.shape[1],
        reconstruction_nats=reconstruction_nats,
        divergence_nats=float(divergence.sum()),
        divergence_by_dimension=tuple(divergence.tolist()),
        active_units=int((posterior.mean.var(0, correction=0) > ACTIVE_VARIANCE).sum()),
        latent_size=posterior.mean.shape[1],
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Latents:
    """The latents that excerpts are decoded from: a draw, the mean, another excerpt's mean."""

    drawn: Float[Tensor, "batch latent"]
    mean: Float[Tensor, "batch latent"]
    other: Float[Tensor, "batch latent"]

    def rows(self, part: slice) -> "_Latents":
        return _Latents(drawn=self.drawn[part], mean=self.mean[part], other=self.other[part])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Played:
    """The events that each of the `Decodings` plays, and the log likelihood in nats."""

    guesses: tuple[Int[np.ndarray, "batch step _"], ...]
    log_likelihood: Float[Tensor, " batch"]


def _swap(rows: int, seed: int) -> Int[np.ndarray, " batch"]:
    """Finds another row for each row."""
    order = np.random.default_rng(seed).permutation(rows)
    others = np.empty_like(order)
    others[order] = np.roll(order, 1)
    return others


@torch.no_grad()
def _play(
    model: MusicVAE,
    representation: Representation,
    truth: Int16[np.ndarray, "batch step stream"],
    latents: _Latents,
    seeds: Sequence[int],
) -> _Played:
    batch = to_batch(model, representation, truth)

    def decode(z: Float[Tensor, "batch latent"]) -> EventDistribution:
        return model.decode(z.to(batch.events.device), batch.conditions)

    drawn, heads = decode(latents.drawn), model.decoder.heads
    parameters = drawn.parameters(batch.events)
    guesses = (
        heads.likeliest(parameters),
        decode(latents.mean).mode(),
        drawn.mode(),
        drawn.sample(temperature=1.0, randomness=seeds),
        decode(latents.other).mode(),
    )
    return _Played(
        guesses=tuple(guess.cpu().numpy() for guess in guesses),
        log_likelihood=heads.log_prob(parameters, batch.events).sum((1, 2)).cpu(),
    )


def _by_name(
    scores: Decodings[Scores], read: Callable[[Scores], Mapping[str, Measure]]
) -> dict[str, Decodings[Measure]]:
    """Collects a measure of all decodings, by its name in the scores."""
    return {name: Decodings(*(read(way)[name] for way in scores)) for name in read(scores.sampled)}


def _recalls_of(scores: Scores, *, line: str) -> Mapping[str, Estimate]:
    return scores.recalls[line]


def _rows_by_source(
    sources: Shaped[np.ndarray, " batch"] | None,
) -> dict[str, Int[np.ndarray, " _"]]:
    names = [] if sources is None else sorted(set(sources.tolist()))
    return {name: np.flatnonzero(sources == name) for name in names} if len(names) > 1 else {}
