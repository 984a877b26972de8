"""Draws from the prior against the data: measures of both, and how far they overlap.

Conventions: three sets of excerpts are chosen at random. `HELD_OUT` comes from the held-out split,
`TRAINING` from the training split, transposed as in training. `CEILING` is a second sample of the
training split, as large as the draws. Draws are compared with `HELD_OUT` and `TRAINING`, and so is
`CEILING`: its overlap is the overlap of a perfect model of the training split. It is below 1, since
two samples of one distribution differ, and few held-out pieces have few keys.

Source: the measures follow Yang and Lerch 2018, On the evaluation of generative models in music,
section 4. The authors compare smoothed densities of distances, which hide values out of range;
therefore plain distributions are compared here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int16
from torch import Tensor

from musicvae.evaluation.decoding import batches, play
from musicvae.evaluation.histogram import Histogram, count
from musicvae.evaluation.lines import lines_of
from musicvae.evaluation.note_table import NoteTable, measures_of, note_tables
from musicvae.evaluation.watch import Watch, unwatched
from musicvae.model.event_prior import EventPrior
from musicvae.model.latent.latent import Prior
from musicvae.model.vae import MusicVAE
from musicvae.representation import Representation
from musicvae.runtime.conditions import conditions_of
from musicvae.runtime.draws import draw_music
from musicvae.runtime.noise import latent_noise
from musicvae.runtime.progressions import draw_progressions
from musicvae.temperature import SAMPLE_TEMPERATURE

DRAWS = 2_048
"""With half as many, two samples of one distribution over 25 numbers overlap by 0.91 on average."""

COMPARED = 8_192
"""The excerpts of each split to compare draws with: more would change no overlap by 0.01."""

LEAST_NOTES = 2

HELD_OUT, TRAINING, CEILING = "held-out", "training", "more training"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A measure of draws against the same measure of data.

    Without a training split the ceilings and all figures of the training split are None.

    Attributes:
        overlap: The overlap of draws with held-out excerpts.
        divergence_nats: The divergence of draws from held-out excerpts.
        ceiling: The overlap of a perfect model of the training split with held-out excerpts.
        training_overlap: The overlap of draws with training excerpts.
        training_divergence_nats: The divergence of draws from training excerpts.
        training_ceiling: The overlap of two samples of the training split.
        draws_mean: The mean over the draws; a mean is None where there are no values.
        held_out_mean: The mean over the held-out excerpts.
        training_mean: The mean over the training excerpts.
    """

    overlap: float
    divergence_nats: float
    ceiling: float | None
    training_overlap: float | None
    training_divergence_nats: float | None
    training_ceiling: float | None
    draws_mean: float | None
    held_out_mean: float | None
    training_mean: float | None


@dataclass(frozen=True, kw_only=True)
class Flaws:
    """Shares of excerpts that are hardly music.

    Attributes:
        empty: The share with fewer than two notes.
        single_pitch: The share whose melody repeats a single pitch; None where there is no melody.
    """

    empty: float
    single_pitch: float | None


