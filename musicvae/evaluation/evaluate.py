"""All measures of a model, the same for every model; `musicvae evaluate` and `export` take them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Int16, Shaped

from musicvae.evaluation import attribute_transfer, interpolation, likelihood, prior_samples
from musicvae.evaluation.accuracy import Accuracy
from musicvae.evaluation.attribute_transfer import AttributeTransfer, transfer
from musicvae.evaluation.decoding import canonical
from musicvae.evaluation.interpolation import Interpolation, interpolate
from musicvae.evaluation.likelihood import Likelihood, bound
from musicvae.evaluation.lines import lines_of
from musicvae.evaluation.listener.sets import compare_sets
from musicvae.evaluation.novelty import Novelty, find_copies
from musicvae.evaluation.prior_samples import (
    HELD_OUT,
    TRAINING,
    Compared,
    compare_prior_samples,
    draw_new,
    set_name,
    with_drawn_chords,
)
from musicvae.evaluation.reconstruction import Reconstruction, reconstruct
from musicvae.evaluation.self_similarity import FEWEST_BARS, SelfSimilarity, compare_bars
from musicvae.evaluation.subject import Data, Subject, choose, transposed
from musicvae.evaluation.watch import Watch, unwatched
from musicvae.representation import Representation
from musicvae.temperature import SAMPLE_TEMPERATURE

TEMPERATURES = (1.0, SAMPLE_TEMPERATURE)
"""The temperature of training, and the default of the commands that make music."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The sizes of all samples; with the defaults two bars take one core some two minutes.

    Attributes:
        reconstructed: The most excerpts to encode and decode. The number of their pieces limits the
            precision of the figures long before this number does.
        bounded: The excerpts whose likelihood is bounded.
        bound_draws: The draws of the posterior of each excerpt, for the bound.
        pairs: The pairs of excerpts to interpolate.
        shifted: The excerpts to move along attribute vectors.
        draws: The draws from the prior, at each temperature.
        compared: The most excerpts of each split to compare the draws with.
        counted_steps: The most steps of the training split that the language model counts.
    """

    reconstructed: int = 8_192
    bounded: int = 512
    bound_draws: int = likelihood.DRAWS
    pairs: int = interpolation.PAIRS
    shifted: int = attribute_transfer.EXCERPTS
    draws: int = prior_samples.DRAWS
    compared: int = prior_samples.COMPARED
    counted_steps: int = 8_000_000


DEFAULT_SIZES = Sizes()

QUICK_SIZES = Sizes(
    reconstructed=512, bounded=32, bound_draws=20, pairs=64, shifted=64, draws=256, compared=1_024
)
"""Sizes for a first impression: they take a small part of the time and give wider intervals."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The measures of a model on held-out excerpts.

    Attributes:
        split: The split that the held-out excerpts come from.
        content_hash: The content hash of the data set.
        examples: The number of excerpts of the split.
        pieces: The number of pieces of the split.
        seed: The seed of all draws.
        reconstruction: How well the model reconstructs excerpts.
        common: The accuracy, from the posterior's mean, on excerpts that training has in common
            with the split's pieces; None where the set has none.
        listener: The measures that a listener hears first, by the names of line, measure and set
            (see `musicvae.evaluation.listener.sets`).
        likelihood: How likely held-out music is under the model.
        interpolation: How musical the way between two excerpts is.
        attributes: How far each attribute vector changes each attribute.
        prior_samples: How far draws from the prior resemble the data.
        structure: How alike the bars of an excerpt are, by the names of line and set; empty for
            short excerpts.
        novelty: How much of the training split comes back, by the names of line and set; empty
            where there is no training split.
    """

    split: str
    content_hash: str
    examples: int
    pieces: int
    seed: int
    reconstruction: Reconstruction
    common: Accuracy | None = None
    listener: dict[str, dict[str, dict[str, float | None]]]
    likelihood: Likelihood
    interpolation: Interpolation
    attributes: AttributeTransfer
    prior_samples: Compared
    structure: dict[str, dict[str, SelfSimilarity]]
    novelty: dict[str, dict[str, Novelty]]


def evaluate(
    subject: Subject,
    data: Data,
    *,
    seed: int,
    sizes: Sizes = DEFAULT_SIZES,
    watch: Watch = unwatched,
) -> Evaluation:
    """Takes all measures.

    Raises:
        DataError: If the data have another representation than the model.
    """
    representation, model = subject.representation, subject.model
    data.check(representation)
    held_out, pieces = data.held_out.events, data.held_out.pieces
    rows = choose(len(held_out), sizes.reconstructed, seed)
    few, some, shifted = (rows[:most] for most in (sizes.bounded, 2 * sizes.pairs, sizes.shifted))
    samples = _sample(subject, data, sizes, seed, watch)
    return Evaluation(
        split=data.split,
        content_hash=data.manifest.content_hash,
        examples=len(held_out),
        pieces=data.pieces,
        seed=seed,
        reconstruction=reconstruct(
            model,
            representation,
            held_out[rows],
            seed=seed,
            pieces=pieces[rows],
            sources=data.held_out.sources[rows],
            watch=watch,
        ),
        common=_measure_common(subject, data, sizes.reconstructed, seed, watch),
        listener=compare_sets(
            model,
            representation,
            samples.held_out[: sizes.draws],
            samples.drawn[SAMPLE_TEMPERATURE],
            seed=seed,
            watch=watch,
        ),
        likelihood=bound(
            model,
            representation,
            held_out[few],
            seed=seed,
            draws=sizes.bound_draws,
            pieces=pieces[few],
            watch=watch,
        ),
        interpolation=interpolate(
            model,
            representation,
            held_out[some],
            pieces[some],
            _tiles(data, representation, sizes.counted_steps, seed),
            seed=seed,
            pairs=sizes.pairs,
            watch=watch,
        ),
        attributes=transfer(
            model, representation, held_out[shifted], subject.attribute_vectors, watch=watch
        ),
        prior_samples=compare_prior_samples(
            representation,
            samples.drawn,
            samples.held_out,
            samples.training,
            samples.more_training,
        ),
        structure={
            line.name: {
                name: compare_bars(representation, line, events)
                for name, events in samples.by_name().items()
            }
            for line in lines_of(representation)
            if representation.bars >= FEWEST_BARS
        },
        novelty={
            line.name: find_copies(
                representation,
                line,
                data.training.events,
                {name: each for name, each in samples.by_name().items() if name != TRAINING},
            )
            for line in watch(lines_of(representation), "looking for copies")
        }
        if data.training
        else {},
    )


def _measure_common(
    subject: Subject, data: Data, most: int, seed: int, watch: Watch
) -> Accuracy | None:
    if data.common is None:
        return None
    rows = choose(len(data.common), most, seed)
    return reconstruct(
        subject.model,
        subject.representation,
        data.common.events[rows],
        seed=seed,
        pieces=data.common.pieces[rows],
        watch=watch,
    ).sampled


@dataclass(frozen=True, kw_only=True, eq=False)
class _Samples:
    """The sets of excerpts to compare; see `musicvae.evaluation.prior_samples`."""

    drawn: dict[float, Int16[np.ndarray, "_draws step stream"]]
    held_out: Int16[np.ndarray, "_held_out step stream"]
    training: Int16[np.ndarray, "_training step stream"] | None
    more_training: Int16[np.ndarray, "_draws step stream"] | None

    def by_name(self) -> dict[str, Int16[np.ndarray, "_ step stream"]]:
        """Names the sets that stand side by side in tables."""
        drawn = {set_name(temperature): events for temperature, events in self.drawn.items()}
        training = {} if self.training is None else {TRAINING: self.training}
        return {HELD_OUT: self.held_out, **training, **drawn}


def _sample(
    subject: Subject,
    data: Data,
    sizes: Sizes,
    seed: int,
    watch: Watch,
) -> _Samples:
    """Draws from the prior, and chooses excerpts.

    Conditions that the prior does not draw are those of training excerpts.
    """
    representation, model = subject.representation, subject.model
    held_out = data.held_out.events[choose(len(data.held_out), sizes.compared, seed)]
    training = more_training = None
    if data.training:
        # `more_training` is as large as the draws, even where `training` then gets few excerpts.
        rows = choose(len(data.training), sizes.compared + sizes.draws, seed)
        more, first = np.split(rows, [min(sizes.draws, len(rows) // 2)])
        more_training, training = (
            transposed(
                representation,
                data.training.events[chosen],
                most_semitones=subject.experiment.training.most_semitones,
                seed=seed,
            )
            for chosen in (more, first)
        )
    like = held_out if more_training is None else more_training
    like = like[np.resize(np.arange(len(like)), sizes.draws)]
    like = with_drawn_chords(subject.prior, representation, like, seed=seed)
    drawn = {
        temperature: canonical(
            representation,
            draw_new(
                model,
                subject.prior,
                representation,
                like,
                temperature=temperature,
                seed=seed,
                watch=watch,
            ),
        )
        for temperature in TEMPERATURES
    }
    return _Samples(
        drawn=drawn,
        held_out=held_out,
        training=training,
        more_training=more_training,
    )


def _tiles(
    data: Data, representation: Representation, most_steps: int, seed: int
) -> Int16[np.ndarray, "batch step stream"] | None:
    """Chooses training excerpts that do not overlap, so that each bar counts once."""
    if not data.training:
        return None
    rows = find_tiles(data.training.pieces, data.training.start_bars, representation.bars)
    events = data.training.events
    return events[rows[choose(len(rows), most_steps // events.shape[1], seed)]]


def find_tiles(
    pieces: Shaped[np.ndarray, " batch"], start_bars: Int[np.ndarray, " batch"], bars: int
) -> Int[np.ndarray, " tile"]:
    """Finds the excerpts that start whole excerpts after the first excerpt of their piece.

    The first excerpt of a piece with a pickup starts at bar 1.

    Args:
        pieces: The piece of each excerpt; the excerpts of a piece follow each other. At least one.
        start_bars: The bar of its piece at which each excerpt starts.
        bars: The bars of an excerpt.

    >>> find_tiles(np.array(["a", "a", "a", "b", "b"]), np.array([0, 1, 2, 1, 2]), 2)
    array([0, 2, 3])
    """
    firsts = np.flatnonzero(np.append(True, pieces[1:] != pieces[:-1]))
    first_bars = np.minimum.reduceat(start_bars, firsts)
    sizes = np.diff(firsts, append=len(pieces))
    return np.flatnonzero((start_bars - first_bars.repeat(sizes)) % bars == 0)
