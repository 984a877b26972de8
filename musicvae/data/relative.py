"""Batches of music relative to its key, with its style, for a prior over events."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float32, Int, Int64, Shaped

from musicvae.data.batches import BatchStream, TrainingSet, choose_some, weigh_examples
from musicvae.data.mix import RunData
from musicvae.data.shards import ExampleSet
from musicvae.errors import SettingError
from musicvae.experiment.experiment import Experiment
from musicvae.model.conditions import Batch, to_batch
from musicvae.representation import Representation
from musicvae.representation.key_relative import (
    KEYS,
    UNKNOWN_MODE,
    UNKNOWN_TONIC,
    number_keys,
    to_home,
)
from musicvae.representation.streams import Stream

KEY_DROPPED, MODE_DROPPED, STYLE_DROPPED, STREAMS_DROPPED = 0.1, 0.05, 0.1, 0.1
"""The shares of examples whose key, whose mode alone, whose style, and whose condition streams are
not told: so one prior works with and without them (Ho and Salimans 2022, Classifier-Free Diffusion
Guidance, section 3.2)."""

LEAST_EXCERPTS, LEAST_PIECES = 48, 3
"""A style that a prior hears has so many excerpts and pieces: of fewer it would learn the pieces by
heart."""


def keys_of(examples: ExampleSet) -> Int64[np.ndarray, "batch 2"]:
    """Tonic and mode of each example."""
    columns = [
        examples.table[name].cast("int64").fill_null(unknown).to_numpy()
        for name, unknown in (("tonic", UNKNOWN_TONIC), ("is_minor", UNKNOWN_MODE))
    ]
    return np.stack(columns, axis=1)


def weigh_keys(examples: ExampleSet) -> Float32[np.ndarray, " key"]:
    """Measures the share of each key among examples, by its number; the last share is of no key."""
    counts = np.bincount(number_keys(keys_of(examples)), minlength=KEYS + 1)
    return (counts / max(1, len(examples))).astype(np.float32)


def common_styles(examples: ExampleSet) -> tuple[str, ...]:
    """The styles of a training set that are common enough to be heard, by name."""
    styles, pieces = _styles(examples), examples.pieces
    return tuple(
        name
        for name, count in sorted(Counter(styles.tolist()).items())
        if name
        and count >= LEAST_EXCERPTS
        and len(np.unique(pieces[styles == name].astype(str))) >= LEAST_PIECES
    )


def check_styles(examples: ExampleSet, names: Sequence[str]) -> None:
    """Checks that a training set has excerpts of all styles of these names.

    Raises:
        SettingError: If it has none of a style.
    """
    known = set(_styles(examples)) - {""}
    if missing := [name for name in names if name not in known]:
        raise SettingError(
            f"prior.styles with {', '.join(missing)}",
            expected=f"styles of the training set: {', '.join(sorted(known)) or 'it has none'}",
            action="Leave prior.styles out to take the common styles of the training set.",
            field="prior.styles",
        )


def styles_of(examples: ExampleSet, names: Sequence[str]) -> Int64[np.ndarray, " batch"]:
    """The number of each example's style among names; their count where it is none of them."""
    numbers = {name: number for number, name in enumerate(names)}
    return np.array([numbers.get(each, len(names)) for each in _styles(examples)], np.int64)


def weigh_styles(examples: ExampleSet, names: Sequence[str]) -> Float32[np.ndarray, " style"]:
    """Measures the share of each style among examples; the last share is of none of them."""
    counts = np.bincount(styles_of(examples, names), minlength=len(names) + 1)
    return (counts / max(1, len(examples))).astype(np.float32)


def _styles(examples: ExampleSet) -> Shaped[np.ndarray, " batch"]:
    """The style of each example, without its variant: `rock` for `rock/shuffle`; may be empty."""
    styles = examples.table["style"].to_pylist()
    return np.array([(style or "").partition("/")[0].strip().lower() for style in styles], object)


