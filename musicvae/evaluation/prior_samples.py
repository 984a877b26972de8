"""Do draws from the prior sound like the data: the same counts of both, and how they overlap.

Conventions: three sets of excerpts are chosen at random. `HELD_OUT` are of the split that is
measured; `TRAINING` of the training split, transposed as they are in training; `CEILING` more of
those, as many as there are draws. Draws are compared with the first two. So is the third: that
overlap is what a perfect model of the training split would reach, since a few held-out pieces have
few keys, and no two samples of one distribution are equal.

Source: what is counted follows Yang and Lerch 2018, On the evaluation of generative models in
music, section 4; they compare smoothed densities of distances, which hides what is simply out of
range, so the plain distributions are compared here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int16

from musicvae.evaluation.decoding import play
from musicvae.evaluation.histogram import Histogram, count
from musicvae.evaluation.lines import lines_of
from musicvae.evaluation.note_table import NoteTable, measures_of, note_tables
from musicvae.evaluation.watch import Watch, unwatched
from musicvae.model import MusicVAE, Prior
from musicvae.model.noise import latent_noise
from musicvae.representation import Representation

DRAWS = 2_048
"""With half as many, two samples of one distribution over 25 numbers overlap by 0.91 on average."""

COMPARED = 8_192
"""Excerpts of each split that draws are compared with: more would change no overlap by 0.01."""

LEAST_NOTES = 2

HELD_OUT, TRAINING, CEILING = "held-out", "training", "more training"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One measure on draws and on data.

    Attributes:
        overlap: With the held-out excerpts.
        divergence_nats: Of the draws from them.
        ceiling: Overlap of a perfect model of the training split with the held-out excerpts; None
            without a training split, like all that follows but the first two means.
        training_overlap: With the excerpts of the training split.
        training_divergence_nats: Of the draws from those.
        training_ceiling: What two samples of the training split overlap.
        draws_mean: The measure's mean over the draws, None where they have no values.
        held_out_mean: The same over the held-out excerpts.
        training_mean: The same over those of the training split.
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
    """Shares of excerpts that are no music worth the name.

    Attributes:
        empty: With fewer than two notes.
        single_pitch: Whose melody repeats one pitch only; None where there is no melody.
    """

    empty: float
    single_pitch: float | None


@dataclass(frozen=True, kw_only=True)
class PriorSamples:
    """Draws from the prior beside data.

    Attributes:
        draws: How many.
        temperature: What they were drawn at.
        flaws: Of the draws.
        held_out_flaws: Of the held-out excerpts.
        measures: Every measure by the line's name and its own.
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
        histograms: Of all sets in the same bins, by the line's name and the measure's; the draws
            of a temperature are called as `set_name` says.
    """

    at: tuple[PriorSamples, ...]
    histograms: dict[str, dict[str, Histogram]]


def set_name(temperature: float) -> str:
    """What the draws at a temperature are called in histograms."""
    return f"draws at temperature {temperature:g}"


def draw_prior(
    model: MusicVAE,
    prior: Prior,
    like: Int16[np.ndarray, "batch step stream"],
    *,
    seed: int,
    temperature: float,
    watch: Watch = unwatched,
) -> Int16[np.ndarray, "batch step stream"]:
    """Draws latents from the prior and plays them, one for each row of `like`.

    Where streams are given, those of `like` hold.
    """
    z = prior(latent_noise(seed, range(len(like)), prior.noise_size))
    title = f"drawing at temperature {temperature:g}"
    return play(model, z, like, temperature=temperature, seed=seed, title=title, watch=watch)


def compare_prior_samples(
    representation: Representation,
    drawn: Mapping[float, Int16[np.ndarray, "_draws step stream"]],
    held_out: Int16[np.ndarray, "_held_out step stream"],
    training: Int16[np.ndarray, "_training step stream"] | None = None,
    more_training: Int16[np.ndarray, "_more step stream"] | None = None,
) -> Compared:
    """Compares draws with data.

    Args:
        representation: Of all of them.
        drawn: The draws by their temperature.
        held_out: Held-out excerpts.
        training: Excerpts of the training split, transposed as in training; None where there is
            no training split.
        more_training: A second, disjoint sample of them, as large as the draws.
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
