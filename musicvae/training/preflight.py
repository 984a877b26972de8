"""Checks before a run: a run that can't work ends at once and not after hours."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from musicvae.data.batches import TrainingSet, cut
from musicvae.data.manifest import Manifest
from musicvae.data.mix import Batches
from musicvae.data.shards import Events
from musicvae.errors import DataError, SettingError, TrainingError
from musicvae.experiment.build import build_model
from musicvae.experiment.experiment import Experiment
from musicvae.model.conditions import Batch
from musicvae.representation import (
    Representation,
    describe_config,
    representation_from_config,
)
from musicvae.training.elbo import elbo

MOST_OVERFIT_STEPS = 60
LEAST_FALL = 0.1
LEAST_LEARNING_RATE = 1e-3
"""The check trains at the experiment's learning rate, but at least at this rate: a rate that is too
high shows within a few steps; a low rate may be intended."""


def with_grids(
    experiment: Experiment, manifests: Sequence[Manifest], *, may_be_longer: bool = True
) -> Experiment:
    """The experiment on the grids of its data sets, of which the first has the default.

    Raises:
        DataError: If two sets have one grid, or a set has another representation.
        SettingError: If the experiment already has other grids.
    """
    found = [representation_from_config(each.representation).grid for each in manifests[1:]]
    grids = [experiment.representation.grid, *found]
    if found and any(each.is_condition for each in experiment.representation.streams):
        raise DataError(
            f"{len(grids)} data sets for {experiment.representation.name}",
            expected="one: models that play over chords have one meter",
            action="Train a model for each meter.",
            field="data",
        )
    if len(set(grids)) < len(grids):
        raise DataError(
            f"data sets in {', '.join(map(str, grids))}",
            expected="a data set for each meter and grid",
            action="Leave out a set, or prepare the music of one meter together.",
            field="data",
        )
    if experiment.grids not in ((), tuple(found)):
        raise SettingError(
            f"grids={', '.join(map(str, experiment.grids))}",
            expected=", ".join(map(str, found)) or "none, as there is one data set",
            action="Leave `grids` out: they are the grids of the further data sets.",
            field="grids",
        )
    for grid, manifest in zip(grids, manifests, strict=True):
        representation = experiment.representation.on_grid(grid)
        check_representation(representation, manifest, may_be_longer=may_be_longer)
    return replace(experiment, grids=tuple(found))


def check_representation(
    representation: Representation, manifest: Manifest, *, may_be_longer: bool = True
) -> None:
    """Makes sure that a data set has a representation.

    Its excerpts may be longer, by a whole number of times, for a part that learns slices of them.

    Raises:
        DataError: If the data set has another representation.
    """
    expected, found = representation.config(), dict(manifest.representation)
    bars, longer = representation.bars, found.get("bars")
    is_multiple = isinstance(longer, int) and longer % bars == 0
    fits = is_multiple if may_be_longer else longer == bars
    if {**found, "bars": bars} != expected or not fits:
        raise DataError(
            f"a data set of {describe_config(found)}",
            expected=describe_config(expected)
            + (", or a multiple of its bars" if may_be_longer else ""),
            action="Prepare the data again with these settings, or choose another preset.",
            field="data",
        )


def check_counts(sets: Sequence[TrainingSet], batch_examples: int) -> None:
    """Makes sure that each set has enough examples: one batch, and one to validate.

    Raises:
        DataError: If there are too few.
    """
    for each in sets:
        check_count(cut(each.representation, each.examples.events), batch_examples, split="train")
        check_count(cut(each.representation, each.validation.events), 1, split="validation")


def check_count(events: Events, batch_examples: int, *, split: str) -> None:
    """Makes sure that a split has enough examples.

    Args:
        events: The examples of the split.
        batch_examples: Number of examples of one batch.
        split: The split's name, for the message.

    Raises:
        DataError: If there are too few.
    """
    if len(events) < batch_examples:
        raise DataError(
            f"{len(events)} examples in the split {split!r}",
            expected=f"at least {batch_examples}, one batch",
            action="Prepare more music, or give this split a larger share"
            + (", or lower `training.batch_size`." if batch_examples > 1 else "."),
            field="data",
        )


def check_learning(experiment: Experiment, batches: Batches, *, seed: int) -> None:
    """Makes sure that a new model begins to learn one batch by heart.

    Raises:
        TrainingError: If the loss is not a number, or hardly falls within a few steps.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_model(experiment)
    batch = batches.batch(0)
    assert isinstance(batch, Batch), "touch is not checked"
    batch = Batch(events=batch.events, conditions=batch.conditions)  # nothing reduced
    rate = max(experiment.training.learning_rate, LEAST_LEARNING_RATE)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    losses: list[float] = []
    for _ in range(MOST_OVERFIT_STEPS):
        posterior = model.encode(batch)
        decoded = model.decode(posterior.mean, batch.conditions)
        terms = elbo(posterior, decoded.log_prob(batch.events), beta=0.0)
        losses.append(terms.loss.item())
        if losses[-1] <= (1 - LEAST_FALL) * losses[0] or not math.isfinite(losses[-1]):
            break
        optimizer.zero_grad()
        terms.loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), experiment.training.gradient_norm)
        optimizer.step()
    if not losses[-1] <= (1 - LEAST_FALL) * losses[0]:
        raise TrainingError(
            f"a loss from {losses[0]:.1f} to {losses[-1]:.1f} nats over {len(losses)} steps on "
            "one batch",
            expected=f"a fall of at least {LEAST_FALL:.0%}",
            action=f"The model can't learn even one batch: lower "
            f"`training.learning_rate` of {rate:g}, or raise the model's widths.",
            field="training",
        )
