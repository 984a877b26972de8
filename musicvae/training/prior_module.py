"""Trains the prior over events of an experiment."""

import torch
from jaxtyping import Float
from torch import Tensor

from musicvae.experiment.experiment import Experiment, build_prior
from musicvae.model import Batch, EventPrior
from musicvae.training.module import RunModule


class PriorModule(RunModule):
    """Trains the prior over events by its likelihood.

    Args:
        experiment: The experiment; its `training` is that of the prior.
        seed: Of the first weights and of all noise in training.
    """

    model: EventPrior

    def __init__(self, experiment: Experiment, *, seed: int) -> None:
        super().__init__(experiment, build_prior, seed=seed)

    def training_step(self, batch: Batch, _: int) -> Float[Tensor, ""]:
        """The loss of one step."""
        torch.manual_seed(self.step_seed(self.global_step))  # of the dropout
        loss = -self.model.log_prob(batch.events, batch.conditions).mean()
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch.events))
        return loss

    def validation_step(self, batch: Batch, _: int) -> None:
        """Measures the likelihood of music that is not trained on."""
        with torch.autocast(self.device.type, enabled=False):
            size = self.experiment.training.batch_size
            likelihood = torch.cat(
                [
                    self.model.log_prob(
                        batch.events[first : first + size],
                        batch.conditions[first : first + size],
                    )
                    for first in range(0, len(batch.events), size)
                ]
            )
        count = len(likelihood)
        name = "validation/log_likelihood_nats"
        self.log(name, likelihood.mean(), sync_dist=True, batch_size=count)
