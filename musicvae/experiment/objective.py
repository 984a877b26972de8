"""The settings of the objective, and how they change along a run.

Source: Roberts et al. 2018, sections 2.1 and 5.1.
"""

import math
from dataclasses import dataclass

from musicvae.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class Objective:
    """The settings of the objective and of how the decoder is taught.

    Attributes:
        beta_max: The weight of the divergence at the end of the annealing, 0 or more. More gives
            better draws from the prior, less gives better reconstruction.
        beta_rate: beta is `beta_max * (1 - beta_rate ** step)`; 0 is `beta_max` from the start,
            1 would be no divergence for ever.
        free_nats: Divergence of an excerpt that costs nothing, in nats.
        history_hidden: Share of past events hidden from the decoder, 0 to 1.
        teacher_decay: k of the inverse sigmoid `k / (k + exp(step / k))`, the share of true events
            in the past that the decoder reads; the rest are its own samples. None is no scheduled
            sampling. Scheduled sampling doubles the time of a step, roughly.
        rare_hit_power: How much more the hits of a rare drum weigh in the likelihood: a hit of a
            drum that is r times rarer than the commonest drum weighs as r to this power, at most
            12; 0 to 1, only for grooves. Without it a model leaves rare drums out.

    Raises:
        SettingError: If a value is out of its range.
    """

    beta_max: float = 0.15
    beta_rate: float = 0.9995
    free_nats: float = 36.0
    history_hidden: float = 0.5
    teacher_decay: float | None = None
    rare_hit_power: float = 0.0

    def __post_init__(self) -> None:
        k = self.teacher_decay
        ranges = {
            "beta_max": (0 <= self.beta_max < math.inf, "0 or more, and finite"),
            "beta_rate": (0 <= self.beta_rate < 1, "0 or more, and below 1"),
            "free_nats": (0 <= self.free_nats < math.inf, "0 or more, and finite"),
            "history_hidden": (0 <= self.history_hidden <= 1, "0 to 1"),
            "teacher_decay": (k is None or 1 <= k < math.inf, "1 or more, and finite"),
            "rare_hit_power": (0 <= self.rare_hit_power <= 1, "0 to 1"),
        }
        for name, (is_within, expected) in ranges.items():
            if not is_within:
                raise SettingError(
                    f"objective.{name}={getattr(self, name)}",
                    expected=expected,
                    action="Give a value in that range.",
                    field=f"objective.{name}",
                )


def beta_at(objective: Objective, step: int) -> float:
    """The weight of the divergence at an optimiser step."""
    if objective.beta_rate == 0:
        return objective.beta_max
    return objective.beta_max * (1 - objective.beta_rate**step)


def sampled_share_at(objective: Objective, step: int) -> float:
    """The share of past events that are the decoder's own at an optimiser step.

    >>> sampled_share_at(Objective(teacher_decay=1000.0), 0) < 0.001
    True
    """
    k = objective.teacher_decay
    if k is None:
        return 0.0
    # The sigmoid form of 1 - k / (k + exp(step / k)): exp alone overflows late in training.
    return 1 / (1 + math.exp(-step / k + math.log(k)))
