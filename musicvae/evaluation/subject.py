"""The measured model, and the data of an evaluation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, Int16

from musicvae.data import shards
from musicvae.data.manifest import COMMON_SUFFIX, Manifest, load_manifest
from musicvae.data.shards import ExampleSet
from musicvae.errors import DataError
from musicvae.experiment.experiment import Experiment
from musicvae.model.event_prior import EventPrior
from musicvae.model.latent.latent import Prior
from musicvae.model.vae import MusicVAE
from musicvae.music.notes import TimeGrid
from musicvae.representation import (
    Representation,
    describe_config,
    representation_from_config,
)

TRAINING_SPLIT = "train"

_OF_TRAINING = (
    "overlap of draws with training data",
    "ceilings of overlaps",
    "cost of interpolations",
    "copies of training data",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A model that is measured.

    Attributes:
        name: The name of the model.
        version: The version of its bundle; None where it is no bundle yet.
        experiment: The settings that it was trained with.
        model: The network, in evaluation mode.
        prior: The distribution of latents for new music.
        attribute_vectors: The direction of each attribute, by name.
        steps: The optimiser steps of its training; None if unknown.
        examples_seen: The examples of its training, repetitions counted; None if unknown.
    """

    name: str
    version: str | None
    experiment: Experiment
    model: MusicVAE
    prior: Prior | EventPrior
    attribute_vectors: Mapping[str, Float[np.ndarray, " latent"]]
    steps: int | None
    examples_seen: int | None

    @property
    def representation(self) -> Representation:
        """The map between the model's music and its tensors."""
        representation: Representation = self.experiment.representation
        return representation

    def on_grid(self, grid: TimeGrid) -> "Subject":
        """The same model, measured on another of its grids; unchanged if it does not play it."""
        every = self.experiment.all_grids
        if grid not in every:
            return self
        experiment = replace(
            self.experiment,
            representation=self.representation.on_grid(grid),
            grids=tuple(each for each in every if each != grid),
        )
        return replace(self, experiment=experiment)

    @property
    def weights(self) -> int:
        """The number of the model's weights."""
        return sum(tensor.numel() for tensor in self.model.parameters())


@dataclass(frozen=True, kw_only=True, eq=False)
class Data:
    """Held-out music that a model has not seen, and the music that it was trained on.

    Attributes:
        manifest: The manifest of the data set.
        split: The name of the held-out split.
        held_out: The excerpts of the held-out split.
        training: The excerpts of the training split; None where the set has none.
        common: Excerpts that pieces of the held-out split have in common with the training split;
            None where the set has none.
    """

    manifest: Manifest
    split: str
    held_out: ExampleSet
    training: ExampleSet | None
    common: ExampleSet | None = None

    @property
    def grid(self) -> TimeGrid:
        """The grid of the music."""
        return representation_from_config(self.manifest.representation).grid

    @property
    def pieces(self) -> int:
        """The number of pieces that the held-out excerpts come from."""
        return len(set(self.held_out.pieces.tolist()))

    @property
    def left_out(self) -> tuple[str, ...]:
        """The measures that can't be taken because the set has no training split."""
        return () if self.training else _OF_TRAINING

    def check(self, representation: Representation) -> None:
        """Makes sure that the data have the representation of a model.

        Raises:
            DataError: If they have another.
        """
        if dict(self.manifest.representation) != representation.config():
            raise DataError(
                f"a data set of {describe_config(self.manifest.representation)}",
                expected=f"{describe_config(representation.config())}, the model's",
                action="Prepare data with the model's representation. A model of a part of longer "
                "excerpts can't be measured on these: start a longer one from it.",
                field="data",
            )


def load_data(directory: Path, split: str) -> Data:
    """Opens a split of a prepared data set, and its training split where it has one.

    Raises:
        DataError: If the set lacks the split, or a split is damaged.
    """
    manifest = load_manifest(directory)
    training = manifest.splits.get(TRAINING_SPLIT)
    has_training = training is not None and training.excerpts > 0
    common = split + COMMON_SUFFIX
    return Data(
        manifest=manifest,
        split=split,
        held_out=shards.load(directory, split),
        training=shards.load(directory, TRAINING_SPLIT) if has_training else None,
        common=shards.load(directory, common) if common in manifest.splits else None,
    )


def titles(subjects: Sequence[Subject]) -> list[str]:
    """Names models that stand side by side; models of one name get their versions too."""
    names = [subject.name for subject in subjects]
    return [
        f"{each.name} {each.version}" if names.count(each.name) > 1 else each.name
        for each in subjects
    ]


def choose(rows: int, most: int, seed: int) -> Int[np.ndarray, " batch"]:
    """Chooses at most `most` different rows, in a random order."""
    return np.random.default_rng(seed).permutation(rows)[:most]


def transposed(
    representation: Representation,
    events: Int16[np.ndarray, "batch step stream"],
    *,
    most_semitones: int,
    seed: int,
) -> Int16[np.ndarray, "batch step stream"]:
    """Transposes each excerpt by a random interval, as training does."""
    semitones = np.random.default_rng(seed).integers(
        -most_semitones, most_semitones + 1, len(events)
    )
    return representation.transpose(events, semitones)
