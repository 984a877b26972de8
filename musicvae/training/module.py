"""The thin layer for Lightning: joins model, objective, schedules and metrics."""

import math
from collections.abc import Callable, Sequence
from statistics import mean
from typing import Any

import lightning
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from musicvae.evaluation.reconstruction import Reconstruction, reconstruct
from musicvae.experiment.build import build_model
from musicvae.experiment.experiment import Experiment, TrainingConfig, to_dict
from musicvae.experiment.objective import beta_at, sampled_share_at
from musicvae.model.conditions import Batch, join_streams
from musicvae.model.event_distribution import Teacher
from musicvae.model.latent.latent import draw
from musicvae.model.vae import MusicVAE
from musicvae.representation import Representation
from musicvae.training.elbo import elbo
from musicvae.training.hit_weights import weigh_events


class RunModule(lightning.LightningModule):
    """The part of an experiment that a run trains.

    All noise of a step depends on the seed and the step's number alone, so that a resumed run takes
    exactly the steps that it would have taken.

    Args:
        experiment: The experiment.
        build: Builds the part, untrained.
        seed: Of the first weights and of all noise in training.
    """

    def __init__(
        self, experiment: Experiment, build: Callable[[Experiment], nn.Module], *, seed: int
    ) -> None:
        super().__init__()
        self.experiment = experiment
        self.seed = seed
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = build(experiment)

    def configure_optimizers(self) -> Any:
        """Adam, with the rate of `learning_rate_share`."""
        config = self.experiment.training
        optimizer = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: learning_rate_share(config, step)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds the experiment and the seed to the weights."""
        checkpoint["experiment"] = to_dict(self.experiment)
        checkpoint["seed"] = self.seed

    def step_seed(self, step: int) -> int:
        """The seed of this process's noise at a step."""
        state = np.random.SeedSequence([self.seed, 2, step, self.global_rank]).generate_state(2)
        return int(state[0]) << 32 | int(state[1])


class TrainingModule(RunModule):
    """Trains the model of an experiment.

    Args:
        experiment: The experiment.
        seed: Of the first weights and of all noise in training.
        hit_weights: The weight of a hit in each generated stream; see `hit_weights.weigh_hits`.
            None weighs all events alike.
    """

    model: MusicVAE
    hit_weights: Float[Tensor, " stream"] | None

    def __init__(
        self,
        experiment: Experiment,
        *,
        seed: int,
        hit_weights: Float[Tensor, " stream"] | None = None,
    ) -> None:
        super().__init__(experiment, build_model, seed=seed)
        self.register_buffer("hit_weights", hit_weights, persistent=False)
        self.last_reconstruction: Reconstruction | None = None
        self.validated: Batch | None = None

    def training_step(self, batch: Batch, _: int) -> Float[Tensor, ""]:
        """The loss of one step."""
        objective = self.experiment.objective
        step = self.global_step
        generator = torch.Generator(self.device).manual_seed(self.step_seed(step))
        teacher = Teacher(
            hidden=objective.history_hidden,
            sampled=sampled_share_at(objective, step),
            generator=generator,
        )
        beta = beta_at(objective, step)
        posterior = self.model.encode(batch)
        decoded = self.model.decode(draw(posterior, generator), batch.conditions)
        weights = None
        if self.hit_weights is not None:
            weights = weigh_events(batch.events, self.hit_weights)
        log_likelihood = decoded.log_prob(batch.events, teacher=teacher, weights=weights)
        terms = elbo(posterior, log_likelihood, beta=beta, free_nats=objective.free_nats)
        self.log("train/loss", terms.loss, prog_bar=True)
        self.log("train/reconstruction_nats", terms.log_likelihood.mean())
        self.log("train/divergence_nats", terms.divergence.mean(), prog_bar=True)
        self.log("train/beta", beta)
        return terms.loss

    def validation_step(self, sets: Sequence[Batch], _: int) -> None:
        """Measures each set; the mean over the sets decides which weights are the best."""
        measured = [self._measure(each) for each in sets]
        self.validated = sets[0]
        for name in measured[0]:
            value = mean(each[name] for each in measured)
            is_shown = name == "accuracy_sampled"
            self.log(f"validation/{name}", value, prog_bar=is_shown, sync_dist=True, batch_size=1)
        if len(sets) > 1:
            for batch, each in zip(sets, measured, strict=True):
                for name, value in each.items():
                    path = f"validation/{batch.conditions.grid}/{name}"
                    self.log(path, value, sync_dist=True, batch_size=1)

    def _measure(self, batch: Batch) -> dict[str, float]:
        representation: Representation = self.experiment.representation
        grid = batch.conditions.grid
        events = join_streams(batch.events, batch.conditions).cpu().numpy().astype(np.int16)
        # In single precision, as `evaluate` measures: else other weights would be the best.
        with torch.autocast(self.device.type, enabled=False):
            measured = reconstruct(
                self.model,
                representation if grid is None else representation.on_grid(grid),
                events,
                seed=self.seed,
            )
        if grid in (None, representation.grid):
            self.last_reconstruction = measured
        return {
            "accuracy_sampled": measured.sampled.all_steps,
            "accuracy_sampled_onsets": measured.sampled.onsets,
            "accuracy_sampled_from_draw": measured.sampled_from_draw.all_steps,
            "accuracy_teacher_forced": measured.teacher_forced.all_steps,
            "accuracy_shuffled": measured.shuffled.all_steps,
            "elbo_nats": measured.elbo_nats,
            "reconstruction_nats": measured.reconstruction_nats,
            "divergence_nats": measured.divergence_nats,
            "active_units": float(measured.active_units),
        }


def learning_rate_share(config: TrainingConfig, step: int) -> float:
    """The share of the highest learning rate at a step, 0 to 1.

    The share does not depend on the run's last step. Source: Zhai et al. 2022, Scaling Vision
    Transformers, section 3.5 (reciprocal square root).
    """
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    return math.sqrt(config.level_steps / max(step, config.level_steps))
