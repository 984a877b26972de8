"""Trains the prior over events of an experiment."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from musicvae.experiment.build import build_prior
from musicvae.experiment.experiment import Experiment
from musicvae.model.conditions import Batch
from musicvae.model.event_prior import EventPrior
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

    def validation_step(self, sets: Sequence[Batch], _: int) -> None:
        """Measures the likelihood of music that is not trained on; the mean over the sets."""
        name = "log_likelihood_nats"
        measured = [self._measure(each) for each in sets]
        value = torch.stack(measured).mean()
        self.log(f"validation/{name}", value, sync_dist=True, batch_size=1)
        if len(sets) > 1:
            for batch, each in zip(sets, measured, strict=True):
                path = f"validation/{batch.conditions.grid}/{name}"
                self.log(path, each, sync_dist=True, batch_size=1)

    def _measure(self, batch: Batch) -> Float[Tensor, ""]:
        size = self.experiment.training.batch_size
        parts = [slice(first, first + size) for first in range(0, len(batch.events), size)]
        with torch.autocast(self.device.type, enabled=False):
            likelihoods = [
                self.model.log_prob(batch.events[part], batch.conditions[part]) for part in parts
            ]
            return torch.cat(likelihoods).mean()
