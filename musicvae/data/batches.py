"""Batches for training: each batch depends only on the seed and the step.

So an interrupted run goes on with exactly the batches of an uninterrupted run, and the ranks of a
distributed run, and the workers of a loader, see disjoint batches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Int, Int16, Int64
from torch import Tensor

from musicvae.data.mix import RunData
from musicvae.data.shards import Events, ExampleSet
from musicvae.experiment.experiment import Experiment
from musicvae.model.conditions import Batch, to_batch
from musicvae.representation import Representation

_BLOCK = 4096
"""The number of rows that are shuffled at once; shuffling for each small batch would take most of a
batch's time."""

_ROUNDS = 6  # four are enough for long halves; with a hundred examples the halves are short


def shuffle(
    places: Int64[np.ndarray, " batch"], count: int, *, seed: int, epoch: int
) -> Int64[np.ndarray, " batch"]:
    """The numbers at some places of a shuffled order of all numbers below `count`.

    The whole order is never in memory: memory and time depend on the number of places, not on
    `count`. Each epoch has another order.

    Source: Luby and Rackoff 1988, How to construct pseudorandom permutations from pseudorandom
    functions (a Feistel network); Black and Rogaway 2002, Ciphers with arbitrary
    finite domains, section 5 (walking the cycle until it is back below `count`).
    """
    bits = max(2, (count - 1).bit_length())
    low_bits = bits // 2
    keys = np.random.default_rng([seed, 0, epoch]).integers(0, 2**64, _ROUNDS, dtype=np.uint64)
    numbers = _permute(places.astype(np.uint64), bits, low_bits, keys)
    while len(outside := np.flatnonzero(numbers >= count)):
        numbers[outside] = _permute(numbers[outside], bits, low_bits, keys)
    return numbers.astype(np.int64)


def _permute(numbers: np.ndarray, bits: int, low_bits: int, keys: np.ndarray) -> np.ndarray:
    """Permutes numbers of `bits` bits; each round changes one half by the other half."""
    for key in keys:
        low, high = numbers & np.uint64((1 << low_bits) - 1), numbers >> np.uint64(low_bits)
        mixed = (low + key) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
        high_bits = bits - low_bits
        high ^= mixed >> np.uint64(64 - high_bits)
        # The halves swap, and their sizes with them.
        numbers = low << np.uint64(high_bits) | high
        low_bits = high_bits
    return numbers


def weigh(counts: Int[np.ndarray, " batch"]) -> Int64[np.ndarray, " batch"]:
    """How often an epoch shows each example: the root of its count, rounded.

    The count itself would give most of an epoch to a few patterns of drums; 1 would make the
    commonest pattern as rare as any other.
    """
    repeats: Int64[np.ndarray, " batch"] = np.rint(np.sqrt(counts)).astype(np.int64)
    return repeats


def weigh_examples(
    examples: ExampleSet, *, has_balanced_sources: bool
) -> Int64[np.ndarray, " batch"]:
    """How often an epoch shows each example: by its count, and by the size of its source.

    With balanced sources, the examples of a source are shown more often by the root of how many
    times smaller the source is than the largest: rare real music beside much synthetic music.
    """
    repeats = weigh(examples.counts)
    if has_balanced_sources:
        _, sources, sizes = np.unique(
            examples.sources.astype(str), return_inverse=True, return_counts=True
        )
        repeats = repeats * np.rint(np.sqrt(sizes.max() / sizes)).astype(np.int64)[sources]
    return repeats


