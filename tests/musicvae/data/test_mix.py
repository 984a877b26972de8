import warnings
from collections import Counter
from itertools import islice

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from musicvae.data.batches import BatchStream
from musicvae.data.mix import MixedBatches, share_steps
from musicvae.model.conditions import Batch
from musicvae.representation import Melody

SIZES = (900, 400, 1)


class Numbered:
    """Batches that say of which set they are, and their number."""

    def __init__(self, name):
        self._name = name

    def batch(self, number):
        return Batch(events=torch.tensor([[[self._name, number]]]))


def mixed(seed=0, first_step=0):
    """The set and the number of each batch from a step on."""
    sets = [Numbered(size) for size in SIZES]
    for batch in MixedBatches(sets, SIZES, seed=seed, first_step=first_step):
        yield tuple(batch.events.flatten().tolist())


def test_a_step_takes_the_next_batch_of_a_set_chosen_by_seed_and_step():
    steps = list(islice(mixed(), 300))
    for size in SIZES:
        numbers = [number for name, number in steps if name == size]
        assert numbers == list(range(len(numbers)))
    assert list(islice(mixed(seed=1), 300)) != steps
    assert list(islice(mixed(first_step=120), 99)) == steps[120:219]


def test_the_shares_of_the_steps_are_those_of_the_roots_of_the_sizes():
    assert share_steps(SIZES).tolist() == [58, 39, 3]
    assert share_steps([52_938]).tolist() == [100]
    counts = Counter(name for name, _ in islice(mixed(), 200))
    assert counts == {900: 116, 400: 78, 1: 6}


@pytest.mark.parametrize("workers", [1, 3])
def test_a_loader_with_workers_gives_the_batches_of_one_without(melodies, workers):
    sets = [
        BatchStream(melodies(30, seed=seed), Melody(), batch_size=4, seed=0, most_semitones=3)
        for seed in (0, 1)
    ]
    stream = MixedBatches(sets, [30, 30], seed=0, first_step=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # forking a process with threads
        loader = DataLoader(stream, batch_size=None, num_workers=workers)
        for step, batch in zip(range(5, 16), loader, strict=False):
            assert torch.equal(batch.events, stream.batch(step).events)


def test_one_set_gives_its_batches_in_order(melodies):
    stream = BatchStream(melodies(30, seed=0), Melody(), batch_size=4, seed=0, most_semitones=0)
    for step in np.random.default_rng(0).integers(0, 1000, 20).tolist():
        alone = MixedBatches([stream], [30], seed=7).batch(step)
        assert torch.equal(alone.events, stream.batch(step).events)
