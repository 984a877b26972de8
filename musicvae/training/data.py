"""Batches for training: every one is a function of the seed and the step, and of nothing else.

So a run that was interrupted goes on with exactly the batches it would have seen, and the ranks
of a distributed run see disjoint parts of the same batch.
"""

from collections.abc import Iterator
from functools import lru_cache

import lightning
import numpy as np
import torch
from jaxtyping import Int, Int16
from torch import Tensor

from musicvae.experiment import Experiment
from musicvae.representation import Representation


class BatchStream:
    """An endless stream of batches from one step on, shuffled anew in every epoch.

    Args:
        events: All examples.
        representation: Of the examples; it knows how to transpose them.
        batch_size: Examples in a batch of one rank.
        seed: Of the order and of the transpositions.
        most_semitones: An example moves by up to this many semitones, up or down, anew each time
            it is seen; 0 leaves it as it is.
        first_step: The optimiser step whose batch comes first.
        rank: This process among `ranks`.
        ranks: Number of processes that share each step.
    """

    def __init__(
        self,
        events: Int16[np.ndarray, "batch step stream"],
        representation: Representation,
        *,
        batch_size: int,
        seed: int,
        most_semitones: int,
        first_step: int = 0,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        self._events = events
        self._representation = representation
        self._batch_size = batch_size
        self._seed = seed
        self._most_semitones = most_semitones
        self._first_step = first_step
        self._rank = rank
        self._ranks = ranks
        self._order = lru_cache(maxsize=2)(self._order_of_epoch)

    def __iter__(self) -> Iterator[Int[Tensor, "batch step stream"]]:
        step = self._first_step
        while True:
            yield self.batch(step)
            step += 1

    def batch(self, step: int) -> Int[Tensor, "batch step stream"]:
        """This rank's batch of one step."""
        count = len(self._events)
        first = (step * self._ranks + self._rank) * self._batch_size
        positions = range(first, first + self._batch_size)
        rows = [self._order(place // count)[place % count] for place in positions]
        events = self._events[rows]
        if self._most_semitones:
            random = np.random.default_rng([self._seed, 1, step, self._rank])
            low, high = -self._most_semitones, self._most_semitones + 1
            semitones = random.integers(low, high, len(rows))
            events = self._representation.transpose(events, semitones)
        return torch.from_numpy(events.astype(np.int64))

    def _order_of_epoch(self, epoch: int) -> np.ndarray:
        return np.random.default_rng([self._seed, 0, epoch]).permutation(len(self._events))


class OneBatch:
    """A loader of a single batch; Lightning would take a list for several loaders."""

    def __init__(self, batch: Int[Tensor, "batch step stream"]) -> None:
        self._batch = batch

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Int[Tensor, "batch step stream"]]:
        yield self._batch


class TrainingData(lightning.LightningDataModule):
    """The streams of a run, made where Lightning wants them: after a resumed step is known.

    Args:
        experiment: What is trained.
        examples: Of the split to train on.
        validation: Of the split to validate on; a fixed choice of them is used.
        seed: The run's.
    """

    def __init__(
        self,
        experiment: Experiment,
        examples: Int16[np.ndarray, "batch step stream"],
        validation: Int16[np.ndarray, "_ step stream"],
        *,
        seed: int,
    ) -> None:
        super().__init__()
        self._experiment = experiment
        self._examples = examples
        self._seed = seed
        count = min(len(validation), experiment.training.validation_examples)
        choice = np.random.default_rng(seed).permutation(len(validation))[:count]
        self._validation = torch.from_numpy(validation[np.sort(choice)].astype(np.int64))

    def stream(self, *, first_step: int = 0, rank: int = 0, ranks: int = 1) -> BatchStream:
        """The batches from a step on, one rank's part."""
        representation: Representation = self._experiment.representation
        return BatchStream(
            self._examples,
            representation,
            batch_size=self._experiment.training.batch_size,
            seed=self._seed,
            most_semitones=self._experiment.training.most_semitones,
            first_step=first_step,
            rank=rank,
            ranks=ranks,
        )

    def train_dataloader(self) -> BatchStream:
        """The batches from the trainer's step on, this rank's part."""
        trainer = self.trainer
        assert trainer is not None
        return self.stream(
            first_step=trainer.global_step, rank=trainer.global_rank, ranks=trainer.world_size
        )

    def val_dataloader(self) -> OneBatch:
        """The same examples at every validation."""
        return OneBatch(self._validation)