class BatchStream:
    """Endless batches of one set, shuffled anew in every epoch; a batch depends on its number.

    Args:
        events: All examples.
        representation: The examples' representation, which transposes them.
        batch_size: Examples in a batch of one rank.
        seed: Decides the order and the transpositions.
        most_semitones: An example moves by up to this many semitones, up or down, anew in each
            epoch; 0 leaves it as it is.
        recombined_share: See `TrainingConfig`.
        reduced_share: See `TrainingConfig`.
        repeats: How often each example is in an epoch; by default once.
        rank: The number of this process among `ranks`.
        ranks: Number of processes that share each step.
    """

    def __init__(
        self,
        events: Events,
        representation: Representation,
        *,
        batch_size: int,
        seed: int,
        most_semitones: int,
        recombined_share: float = 0.0,
        reduced_share: float = 0.0,
        repeats: Int64[np.ndarray, " batch"] | None = None,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        self._events = events
        self._representation = representation
        self._batch_size = batch_size
        self._seed = seed
        self._most_semitones = most_semitones
        self._recombined_share = recombined_share
        self._reduced_share = reduced_share
        self._rank = rank
        self._ranks = ranks
        # The row at each place of an epoch; None where the two are equal.
        self._places: Int64[np.ndarray, " _"] | None = None
        if repeats is not None and (repeats != 1).any():
            self._places = np.arange(len(events)).repeat(repeats)
        self._blocks: dict[int, Int64[np.ndarray, " _"]] = {}

    def batch(self, step: int) -> Batch:
        """This rank's batch of one step."""
        events = self._events[self.rows(step)]
        random = np.random.default_rng([self._seed, 1, step, self._rank])
        if self._most_semitones:
            low, high = -self._most_semitones, self._most_semitones + 1
            semitones = random.integers(low, high, len(events))
            events = self._representation.transpose(events, semitones)
        if self._recombined_share:
            recombine = self._representation.kind.recombine
            assert recombine is not None
            is_new = random.random(len(events))[:, None, None] < self._recombined_share
            events = np.where(is_new, recombine(events, random), events)
        batch = to_batch(self._representation, events)
        if not self._reduced_share:
            return batch
        played = self._representation.kind.performance
        assert played is not None
        draws = random.random(len(events))[:, None, None] / self._reduced_share
        reductions = [played.hits_alone(events), played.taps(events)]
        reduced = np.select([draws < 0.5, draws < 1], reductions, events)
        return replace(batch, reduced=_to_tensor(reduced))

    def rows(self, step: int) -> Int64[np.ndarray, " batch"]:
        """The numbers of the examples of this rank's batch of one step."""
        # Counts the batch's first example over all epochs.
        first = (step * self._ranks + self._rank) * self._batch_size
        end = first + self._batch_size
        blocks = range(first // _BLOCK, (end - 1) // _BLOCK + 1)
        # A plain dict, no cache of functools: loaders pickle a stream for their workers.
        self._blocks = {
            number: self._blocks[number] if number in self._blocks else self._shuffle_block(number)
            for number in blocks
        }
        found = list(self._blocks.values())
        rows = found[0] if len(found) == 1 else np.concatenate(found)
        start = first - blocks[0] * _BLOCK
        return rows[start : start + self._batch_size]

    def _shuffle_block(self, number: int) -> Int64[np.ndarray, " _"]:
        """The rows of one block of `_BLOCK` examples; blocks count over all epochs."""
        count = len(self._events) if self._places is None else len(self._places)
        first = number * _BLOCK
        end = first + _BLOCK
        rows = []
        for epoch in range(first // count, (end - 1) // count + 1):
            start = epoch * count
            places = np.arange(max(first - start, 0), min(end - start, count))
            rows.append(shuffle(places, count, seed=self._seed, epoch=epoch))
        found = np.concatenate(rows)
        return found if self._places is None else self._places[found]


def _to_tensor(events: Int[np.ndarray, "batch step stream"]) -> Int[Tensor, "batch step stream"]:
    return torch.from_numpy(events.astype(np.int64))


class Slices:
    """The events of long excerpts, cut into shorter examples of whole bars.

    A model of long excerpts learns sooner if its first weights learnt short excerpts. Slices of the
    same excerpts keep the split: training never sees an excerpt that measures the longer model.
    """

    def __init__(self, events: Events, steps: int) -> None:
        self._events = events
        self._parts = events.shape[1] // steps
        self.shape = (len(events) * self._parts, steps, *events.shape[2:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(
        self, rows: slice | Int[np.ndarray, " batch"]
    ) -> Int16[np.ndarray, "batch step stream"]:
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)))
        excerpts, parts = np.divmod(rows, self._parts)
        whole = self._events[excerpts].reshape(len(rows), self._parts, *self.shape[1:])
        cut: Int16[np.ndarray, "batch step stream"] = whole[np.arange(len(rows)), parts]
        return cut


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingSet:
    """Describes a set of examples that a run learns from.

    Attributes:
        representation: The music that is learnt from the set; shorter than its excerpts where
            slices of them are learnt.
        examples: The training split.
        validation: The validation split; a fixed choice of its examples is used.
    """

    representation: Representation
    examples: ExampleSet
    validation: ExampleSet


def training_data(experiment: Experiment, sets: Sequence[TrainingSet], *, seed: int) -> RunData:
    """The batches of a model's run on some sets."""
    training = experiment.training
    examples = [cut(each.representation, each.examples.events) for each in sets]

    def open_sets(rank: int, ranks: int) -> list[BatchStream]:
        return [
            BatchStream(
                events,
                each.representation,
                batch_size=training.batch_size,
                seed=seed,
                most_semitones=training.most_semitones,
                recombined_share=training.recombined_share,
                reduced_share=training.reduced_share,
                # Slices of an excerpt have its count.
                repeats=weigh_examples(
                    each.examples, has_balanced_sources=training.has_balanced_sources
                ).repeat(len(events) // len(each.examples)),
                rank=rank,
                ranks=ranks,
            )
            for each, events in zip(sets, examples, strict=True)
        ]

    validation = []
    for each in sets:
        held_out = cut(each.representation, each.validation.events)
        rows = choose_some(len(held_out), training.validation_examples, seed)
        validation.append(to_batch(each.representation, held_out[rows]))
    return RunData(open_sets, list(map(len, examples)), validation, seed=seed)


def cut(representation: Representation, events: Events) -> Events:
    """Cuts excerpts that are longer than a representation's."""
    steps = representation.bars * representation.rows_per_bar
    return events if events.shape[1] == steps else Slices(events, steps)


def choose_some(count: int, most: int, seed: int) -> Int64[np.ndarray, " batch"]:
    """Chooses at most `most` numbers below `count`, in order."""
    return np.sort(np.random.default_rng(seed).permutation(count)[:most])
