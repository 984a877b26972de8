import math

import pytest

from musicvae.errors import SettingError
from musicvae.experiment.objective import Objective, beta_at, sampled_share_at


def test_beta_rises_from_zero_to_its_highest():
    objective = Objective(beta_max=0.2, beta_rate=0.999)
    assert beta_at(objective, 0) == 0
    assert beta_at(objective, 1) == pytest.approx(0.2 * 0.001)
    assert beta_at(objective, 693) == pytest.approx(0.1, rel=0.001)  # ln 2 of 1,000 steps
    assert beta_at(objective, 10**7) == pytest.approx(0.2)


def test_a_rate_of_zero_is_the_highest_from_the_start():
    assert beta_at(Objective(beta_max=0.2, beta_rate=0.0), 0) == 0.2


def test_the_share_of_own_samples_is_an_inverse_sigmoid():
    objective = Objective(teacher_decay=100.0)
    for step in (0, 50, 460, 1000):
        expected = 1 - 100 / (100 + math.exp(step / 100))
        assert sampled_share_at(objective, step) == pytest.approx(expected)
    # Half of the past is its own where exp(step / k) = k.
    assert sampled_share_at(objective, round(100 * math.log(100))) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("decay", [1.0, 2000.0, 1e6])
def test_the_share_of_own_samples_does_not_overflow(decay):
    shares = [sampled_share_at(Objective(teacher_decay=decay), step) for step in (0, 10**4, 10**7)]
    assert shares == sorted(shares)
    assert shares[-1] <= 1


def test_without_scheduled_sampling_the_share_is_zero():
    assert sampled_share_at(Objective(), 10**7) == 0


@pytest.mark.parametrize(
    "setting",
    [
        {"beta_max": -0.1},
        {"beta_max": math.nan},
        {"beta_max": math.inf},
        {"beta_rate": 1.0},
        {"beta_rate": -0.1},
        {"free_nats": -1.0},
        {"free_nats": math.inf},
        {"history_hidden": 1.5},
        {"teacher_decay": 0.0},
        {"teacher_decay": 0.5},
        {"teacher_decay": math.inf},
    ],
)
def test_a_setting_out_of_its_range_is_refused(setting):
    (name,) = setting
    with pytest.raises(SettingError, match=f"objective.{name}=") as refused:
        Objective(**setting)
    assert refused.value.field == f"objective.{name}"
