"""Batches of several sets of examples, such as a set for each grid: each step takes one set."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import count
from typing import Generic, Protocol, TypeVar, runtime_checkable

import lightning
import numpy as np
from jaxtyping import Int
from torch.utils.data import IterableDataset, get_worker_info

from musicvae.model.conditions import Batch
from musicvae.model.touch import Lines

Kept = TypeVar("Kept")

_BLOCK = 100
"""In each block of so many steps every set has its share of the steps."""


@runtime_checkable  # jaxtyping's checker tests for it
class Batches(Protocol):
    """The batches of one set of examples, by number; a `Batch`, or the `Lines` of touch."""

    def batch(self, number: int) -> Batch | Lines: ...


class MixedBatches(IterableDataset[Batch | Lines]):
    """An endless stream of batches from one step on; each depends on the seed and the step alone.

    A set's share of the steps is in proportion to the square root of its number of examples: so a
    small set is heard, and its examples are not repeated too often.

    A `DataLoader` with `batch_size=None` can read the stream: each of n workers makes every n-th
    batch, and the loader gives the batches in order. A small model, or a model on a CPU, needs no
    workers: making a batch is quicker than handing it over.

    Args:
        sets: The sets of examples.
        sizes: The number of examples of each set.
        seed: Decides the order of the sets.
        first_step: The optimiser step of the first batch.
    """

    def __init__(
        self, sets: Sequence[Batches], sizes: Sequence[int], *, seed: int, first_step: int = 0
    ) -> None:
        self._sets = sets
        self._quotas = tuple(share_steps(sizes).tolist())
        self._seed = seed
        self._first_step = first_step

    def __iter__(self) -> Iterator[Batch | Lines]:
        worker = get_worker_info()
        workers, first = (1, 0) if worker is None else (worker.num_workers, worker.id)
        return map(self.batch, count(self._first_step + first, workers))

    def batch(self, step: int) -> Batch | Lines:
        """The batch of one step."""
        block, place = divmod(step, _BLOCK)
        order: Int[np.ndarray, " step"] = _shuffle(self._quotas, self._seed, block)
        chosen = int(order[place])
        before = int(np.count_nonzero(order[:place] == chosen))
        return self._sets[chosen].batch(block * self._quotas[chosen] + before)


def share_steps(sizes: Sequence[int]) -> Int[np.ndarray, " _set"]:
    """Divides the steps of a block among sets, by the square roots of their sizes; at least one."""
    roots = np.sqrt(sizes)
    ends = np.rint(np.cumsum(roots) / roots.sum() * (_BLOCK - len(sizes))).astype(np.int64)
    quotas: Int[np.ndarray, " _set"] = np.diff(ends, prepend=0) + 1
    return quotas


@lru_cache(maxsize=2)
def _shuffle(quotas: tuple[int, ...], seed: int, block: int) -> Int[np.ndarray, " step"]:
    """The number of the set of each step of a block."""
    order = np.repeat(np.arange(len(quotas)), quotas)
    return np.random.default_rng([seed, 4, block]).permutation(order)


class OneBatch(Generic[Kept]):
    """A loader of a single batch; Lightning would take a list for several loaders."""

    def __init__(self, batch: Kept) -> None:
        self._batch = batch

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Kept]:
        yield self._batch


class RunData(lightning.LightningDataModule):
    """The batches of a run; Lightning asks for them once the step to resume from is known.

    Args:
        sets: Makes the batches of each set, for a rank among some ranks.
        sizes: The number of examples of each set.
        validation: The examples of each set that every validation takes.
        seed: The run's seed.
    """

    def __init__(
        self,
        sets: Callable[[int, int], Sequence[Batches]],
        sizes: Sequence[int],
        validation: Sequence[Batch | Lines],
        *,
        seed: int,
    ) -> None:
        super().__init__()
        self.sets = sets
        self.sizes, self._validation, self._seed = sizes, list(validation), seed

    def train_dataloader(self) -> MixedBatches:
        """The batches from the trainer's step on, this rank's part."""
        trainer = self.trainer
        assert trainer is not None
        return MixedBatches(
            self.sets(trainer.global_rank, trainer.world_size),
            self.sizes,
            seed=self._seed,
            first_step=trainer.global_step,
        )

    def val_dataloader(self) -> OneBatch[list[Batch | Lines]]:
        """The same examples at every validation, a batch for each set."""
        return OneBatch(self._validation)
