"""Trains the touch of melodies."""

import torch
from jaxtyping import Float
from torch import Tensor

from musicvae.experiment.experiment import Experiment
from musicvae.model.touch import Lines, Touch
from musicvae.training.module import RunModule


class TouchModule(RunModule):
    """Trains touch by its likelihood.

    Args:
        experiment: The experiment; its `training` is that of the touch.
        seed: Of the first weights and of all noise in training.
    """

    model: Touch

    def __init__(self, experiment: Experiment, *, seed: int) -> None:
        super().__init__(experiment, lambda _: Touch(), seed=seed)

    def training_step(self, lines: Lines, _: int) -> Float[Tensor, ""]:
        """The loss of one step."""
        torch.manual_seed(self.step_seed(self.global_step))  # of the dropout
        loss = -self._nats(lines)
        self.log("train/loss", loss, prog_bar=True, batch_size=len(lines.counts))
        return loss

    def validation_step(self, sets: list[Lines], _: int) -> None:
        """Measures the likelihood of music that is not trained on: the mean of the sets."""
        nats = torch.stack([self._nats(lines) for lines in sets]).mean()
        name = "validation/log_likelihood_nats"
        count = sum(len(lines.counts) for lines in sets)
        self.log(name, nats, prog_bar=True, sync_dist=True, batch_size=count)

    def _nats(self, lines: Lines) -> Float[Tensor, ""]:
        # In single precision: the steps are short, and a packed sequence has no other.
        with torch.autocast(self.device.type, enabled=False):
            return self.model.log_prob(lines).sum() / lines.counts.sum()
