import pytest
import torch

from musicvae.model.event_embedding import EventEmbedding
from musicvae.music.notes import Meter, TimeGrid
from musicvae.representation.streams import Stream


@pytest.fixture
def embedding():
    torch.manual_seed(0)
    return EventEmbedding(
        streams=[Stream(name=str(size), size=size) for size in (5, 4, 7)],
        steps_per_bar={TimeGrid(Meter()): 6},
        event_size=8,
        position_size=3,
    )


def test_every_stream_has_one_event_more_that_means_unknown(embedding, make_events):
    assert embedding.unknown.tolist() == [5, 4, 7]
    unknown = embedding.unknown.expand(2, 6, -1)
    assert not torch.allclose(embedding(unknown), embedding(make_events(2, 6, (5, 4, 7))))


def test_the_vector_holds_the_events_of_all_streams_then_the_position(embedding, make_events):
    events = make_events(2, 12, (5, 4, 7))
    vectors = embedding(events)
    assert vectors.shape == (2, 12, embedding.size)
    tables = embedding.events.weight.split([6, 5, 8])
    expected = sum(table[events[..., i]] for i, table in enumerate(tables))
    assert torch.allclose(vectors[..., :8], expected)


def test_the_position_starts_anew_at_every_bar_line(embedding, make_events):
    vectors = embedding(make_events(1, 15, (5, 4, 7)))
    positions = vectors[0, :, 8:]
    assert torch.equal(positions[:6], embedding.positions.weight)
    assert torch.equal(positions[6:12], positions[:6])
    assert torch.equal(positions[12:], positions[:3])


@pytest.mark.parametrize("first_step", [1, 5, 7])
def test_a_part_embeds_as_it_does_within_the_whole(embedding, make_events, first_step):
    events = make_events(3, 12, (5, 4, 7))
    part = embedding(events[:, first_step:], first_step=first_step)
    assert torch.equal(part, embedding(events)[:, first_step:])


def test_streams_have_tables_of_their_own(embedding):
    a = torch.tensor([[[1, 2, 3]]])
    b = torch.tensor([[[2, 1, 3]]])
    assert not torch.allclose(embedding(a), embedding(b))


def test_a_number_lies_on_a_line_and_counts_only_behind_its_gate():
    torch.manual_seed(0)
    streams = [Stream(name="hit", size=2), Stream(name="loudness", size=5, is_number=True, gate=0)]
    embedding = EventEmbedding(
        streams=streams, steps_per_bar={TimeGrid(Meter()): 4}, event_size=8, position_size=3
    )

    def embed(*events):
        return embedding(torch.tensor([[events]]))[0, 0]

    assert torch.equal(embed(0, 1), embed(0, 4))
    step = embed(1, 1) - embed(1, 0)
    assert step.abs().max() > 1e-2
    assert torch.allclose(embed(1, 4) - embed(1, 2), 2 * step, atol=1e-6)
    # What is not known stands in the middle, and is told from the middle by its gate alone.
    assert torch.allclose(embed(1, 5), embed(1, 2))
    assert not torch.allclose(embed(2, 5), embed(1, 2), atol=1e-3)


def test_each_meter_has_positions_of_its_own(make_events):
    bars = {TimeGrid(Meter()): 6, TimeGrid(Meter(3, 4)): 4, TimeGrid(Meter(6, 8)): 4}
    streams = [Stream(name="line", size=5)]
    embedding = EventEmbedding(streams=streams, steps_per_bar=bars, event_size=8, position_size=3)
    events = make_events(1, 8, (5,))
    rows = embedding.positions.weight
    for meter, expected in {
        None: [*range(6), 0, 1],
        TimeGrid(Meter()): [*range(6), 0, 1],
        TimeGrid(Meter(3, 4)): [*range(6, 10)] * 2,
        TimeGrid(Meter(6, 8)): [*range(10, 14)] * 2,
    }.items():
        assert torch.equal(embedding(events, meter)[0, :, 8:], rows[expected])
        assert torch.equal(
            embedding(events[:, 3:], meter, first_step=3)[0, :, 8:], rows[expected[3:]]
        )
