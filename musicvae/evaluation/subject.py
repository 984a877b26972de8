"""What is measured, and on what: a model, and the music that it is asked about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, Int16
from torch import Tensor

from musicvae.data import shards
from musicvae.data.manifest import Manifest, load_manifest
from musicvae.data.shards import ExampleSet
from musicvae.errors import DataError
from musicvae.experiment.experiment import Experiment
from musicvae.model import MusicVAE, Prior
from musicvae.representation import Representation

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
        name: Of the model.
        version: Of its bundle; None where it is no bundle yet.
        experiment: What was trained.
        model: In evaluation mode.
        prior: Where it draws new music from.
        attribute_vectors: The direction of each attribute, by name.
        steps: Optimiser steps it was trained for; None where that is not known.
        examples_seen: Examples it was trained on, those seen again counted again; None too.
    """

    name: str
    version: str | None
    experiment: Experiment
    model: MusicVAE
    prior: Prior
    attribute_vectors: Mapping[str, Float[Tensor, " latent"]]
    steps: int | None
    examples_seen: int | None

    @property
    def representation(self) -> Representation:
        """The map between its music and its tensors."""
        representation: Representation = self.experiment.representation
        return representation

    @property
    def weights(self) -> int:
        """The number of its weights."""
        return sum(tensor.numel() for tensor in self.model.parameters())


@dataclass(frozen=True, kw_only=True, eq=False)
class Data:
    """Music that a model has not seen, and the music that it was trained on.

    Attributes:
        manifest: Of the data set.
        split: The split that is measured.
        held_out: Its excerpts.
        training: The excerpts of the training split; None where the set has none.
    """

    manifest: Manifest
    split: str
    held_out: ExampleSet
    training: ExampleSet | None

    @property
    def pieces(self) -> int:
        """The number of pieces that the held-out excerpts come from."""
        return len(set(self.held_out.pieces.tolist()))

    @property
    def left_out(self) -> tuple[str, ...]:
        """The measures that are left out since the set has no training split."""
        return () if self.training else _OF_TRAINING

    def check(self, representation: Representation) -> None:
        """Makes sure that a model and the data speak of the same tensors.

        Raises:
            DataError: If they do not.
        """
        if dict(self.manifest.representation) != representation.config():
            raise DataError(
                f"data in the representation {dict(self.manifest.representation)}",
                expected=f"{representation.config()}, the model's",
                action="Prepare data with the model's representation. A model of a part of longer "
                "excerpts can't be measured on these: start a longer one from it.",
                field="data",
            )


def load_data(directory: Path, split: str) -> Data:
    """Opens a split of a prepared data set, and its training split where it has one.

    Raises:
        DataError: If the split is not there, or a split is damaged.
    """
    manifest = load_manifest(directory)
    training = manifest.splits.get(TRAINING_SPLIT)
    has_training = training is not None and training.excerpts > 0
    return Data(
        manifest=manifest,
        split=split,
        held_out=shards.load(directory, split),
        training=shards.load(directory, TRAINING_SPLIT) if has_training else None,
    )


def titles(subjects: Sequence[Subject]) -> list[str]:
    """What models are called beside each other: by the version, too, where names are the same."""
    names = [subject.name for subject in subjects]
    return [
        f"{each.name} {each.version}" if names.count(each.name) > 1 else each.name
        for each in subjects
    ]


def choose(rows: int, most: int, seed: int) -> Int[np.ndarray, " batch"]:
    """So many different rows in a random order, or all of them."""
    return np.random.default_rng(seed).permutation(rows)[:most]


def transposed(
    representation: Representation,
    events: Int16[np.ndarray, "batch step stream"],
    *,
    most_semitones: int,
    seed: int,
) -> Int16[np.ndarray, "batch step stream"]:
    """Excerpts as a model hears them in training: each moved by an interval of its own."""
    semitones = np.random.default_rng(seed).integers(
        -most_semitones, most_semitones + 1, len(events)
    )
    return representation.transpose(events, semitones)
