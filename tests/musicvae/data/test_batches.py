from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musicvae.data.batches import (
    BatchStream,
    Slices,
    TrainingSet,
    shuffle,
    training_data,
    weigh,
    weigh_examples,
)
from musicvae.data.shards import ExampleSet, ShardedEvents
from musicvae.errors import SettingError
from musicvae.music.notes import Note, NoteSequence
from musicvae.representation import DrumHits, Drums, Groove, Melody, Trio
from musicvae.representation.groove import hits_alone, taps
from musicvae.representation.melody import FIRST_PITCH_EVENT


def make_stream(events, **settings):
    defaults = {"batch_size": 4, "seed": 0, "most_semitones": 0}
    return BatchStream(events, Melody(), **{**defaults, **settings})


def examples_of(events):
    return ExampleSet(events=events, table=pa.table({}))


@pytest.fixture
def numbered():
    """Examples that say which they are: their first event is their number."""
    events = np.zeros((30, 32, 1), np.int16)
    events[:, 0, 0] = np.arange(30) + FIRST_PITCH_EVENT
    return events


def grooves(count):
    """A bar each, with several drums of different loudness off their steps."""
    random = np.random.default_rng(0)
    for _ in range(count):
        notes = sorted(
            Note(
                start_step=int(step),
                pitch=pitch,
                end_step=int(step) + 1,
                velocity=int(random.integers(1, 128)),
                is_drum=True,
                offset=float(random.integers(-500, 500)) / 1024,
            )
            for pitch in (36, 38, 51)
            for step in random.choice(16, 5, replace=False)
        )
        yield NoteSequence(notes=tuple(notes), length_steps=16)


def numbers(batch):
    return (batch[:, 0, 0] - FIRST_PITCH_EVENT).tolist()


@pytest.mark.parametrize("most_semitones", [0, 5])
def test_a_batch_is_a_function_of_its_step(melodies, most_semitones):
    events = melodies(30, seed=1)
    stream = make_stream(events, most_semitones=most_semitones)
    first = [stream.batch(step).events for step in range(20)]
    again = make_stream(events, most_semitones=most_semitones)
    for step in (17, 3, 19, 0):
        assert torch.equal(again.batch(step).events, first[step])
    assert not torch.equal(first[0], first[1])
    other = make_stream(events, most_semitones=most_semitones, seed=1)
    assert not torch.equal(other.batch(0).events, first[0])


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
            order += numbers(stream.batch(step).events)
    seen = [order[epoch * 30 : epoch * 30 + 30] for epoch in range(epochs)]
    for epoch in seen:
        assert sorted(epoch) == list(range(30))
    assert seen[0] != seen[1]


def test_ranks_see_disjoint_parts_of_the_batch_of_one_larger_process(numbered):
    alone = make_stream(numbered, batch_size=8).batch(2).events
    parts = [
        make_stream(numbered, batch_size=4, rank=rank, ranks=2).batch(2).events for rank in (0, 1)
    ]
    assert torch.equal(torch.cat(parts), alone)
    assert len(set(numbers(alone))) == 8


@settings(max_examples=200)
@given(count=st.integers(1, 5000), seed=st.integers(0, 2**63 - 1), epoch=st.integers(0, 1000))
def test_an_epoch_is_a_permutation(count, seed, epoch):
    order = shuffle(np.arange(count), count, seed=seed, epoch=epoch)
    assert sorted(order.tolist()) == list(range(count))


@given(
    count=st.sampled_from([1, 2, 100, 2**31 - 1, 2**31, 10**12]),
    places=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=50),
)
def test_any_positions_of_any_order_can_be_read(count, places):
    chosen = np.unique([int(place * count) for place in places])
    rows = shuffle(chosen, count, seed=3, epoch=0)
    assert ((rows >= 0) & (rows < count)).all()
    assert len(np.unique(rows)) == len(chosen)
    one = [shuffle(chosen[at : at + 1], count, seed=3, epoch=0)[0] for at in range(len(chosen))]
    assert rows.tolist() == one


