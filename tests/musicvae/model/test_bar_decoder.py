import pytest
import torch


@pytest.fixture
def decoder(make_model):
    return make_model(vocabulary_sizes=(5, 4, 7)).decoder.bar_decoders[0]


def shifted(decoder, events):
    unknown = decoder.embedding.unknown.expand_as(events[:, :1])
    return torch.cat([unknown, events[:, :-1]], dim=1)


def test_step_by_step_gives_the_parameters_of_all_steps_at_once(decoder, make_events, make_z):
    plan, inputs = make_z(3), shifted(decoder, make_events(3, 16, (5, 4, 7)))
    at_once = decoder(plan, inputs)
    state, stepwise = decoder.start(plan), []
    for step in range(16):
        stepped = decoder.step(state, plan, inputs[:, step], step)
        state = stepped.state
        stepwise.append(stepped.parameters)
    assert at_once.shape == (3, 16, 5 + 4 + 7)
    assert torch.allclose(torch.stack(stepwise, dim=1), at_once, atol=1e-5)


def test_the_plan_counts_at_every_step_and_in_the_first_state(decoder, make_events, make_z):
    events = shifted(decoder, make_events(1, 16, (5, 4, 7))).expand(2, -1, -1)
    plan = make_z(2)
    with torch.no_grad():
        weight = decoder.initial.weight.clone()
        decoder.initial.weight.zero_()
        by_steps = decoder(plan, events)
        decoder.initial.weight.copy_(weight)
        decoder.lstm.weight_ih_l0[:, decoder.embedding.size :] = 0
        by_state = decoder(plan, events)
    for logits in (by_steps, by_state):
        assert (logits[0, 0] - logits[1, 0]).abs().amax() > 1e-3
    # What only the first state tells fades; what every step tells does not.
    assert (by_steps[0, -1] - by_steps[1, -1]).abs().amax() > 1e-2


def test_the_position_counts(decoder, make_z):
    unknown = decoder.embedding.unknown.expand(1, 16, -1)
    before = decoder(make_z(1), unknown)
    torch.nn.init.zeros_(decoder.embedding.positions.weight)
    assert not torch.allclose(decoder(make_z(1), unknown), before, atol=1e-3)
