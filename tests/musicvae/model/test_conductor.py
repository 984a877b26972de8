import pytest
import torch

from musicvae.model.conductor import Conductor

SHARE = 5


def make(bars):
    torch.manual_seed(0)
    return Conductor(share_size=SHARE, hidden_size=8, layers=2, plan_size=4, bars=bars)


def changed(conductor, z, bar):
    """How much every plan changes with that bar's part of the latent."""
    other = z.clone()
    other[:, bar * SHARE : (bar + 1) * SHARE] += 1
    return (conductor(other) - conductor(z)).detach().abs().amax(-1)[0]


@pytest.mark.parametrize("bars", [1, 2, 16])
def test_there_is_one_plan_a_bar(make_z, bars):
    assert make(bars)(make_z(3, size=bars * SHARE)).shape == (3, bars, 4)


def test_plans_differ_by_bar_and_by_latent(make_z):
    plans = make(4)(make_z(3, size=4 * SHARE))
    for bar in range(3):
        assert (plans[:, bar] - plans[:, bar + 1]).abs().amax() > 1e-3
    assert (plans[0] - plans[1]).abs().amax() > 1e-3


def test_the_latent_is_heard_through_the_first_state_and_through_the_shares(make_z):
    z = make_z(3, size=4 * SHARE)
    for name in ("initial", "share"):
        conductor = make(4)
        torch.nn.init.zeros_(getattr(conductor, name).weight)
        plans = conductor(z)
        assert (plans[0] - plans[1]).abs().amax(-1).min() > 1e-4
    for part in (conductor.initial, conductor.share):
        torch.nn.init.zeros_(part.weight)
    plans = conductor(z)
    assert torch.allclose(plans[0], plans[1])
    assert (plans[0, 0] - plans[0, 1]).abs().amax() > 1e-4  # the state goes on all the same


def test_the_first_state_hears_the_part_of_every_bar(make_z):
    conductor, z = make(4), make_z(1, size=4 * SHARE)
    torch.nn.init.zeros_(conductor.share.weight)
    for bar in range(4):
        assert changed(conductor, z, bar).min() > 1e-4


def test_a_share_is_heard_from_its_bar_on(make_z):
    conductor, z = make(4), make_z(1, size=4 * SHARE)
    torch.nn.init.zeros_(conductor.initial.weight)  # the first state hears the parts of all bars
    plans = changed(conductor, z, 2)
    assert plans[:2].max() == 0
    assert plans[2] > 0.5
    assert plans[3] > 1e-4


def test_a_part_is_the_same_share_of_any_bar(make_z):
    conductor = make(4)
    torch.nn.init.zeros_(conductor.plan.weight)
    plans = conductor(make_z(1, size=SHARE).repeat(1, 4))
    assert torch.allclose(plans, plans[:, :1].expand_as(plans))