def test_an_order_looks_random():
    count = 20_000
    order = shuffle(np.arange(count), count, seed=0, epoch=0)
    other = shuffle(np.arange(count), count, seed=0, epoch=1)
    assert abs(np.corrcoef(order, np.arange(count))[0, 1]) < 0.02
    assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) < 0.02
    assert abs(np.corrcoef(order, other)[0, 1]) < 0.02
    # A tenth of the rows, in order: each tenth of the places holds its share of them.
    hits = np.flatnonzero(order < count // 10)
    shares = np.histogram(hits, 10, (0, count))[0]
    assert (abs(shares - 200) < 60).all()


def test_batches_of_several_shards_are_those_of_one_array(melodies):
    events = melodies(50, seed=4)
    sharded = make_stream(ShardedEvents(np.split(events, [7, 8, 40])), batch_size=16)
    whole = make_stream(events, batch_size=16)
    for step in range(10):
        assert torch.equal(sharded.batch(step).events, whole.batch(step).events)


def test_an_epoch_shorter_than_a_batch_comes_more_than_once(numbered):
    batch = numbers(make_stream(numbered[:3], batch_size=9).batch(0).events)
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
        for row in stream.batch(step).events.numpy().astype(np.int16):
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
        assert torch.equal(stream.batch(step).events, torch.from_numpy(events[:4].astype(np.int64)))


def test_each_time_an_example_is_seen_it_is_transposed_anew(melodies):
    stream = make_stream(melodies(1, seed=3), batch_size=1, most_semitones=5)
    assert len({stream.batch(step).events.numpy().tobytes() for step in range(40)}) == 11


def test_a_common_example_is_seen_by_the_root_of_its_count(numbered):
    counts = np.array([1, 2, 3, 4, 6, 7, 100] + 23 * [1])
    stream = make_stream(numbered, batch_size=44, repeats=weigh(counts))
    expected = Counter(range(30)) + Counter({2: 1, 3: 1, 4: 1, 5: 2, 6: 9})
    epochs = [numbers(stream.batch(step).events) for step in range(3)]
    assert [Counter(epoch) for epoch in epochs] == [expected] * 3
    assert epochs[0] != epochs[1]


def test_examples_of_small_sources_are_seen_more_often():
    sources = pa.array(["band"] * 2 + ["rule"] * 18 + ["game"] * 8).dictionary_encode()
    columns = {"count": np.array([4] + 27 * [1], np.int32), "source": pa.chunked_array([sources])}
    examples = ExampleSet(events=np.zeros((28, 32, 1), np.int16), table=pa.table(columns))
    plain = weigh_examples(examples, has_balanced_sources=False)
    assert plain.tolist() == [2] + 27 * [1]
    balanced = weigh_examples(examples, has_balanced_sources=True)
    assert balanced.tolist() == [6, 3] + 18 * [1] + 8 * [2]  # the root of 18 / 8 is 1.5


def test_examples_that_occur_once_are_seen_as_before(numbered):
    plain, counted = make_stream(numbered), make_stream(numbered, repeats=np.ones(30, np.int64))
    for step in range(20):
        assert torch.equal(plain.batch(step).events, counted.batch(step).events)


def test_slices_have_the_count_of_their_excerpt(make_experiment, numbered):
    counts = np.array([9] + 29 * [1])
    experiment = make_experiment(batch_size=64, most_semitones=0)
    one = TrainingSet(
        representation=Melody(bars=1),
        examples=ExampleSet(events=numbered, table=pa.table({"count": counts})),
        validation=examples_of(numbered),
    )
    (stream,) = training_data(experiment, [one], seed=0).sets(0, 1)
    assert Counter(numbers(stream.batch(0).events))[0] == 3


def test_the_same_examples_are_validated_every_time(make_experiment, melodies):
    experiment = make_experiment(validation_examples=6)
    train, validation = melodies(20, seed=0), melodies(15, seed=1)
    one = TrainingSet(
        representation=Melody(), examples=examples_of(train), validation=examples_of(validation)
    )
    first, again = (
        batch.events
        for _ in range(2)
        for (batch,) in training_data(experiment, [one], seed=4).val_dataloader()
    )
    assert torch.equal(first, again)
    rows = {row.numpy().astype(np.int16).tobytes() for row in first}
    assert len(rows) == 6
    assert rows <= {row.tobytes() for row in validation}


def test_a_small_split_is_validated_whole(make_experiment, melodies):
    one = TrainingSet(
        representation=Melody(),
        examples=examples_of(melodies(20, seed=0)),
        validation=examples_of(melodies(5, seed=1)),
    )
    loader = training_data(make_experiment(), [one], seed=0).val_dataloader()
    ((batch,),) = loader
    assert len(loader) == 1
    assert len(batch.events) == 5


def test_the_encoder_of_grooves_hears_some_of_them_reduced():
    events = np.stack([Groove(bars=1).to_tensor(each) for each in grooves(20)])
    settings = {"batch_size": 20, "seed": 0, "most_semitones": 0}
    stream = BatchStream(events, Groove(bars=1), **settings, reduced_share=0.6)
    counts = Counter()
    for step in range(50):
        batch = stream.batch(step)
        assert torch.equal(batch.events, stream.batch(step).events)
        whole = batch.events.numpy().astype(np.int16)
        for heard, event in zip(batch.reduced.numpy().astype(np.int16), whole, strict=True):
            for name, reduced in {
                "whole": event,
                "hits": hits_alone(event[None])[0],
                "taps": taps(event[None])[0],
            }.items():
                counts[name] += np.array_equal(heard, reduced)
    assert sum(counts.values()) == 1000
    assert counts["whole"] == pytest.approx(400, abs=50)
    assert counts["hits"] == pytest.approx(300, abs=50)
    plain = BatchStream(events, Groove(bars=1), **settings).batch(0)
    assert plain.reduced is None


def test_slices_are_the_parts_of_longer_examples(melodies):
    events = melodies(6, seed=0, length_steps=64)
    slices = Slices(events, 16)
    assert len(slices) == 24 and slices.shape == (24, 16, 1)
    expected = np.concatenate([part for each in events for part in np.split(each[None], 4, axis=1)])
    assert np.array_equal(slices[0:24], expected)
    rows = np.array([23, 0, 5, 5])
    assert np.array_equal(slices[rows], expected[rows])


@pytest.mark.parametrize("representation", [Drums(bars=1), DrumHits(bars=1), Groove(bars=1)])
def test_some_beats_have_the_cymbals_of_others(representation):
    played = [
        replace(each, notes=tuple(replace(n, offset=0.0) for n in each.notes))
        for each in grooves(20)
    ]
    events = np.stack([representation.to_tensor(each) for each in played])
    settings = {"batch_size": 20, "seed": 0, "most_semitones": 0}
    batch = BatchStream(events, representation, **settings, recombined_share=0.5).batch(0)
    plain = BatchStream(events, representation, **settings).batch(0).events.numpy().astype(np.int16)
    mixed = batch.events.numpy().astype(np.int16)
    assert batch.reduced is None

    def hits(tensor, pitches):
        notes = representation.to_notes(tensor).notes
        return {(n.start_step, n.pitch, n.velocity) for n in notes if n.pitch in pitches}

    is_new = [not np.array_equal(a, b) for a, b in zip(mixed, plain, strict=True)]
    assert 4 <= sum(is_new) <= 16
    for row in range(20):
        assert hits(mixed[row], {36, 38}) == hits(plain[row], {36, 38})
        assert hits(mixed[row], {51}) == hits(plain[row - is_new[row]], {51})


def test_some_trios_are_of_parts_of_others():
    # The lines say at all of their steps which example they are of, the kick whether it is of an
    # odd one.
    numbers = np.arange(32, dtype=np.int16)
    rows = np.stack([numbers, numbers, numbers % 2], axis=1)
    events = np.repeat(rows[:, None], 32, axis=1)
    settings = {"batch_size": 32, "seed": 0, "most_semitones": 0, "recombined_share": 0.5}
    batch = BatchStream(events, Trio(bars=2), **settings).batch(0)
    assert batch.reduced is None

    halves = batch.events.numpy().reshape(32, 2, 16, 3)
    assert (halves == halves[:, :, :1]).all()
    melody, bass, drums = np.moveaxis(halves[:, :, 0], -1, 0)
    is_new = ((melody != melody[:, :1]) | (bass != melody[:, :1])).any(1)
    assert 8 <= is_new.sum() <= 24
    assert (drums[~is_new] == melody[~is_new] % 2).all()
    assert (melody[is_new] != bass[is_new]).mean() > 0.8
    assert (melody[is_new, 1:] != melody[is_new, :-1]).mean() > 0.8
    # Drums come from odd examples alone, which play; most play the kick's hits on another drum.
    hit = (drums[is_new][..., None] & (1 << np.arange(9))) > 0
    assert (hit.any(1).sum(-1) <= 1).all()
    assert hit.any(-1).all()
    assert np.count_nonzero(hit.any((0, 1))) > 4


def test_a_trio_of_parts_of_others_has_no_silent_line_where_any_example_plays_it():
    events = np.zeros((32, 32, 3), np.int16)
    for line, rows in enumerate([range(30), range(3), range(30, 32)]):
        events[list(rows), ::4, line] = 60 if line < 2 else 1
    settings = {"batch_size": 32, "seed": 0, "most_semitones": 0, "recombined_share": 1.0}
    batch = BatchStream(events, Trio(bars=2), **settings).batch(0)
    halves = batch.events.numpy().reshape(32, 2, 16, 3)
    assert (halves[..., :2] > 0).any(axis=2).all()
    assert (halves[..., 2] > 0).any()


@pytest.mark.parametrize(("name", "kind"), [("reduced_share", Drums), ("recombined_share", Melody)])
def test_what_is_not_for_a_representation_is_refused(make_experiment, name, kind):
    experiment = make_experiment()
    training = replace(experiment.training, **{name: 0.5})
    with pytest.raises(SettingError, match=rf"training.{name}=0.5 for .*expected 0"):
        replace(experiment, representation=kind(), training=training)
    with pytest.raises(SettingError, match="expected 0 to 1"):
        replace(experiment.training, **{name: 1.5})