def make_batch(
    representation: Representation,
    events: Int[np.ndarray, "batch step stream"],
    keys: Int64[np.ndarray, "batch 2"],
    styles: Int64[np.ndarray, " batch"] | None = None,
) -> Batch:
    """Moves excerpts home, and splits off their conditions."""
    moved, tonics = to_home(representation, events.astype(np.int16), keys[:, 0])
    parts = to_batch(representation, moved)
    told = np.stack([tonics, np.where(tonics == UNKNOWN_TONIC, UNKNOWN_MODE, keys[:, 1])], axis=1)
    heard = None if styles is None else torch.from_numpy(styles)
    conditions = replace(parts.conditions, keys=torch.from_numpy(told), styles=heard)
    return replace(parts, conditions=conditions)


class RelativeBatches:
    """Endless batches; each depends on the seed and its number alone.

    Args:
        examples: All examples.
        representation: The examples' representation.
        experiment: The experiment of the run.
        seed: Decides the order, the transpositions, and the keys and styles that are not told.
        rank: The number of this process among `ranks`.
        ranks: Number of processes that share each step.
    """

    def __init__(
        self,
        examples: ExampleSet,
        representation: Representation,
        experiment: Experiment,
        *,
        seed: int,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        training = experiment.training
        self._representation = representation
        self._keys = keys_of(examples)
        names = experiment.prior.styles
        self._unknown_style = len(names)
        self._styles = styles_of(examples, names) if names else None
        self._events = examples.events
        self._most_semitones = training.most_semitones
        self._seed, self._rank = seed, rank
        self._order = BatchStream(
            examples.events,
            self._representation,
            batch_size=training.batch_size,
            seed=seed,
            most_semitones=0,
            repeats=weigh_examples(examples, has_balanced_sources=training.has_balanced_sources),
            rank=rank,
            ranks=ranks,
        )

    def batch(self, step: int) -> Batch:
        """This rank's batch of one step."""
        rows = self._order.rows(step)
        events, keys = self._events[rows], self._keys[rows].copy()
        random = np.random.default_rng([self._seed, 3, step, self._rank])
        most = self._most_semitones
        semitones = random.integers(-most, most + 1, len(rows))
        moved = self._representation.transpose(events, semitones)
        has_moved = (moved != events).any((1, 2))
        is_known = keys[:, 0] != UNKNOWN_TONIC
        keys[:, 0] = np.where(is_known, (keys[:, 0] + semitones * has_moved) % 12, UNKNOWN_TONIC)
        dropped = random.random(len(rows))
        keys[dropped < KEY_DROPPED] = UNKNOWN_TONIC, UNKNOWN_MODE
        keys[dropped > 1 - MODE_DROPPED, 1] = UNKNOWN_MODE
        styles = None
        if self._styles is not None:
            is_dropped = random.random(len(rows)) < STYLE_DROPPED
            styles = np.where(is_dropped, self._unknown_style, self._styles[rows])
        batch = make_batch(self._representation, moved, keys, styles)
        return _drop_streams(batch, self._representation.streams, random)


def _drop_streams(batch: Batch, streams: Sequence[Stream], random: np.random.Generator) -> Batch:
    """Makes the condition streams of some examples unknown."""
    told = batch.conditions.streams
    if told is None:
        return batch
    is_dropped = torch.from_numpy(random.random(len(told)) < STREAMS_DROPPED)
    unknown = torch.tensor([each.size for each in streams if each.is_condition])
    left = torch.where(is_dropped[:, None, None], unknown, told)
    return replace(batch, conditions=replace(batch.conditions, streams=left))


def prior_data(experiment: Experiment, sets: Sequence[TrainingSet], *, seed: int) -> RunData:
    """The batches of a prior's run on some sets."""

    def open_sets(rank: int, ranks: int) -> list[RelativeBatches]:
        return [
            RelativeBatches(
                each.examples, each.representation, experiment, seed=seed, rank=rank, ranks=ranks
            )
            for each in sets
        ]

    most, names = experiment.training.validation_examples, experiment.prior.styles
    validation = []
    for each in sets:
        rows = choose_some(len(each.validation), most, seed)
        keys = keys_of(each.validation)[rows]
        styles = styles_of(each.validation, names)[rows] if names else None
        events = each.validation.events[rows]
        validation.append(make_batch(each.representation, events, keys, styles))
    return RunData(open_sets, [len(each.examples) for each in sets], validation, seed=seed)
