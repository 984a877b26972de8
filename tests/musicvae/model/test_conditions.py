import pytest
import torch

from musicvae.model.conditions import NO_CONDITIONS, join_streams, split_streams
from musicvae.representation.streams import Stream

MELODY = Stream(name="melody", size=5)
CHORD = Stream(name="chord", size=7, is_condition=True)


@pytest.fixture
def events(make_events):
    return make_events(4, 32, (5, 7))


def test_streams_that_are_split_can_be_joined_again(events):
    batch = split_streams(events, (MELODY, CHORD))
    assert torch.equal(batch.events, events[..., :1])
    assert torch.equal(batch.conditions.streams, events[..., 1:])
    assert torch.equal(join_streams(batch.events, batch.conditions), events)


def test_without_condition_streams_nothing_is_told(events):
    batch = split_streams(events[..., :1], (MELODY,))
    assert batch.conditions.streams is None
    assert torch.equal(join_streams(batch.events, NO_CONDITIONS), events[..., :1])


@pytest.mark.parametrize("rows", [[2, 0, 2], torch.tensor([2, 0, 2])])
def test_rows_of_conditions_are_chosen_by_their_numbers(events, rows):
    chosen = split_streams(events, (MELODY, CHORD)).conditions[rows]
    assert torch.equal(chosen.streams, events[[2, 0, 2], :, 1:])
    assert NO_CONDITIONS[rows].streams is None


def test_encoder_and_decoder_depend_on_the_conditions(make_model, events):
    model = make_model(streams=(MELODY, CHORD))
    batch = split_streams(events, (MELODY, CHORD))
    other = split_streams(events.roll(1, 0), (MELODY, CHORD)).conditions
    told, told_other = (
        model.decode(torch.zeros(4, model.latent_size), each).parameters(batch.events)
        for each in (batch.conditions, other)
    )
    assert not torch.allclose(told, told_other, atol=1e-3)
    changed = split_streams(torch.cat([batch.events, other.streams], dim=-1), (MELODY, CHORD))
    assert not torch.allclose(model.encode(batch).mean, model.encode(changed).mean, atol=1e-3)
