import numpy as np
import pytest
import torch

from musicvae.representation import Melody
from musicvae.representation.melody import FIRST_PITCH_EVENT
from musicvae.training.data import BatchStream, TrainingData


def make_stream(events, **settings):
    defaults = {"batch_size": 4, "seed": 0, "most_semitones": 0}
    return BatchStream(events, Melody(), **{**defaults, **settings})


@pytest.fixture
def numbered():
    """Examples that say which they are: their first event is their number."""
    events = np.zeros((30, 32, 1), np.int16)
    events[:, 0, 0] = np.arange(30) + FIRST_PITCH_EVENT
    return events


def numbers(batch):
    return (batch[:, 0, 0] - FIRST_PITCH_EVENT).tolist()


@pytest.mark.parametrize("most_semitones", [0, 5])
def test_a_batch_is_a_function_of_its_step(melodies, most_semitones):
    events = melodies(30, seed=1)
    stream = make_stream(events, most_semitones=most_semitones)
    first = [stream.batch(step) for step in range(20)]
    again = make_stream(events, most_semitones=most_semitones)
    for step in (17, 3, 19, 0):
        assert torch.equal(again.batch(step), first[step])
    assert not torch.equal(first[0], first[1])
    other = make_stream(events, most_semitones=most_semitones, seed=1)
    assert not torch.equal(other.batch(0), first[0])


def test_it_goes_on_from_any_step(numbered):
    stream = make_stream(numbered, first_step=11)
    for step, batch in zip(range(11, 15), stream, strict=False):
        assert torch.equal(batch, make_stream(numbered).batch(step))


@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("batch_size", [1, 5, 7])
def test_every_example_comes_exactly_once_an_epoch(numbered, ranks, batch_size):
    streams = [
        make_stream(numbered, batch_size=batch_size, rank=rank, ranks=ranks)
        for rank in range(ranks)
    ]
    epochs, order = 4, []
    for step in range(epochs * 30 // (batch_size * ranks) + 1):
        for stream in streams:
            order += numbers(stream.batch(step))
    seen = [order[epoch * 30 : epoch * 30 + 30] for epoch in range(epochs)]
    for epoch in seen:
        assert sorted(epoch) == list(range(30))
    assert seen[0] != seen[1]


def test_ranks_see_disjoint_parts_of_the_batch_of_one_larger_process(numbered):
    alone = make_stream(numbered, batch_size=8).batch(2)
    parts = [make_stream(numbered, batch_size=4, rank=rank, ranks=2).batch(2) for rank in (0, 1)]
    assert torch.equal(torch.cat(parts), alone)
    assert len(set(numbers(alone))) == 8


def test_an_epoch_shorter_than_a_batch_comes_more_than_once(numbered):
    batch = numbers(make_stream(numbered[:3], batch_size=9).batch(0))
    assert sorted(batch) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_a_transposed_example_is_legal_and_is_the_same_tune(melodies):
    events = melodies(20, seed=2)
    representation = Melody()
    by_rhythm = {}
    for row in events:
        by_rhythm.setdefault((np.minimum(row, 2)).tobytes(), []).append(row)
    moves = set()
    stream = make_stream(events, most_semitones=5)
    for step in range(25):
        for row in stream.batch(step).numpy().astype(np.int16):
            assert representation.check(representation.to_notes(row)) is None
            candidates = by_rhythm[np.minimum(row, 2).tobytes()]
            is_pitch = row >= FIRST_PITCH_EVENT
            moved = [set((row - each)[is_pitch].tolist()) for each in candidates]
            (move,) = next(each for each in moved if len(each) == 1)
            moves.add(move)
    assert moves == set(range(-5, 6))


def test_an_example_at_the_edge_of_the_range_stays():
    events = np.zeros((8, 32, 1), np.int16)
    events[:, 0, 0], events[:, 4, 0] = FIRST_PITCH_EVENT, 89  # the lowest and the highest pitch
    stream = make_stream(events, most_semitones=12)
    for step in range(10):
        assert torch.equal(stream.batch(step), torch.from_numpy(events[:4].astype(np.int64)))


def test_each_time_an_example_is_seen_it_is_transposed_anew(melodies):
    stream = make_stream(melodies(1, seed=3), batch_size=1, most_semitones=5)
    assert len({stream.batch(step).numpy().tobytes() for step in range(40)}) == 11


def test_the_same_examples_are_validated_every_time(make_experiment, melodies):
    experiment = make_experiment(validation_examples=6)
    train, validation = melodies(20, seed=0), melodies(15, seed=1)
    batches = [
        batch
        for _ in range(2)
        for batch in TrainingData(experiment, train, validation, seed=4).val_dataloader()
    ]
    assert len(batches) == 2
    assert torch.equal(batches[0], batches[1])
    rows = {row.numpy().astype(np.int16).tobytes() for row in batches[0]}
    assert len(rows) == 6
    assert rows <= {row.tobytes() for row in validation}


def test_a_small_split_is_validated_whole(make_experiment, melodies):
    data = TrainingData(make_experiment(), melodies(20, seed=0), melodies(5, seed=1), seed=0)
    (batch,) = data.val_dataloader()
    assert len(data.val_dataloader()) == 1
    assert len(batch) == 5
