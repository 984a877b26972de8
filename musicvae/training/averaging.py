"""The average of the weights along a run: validated, saved and shipped in place of the weights."""

import lightning
import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor


class AveragedWeights(WeightAveraging):
    """Averages the weights over about the last `1 / (1 + power)` of the steps so far.

    The average does the work of a falling learning rate at every step of a run, without a last step
    that must be known before: a run can be made longer, and its average is good at any time.

    Args:
        power: Step t weighs as `t ** power`; 0 is the plain mean of all steps.

    Source: Shamir and Zhang 2013, Stochastic Gradient Descent for Non-smooth Optimization, section
    4 (polynomial-decay averaging); Karras et al. 2024, Analyzing and Improving the Training
    Dynamics of Diffusion Models, section 3.1, use the same profile.
    """

    def __init__(self, power: float) -> None:
        def average(averaged: list[Tensor], now: list[Tensor], steps: Tensor | int) -> None:
            torch._foreach_lerp_(averaged, now, (power + 1) / (int(steps) + power + 1))

        super().__init__(use_buffers=False, multi_avg_fn=average)

    def on_fit_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Moves the average to the device: Lightning copies the module before moving it."""
        assert self._average_model is not None
        self._average_model.to(pl_module.device)

    def on_train_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Keeps the module's own weights: the last checkpoint holds them and the average."""
