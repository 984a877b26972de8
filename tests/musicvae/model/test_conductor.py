import pytest
import torch

from musicvae.model.conductor import Conductor

SHARE = 5


@pytest.fixture
def make_shares(make_z):
    return lambda batch, bars: make_z(batch, size=bars * SHARE).unflatten(1, (bars, SHARE))


def make():
    torch.manual_seed(0)
    return Conductor(share_size=SHARE, hidden_size=8, layers=2, plan_size=4)


def changed(conductor, shares, bar):
    """How much every plan changes with the share of a bar."""
    other = shares.clone()
    other[:, bar] += 1
    return (conductor(other) - conductor(shares)).detach().abs().amax(-1)[0]


@pytest.mark.parametrize("bars", [1, 2, 16])
def test_there_is_one_plan_a_bar(make_shares, bars):
    assert make()(make_shares(3, bars)).shape == (3, bars, 4)


def test_plans_differ_by_bar_and_by_latent(make_shares):
    plans = make()(make_shares(3, 4))
    for bar in range(3):
        assert (plans[:, bar] - plans[:, bar + 1]).abs().amax() > 1e-3
    assert (plans[0] - plans[1]).abs().amax() > 1e-3


def test_the_latent_reaches_the_plans_by_the_first_state_and_by_the_shares(make_shares):
    shares = make_shares(3, 4)
    for name in ("initial", "share"):
        conductor = make()
        torch.nn.init.zeros_(getattr(conductor, name).weight)
        plans = conductor(shares)
        assert (plans[0] - plans[1]).abs().amax(-1).min() > 1e-4
    for part in (conductor.initial, conductor.share):
        torch.nn.init.zeros_(part.weight)
    plans = conductor(shares)
    assert torch.allclose(plans[0], plans[1])
    assert (plans[0, 0] - plans[0, 1]).abs().amax() > 1e-4  # the state changes all the same


def test_the_first_state_depends_on_the_share_of_every_bar(make_shares):
    conductor, shares = make(), make_shares(1, 4)
    torch.nn.init.zeros_(conductor.share.weight)
    for bar in range(4):
        assert changed(conductor, shares, bar).min() > 1e-4


def test_a_share_counts_from_its_bar_on(make_shares):
    conductor, shares = make(), make_shares(1, 4)
    torch.nn.init.zeros_(conductor.initial.weight)  # the first state depends on all shares
    plans = changed(conductor, shares, 2)
    assert plans[:2].max() == 0
    assert plans[2] > 0.5
    assert plans[3] > 1e-4


def test_equal_shares_give_equal_plans_in_any_bar(make_shares):
    conductor = make()
    torch.nn.init.zeros_(conductor.plan.weight)
    plans = conductor(make_shares(1, 1).repeat(1, 4, 1))
    assert torch.allclose(plans, plans[:, :1].expand_as(plans))
