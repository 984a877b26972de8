import itertools

import pytest
import torch

from musicvae.model.event_heads import EventHeads
from musicvae.representation.streams import Stream

HIT = Stream(name="hit", size=2)
LOUDNESS = Stream(name="loudness", size=5, is_number=True, gate=0)
PARAMETERS = [
    [-0.3, 0.4, 0.2, -0.5],  # in the middle of the scale
    [1.0, -1.0, -3.0, 0.5],  # beyond its low end
    [0.0, 0.0, 0.9, -9.0],  # sharper than the least scale
    [0.0, 3.0, 0.1, 2.0],  # nearly flat
]


@pytest.fixture
def heads():
    return EventHeads([HIT, LOUDNESS])


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_the_probabilities_of_a_number_sum_to_one(heads, parameters):
    events = torch.tensor([[[1, number] for number in range(5)]])
    log_prob = heads.log_prob(torch.tensor([[parameters]]).expand(1, 5, 4), events)
    assert log_prob[..., 1].exp().sum().item() == pytest.approx(1, abs=1e-3)


def test_what_is_behind_a_shut_gate_costs_nothing(heads):
    events = torch.tensor([[[0, number] for number in range(5)]])
    log_prob = heads.log_prob(torch.tensor([[PARAMETERS[0]]]).expand(1, 5, 4), events)
    assert (log_prob[..., 1] == 0).all()
    assert torch.allclose(log_prob[..., 0], log_prob[0, 0, 0])


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_numbers_are_drawn_as_often_as_they_are_likely(heads, parameters):
    rows = 20_000
    every = torch.tensor(parameters).expand(rows, 4)
    uniform = torch.rand(rows, 3, generator=torch.Generator().manual_seed(0))
    drawn = heads.draw(every, uniform)[:, 1]
    events = torch.tensor([[[1, number] for number in range(5)]])
    likely = heads.log_prob(every[:5][None], events)[0, :, 1].exp()
    assert torch.allclose(drawn.bincount(minlength=5) / rows, likely, atol=0.012)


def test_the_likeliest_number_is_the_nearest_to_the_mean(heads):
    means = torch.linspace(-1.4, 1.4, 15)
    parameters = torch.stack([torch.tensor([0.0, 1.0, mean, -2.0]) for mean in means.tolist()])
    likeliest = heads.likeliest(parameters)
    assert likeliest[:, 0].tolist() == [1] * 15
    events = torch.tensor([[[1, number] for number in range(5)]]).expand(15, -1, -1)
    log_prob = heads.log_prob(parameters[:, None].expand(-1, 5, -1), events)[..., 1]
    assert torch.equal(log_prob.argmax(1), likeliest[:, 1])


def test_a_sure_number_far_off_still_has_a_gradient(heads):
    parameters = torch.tensor([[[0.0, 0.0, -0.9, -6.0]]], requires_grad=True)
    log_prob = heads.log_prob(parameters, torch.tensor([[[1, 3]]]))[..., 1]
    assert torch.isfinite(log_prob).all()
    log_prob.sum().backward()
    assert parameters.grad[0, 0, 2] > 1  # towards the number


def test_streams_stand_in_order():
    heads = EventHeads([LOUDNESS, HIT, Stream(name="kind", size=3)])
    assert heads.parameter_sizes == (2, 2, 3)
    assert heads.noise_sizes == (1, 2, 3)
    for loudness, hit, kind in itertools.product(range(5), range(2), range(3)):
        parameters = torch.tensor([loudness / 2 - 1, -3.0, *torch.eye(2)[hit], *torch.eye(3)[kind]])
        assert heads.likeliest(parameters).tolist() == [loudness, hit, kind]
