import pytest
import torch

from musicvae.model.event_embedding import EventEmbedding


@pytest.fixture
def embedding():
    torch.manual_seed(0)
    return EventEmbedding(
        vocabulary_sizes=(5, 4, 7), steps_per_bar=6, event_size=8, position_size=3
    )


def test_every_stream_has_one_event_more_that_means_unknown(embedding, make_events):
    assert embedding.unknown.tolist() == [5, 4, 7]
    unknown = embedding.unknown.expand(2, 6, -1)
    assert not torch.allclose(embedding(unknown), embedding(make_events(2, 6, (5, 4, 7))))


def test_the_vector_holds_the_events_of_all_streams_then_the_position(embedding, make_events):
    events = make_events(2, 12, (5, 4, 7))
    vectors = embedding(events)
    assert vectors.shape == (2, 12, embedding.size)
    expected = sum(table.weight[events[..., i]] for i, table in enumerate(embedding.events))
    assert torch.equal(vectors[..., :8], expected)


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