@dataclass(frozen=True, kw_only=True)
class PriorSamples:
    """Draws from the prior beside data.

    Attributes:
        draws: The number of draws.
        temperature: The temperature of the draws.
        flaws: The flaws of the draws.
        held_out_flaws: The flaws of the held-out excerpts.
        measures: The comparison of each measure, by the names of line and measure.
    """

    draws: int
    temperature: float
    flaws: Flaws
    held_out_flaws: Flaws
    measures: dict[str, dict[str, Comparison]]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Draws at several temperatures beside data.

    Attributes:
        at: The draws of each temperature.
        histograms: The histograms of all sets, by the names of line and measure; `set_name` names
            the draws of a temperature.
    """

    at: tuple[PriorSamples, ...]
    histograms: dict[str, dict[str, Histogram]]


def set_name(temperature: float) -> str:
    """Names the set of draws at a temperature."""
    return f"draws at temperature {temperature:g}"


def draw_new(
    model: MusicVAE,
    prior: Prior | EventPrior,
    representation: Representation,
    like: Int16[np.ndarray, "batch step stream"],
    *,
    temperature: float = SAMPLE_TEMPERATURE,
    seed: int,
    watch: Watch = unwatched,
) -> Int16[np.ndarray, "batch step stream"]:
    """Draws new music under the conditions of each row of `like`, as `sample` does."""
    title = f"drawing at temperature {temperature:g}"
    if not isinstance(prior, EventPrior):
        noise = torch.from_numpy(latent_noise(seed, range(len(like)), prior.noise_size))
        z: Tensor = prior(noise)
        return play(
            model,
            representation,
            z,
            like,
            temperature=temperature,
            seed=seed,
            title=title,
            watch=watch,
        )
    drawn = [
        draw_music(
            prior.draws,
            representation,
            seed=seed,
            rows=range(part.start, part.stop),
            conditions=conditions_of(representation, like[part]),
            temperature=temperature,
        ).events
        for part in watch(batches(len(like), like.shape[1]), title)
    ]
    return np.concatenate(drawn)


def with_drawn_chords(
    prior: Prior | EventPrior,
    representation: Representation,
    like: Int16[np.ndarray, "batch step stream"],
    *,
    seed: int,
) -> Int16[np.ndarray, "batch step stream"]:
    """Gives excerpts the chords that new music would have; unchanged if the prior draws none."""
    if not isinstance(prior, EventPrior) or prior.progressions is None:
        return like
    chords = draw_progressions(prior.draws, representation, seed=seed, rows=range(len(like)))
    return np.concatenate([like[..., :-2], chords], axis=-1)


def compare_prior_samples(
    representation: Representation,
    drawn: Mapping[float, Int16[np.ndarray, "_draws step stream"]],
    held_out: Int16[np.ndarray, "_held_out step stream"],
    training: Int16[np.ndarray, "_training step stream"] | None = None,
    more_training: Int16[np.ndarray, "_more step stream"] | None = None,
) -> Compared:
    """Compares draws with data.

    Args:
        representation: The representation of all sets.
        drawn: The draws by their temperature.
        held_out: Held-out excerpts.
        training: Excerpts of the training split, transposed as in training; None where there is
            no training split.
        more_training: A second, disjoint sample of training excerpts, as large as the draws.
    """
    sets = {HELD_OUT: held_out}
    if training is not None and more_training is not None:
        sets |= {TRAINING: training, CEILING: more_training}
    sets |= {set_name(temperature): events for temperature, events in drawn.items()}
    tables = {name: note_tables(representation, events) for name, events in sets.items()}
    histograms: dict[str, dict[str, Histogram]] = {}
    means: dict[str, dict[str, dict[str, float | None]]] = {}
    for line in lines_of(representation):
        histograms[line.name], means[line.name] = {}, {}
        for measure, each in measures_of(representation, line).items():
            values = {name: each.values(table[line.name]) for name, table in tables.items()}
            data = np.concatenate([values[name] for name in (HELD_OUT, TRAINING) if name in values])
            histograms[line.name][measure] = count(values, each.bin_width(data))
            means[line.name][measure] = {
                name: float(numbers.mean()) if numbers.size else None
                for name, numbers in values.items()
            }
    return Compared(
        at=tuple(
            PriorSamples(
                draws=len(events),
                temperature=temperature,
                flaws=_find_flaws(tables[set_name(temperature)]),
                held_out_flaws=_find_flaws(tables[HELD_OUT]),
                measures={
                    line: {
                        measure: _compare(histogram, means[line][measure], set_name(temperature))
                        for measure, histogram in by_measure.items()
                    }
                    for line, by_measure in histograms.items()
                },
            )
            for temperature, events in drawn.items()
        ),
        histograms=histograms,
    )


def _compare(histogram: Histogram, means: Mapping[str, float | None], name: str) -> Comparison:
    has_training = TRAINING in means
    return Comparison(
        overlap=histogram.overlap(name, HELD_OUT),
        divergence_nats=histogram.divergence(name, HELD_OUT),
        ceiling=histogram.overlap(CEILING, HELD_OUT) if has_training else None,
        training_overlap=histogram.overlap(name, TRAINING) if has_training else None,
        training_divergence_nats=histogram.divergence(name, TRAINING) if has_training else None,
        training_ceiling=histogram.overlap(CEILING, TRAINING) if has_training else None,
        draws_mean=means[name],
        held_out_mean=means[HELD_OUT],
        training_mean=means.get(TRAINING),
    )


def _find_flaws(tables: Mapping[str, NoteTable]) -> Flaws:
    counts = np.sum([table.counts for table in tables.values()], axis=0)
    melodies = [table for table in tables.values() if table.line.is_pitched]
    return Flaws(
        empty=float((counts < LEAST_NOTES).mean()),
        single_pitch=float(_has_single_pitch(melodies[0]).mean()) if melodies else None,
    )


def _has_single_pitch(table: NoteTable) -> Bool[np.ndarray, " batch"]:
    has_notes = table.counts >= LEAST_NOTES
    is_flat = np.zeros(table.excerpts, np.bool_)
    is_flat[table.counts > 0] = table.ranges == 0
    return has_notes & is_flat
