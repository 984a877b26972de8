import pytest
import torch

from musicvae.model.conductor import Conductor


def make(bars):
    torch.manual_seed(0)
    return Conductor(latent_size=5, hidden_size=8, layers=2, plan_size=4, bars=bars)


@pytest.mark.parametrize("bars", [1, 2, 16])
def test_there_is_one_plan_a_bar(make_z, bars):
    assert make(bars)(make_z(3)).shape == (3, bars, 4)


def test_plans_differ_by_bar_and_by_latent(make_z):
    plans = make(4)(make_z(3))
    for bar in range(3):
        assert (plans[:, bar] - plans[:, bar + 1]).abs().amax() > 1e-3
    assert (plans[0] - plans[1]).abs().amax() > 1e-3


def test_the_latent_is_heard_through_the_first_state_and_through_the_shares(make_z):
    for name in ("initial", "shares"):
        conductor = make(4)
        torch.nn.init.zeros_(getattr(conductor, name).weight)
        plans = conductor(make_z(3))
        assert (plans[0] - plans[1]).abs().amax(-1).min() > 1e-4
    for part in (conductor.initial, conductor.shares):
        torch.nn.init.zeros_(part.weight)
    plans = conductor(make_z(3))
    assert torch.allclose(plans[0], plans[1])
    assert (plans[0, 0] - plans[0, 1]).abs().amax() > 1e-4  # the state goes on all the same


def test_a_share_is_heard_from_its_bar_on(make_z):
    conductor, z = make(4), make_z(1)
    before = conductor(z)
    with torch.no_grad():
        conductor.shares.bias[2 * 4 : 3 * 4] += 1
    changed = (conductor(z) - before).abs().amax(-1)[0]
    assert changed[:2].max() == 0
    assert changed[2] > 0.5
    assert changed[3] > 1e-4
