"""Callbacks of a run: pictures, alarms, and a clean stop."""

import math
import signal
from types import FrameType
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from rich.console import Console

from musicvae.errors import TrainingError
from musicvae.model.conditions import join_streams
from musicvae.report.plots import piano_roll_image
from musicvae.runtime.moves import path
from musicvae.runtime.noise import latent_noise, row_seed
from musicvae.training.module import TrainingModule

LEAST_DIVERGENCE_NATS = 1.0
LEAST_ACTIVE_SHARE = 0.05
COLLAPSED_VALIDATIONS = 2
PICTURES = 4
LOOK_EVERY_STEPS = 50


class Pictures(lightning.Callback):
    """Shows draws of the latent, a path between two draws, and the divergence by dimension."""

    def on_validation_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Writes the pictures for TensorBoard."""
        logger = trainer.logger
        if not isinstance(logger, TensorBoardLogger) or not trainer.is_global_zero:
            return
        assert isinstance(pl_module, TrainingModule)
        model, representation = pl_module.model, pl_module.experiment.representation
        rows = range(PICTURES)
        noise = latent_noise(pl_module.seed, rows, model.latent_size)
        draws, between = (
            torch.from_numpy(each).to(pl_module.device)
            for each in (noise, path(noise[:2], PICTURES))
        )
        seeds = [row_seed(pl_module.seed, row, "events") for row in rows]
        assert pl_module.validated is not None
        # All pictures have the conditions of the first excerpt.
        conditions = pl_module.validated.conditions[[0] * PICTURES]
        for name, events in {
            "samples": model.decode(draws, conditions).sample(randomness=seeds),
            "interpolation": model.decode(between, conditions).mode(),
        }.items():
            whole = join_streams(events, conditions).cpu().numpy()
            music = [representation.to_notes(each) for each in whole]
            image = piano_roll_image(music)
            logger.experiment.add_image(name, image, trainer.global_step)
        measured = pl_module.last_reconstruction
        if measured is not None:
            by_dimension = np.asarray(measured.divergence_by_dimension)
            logger.experiment.add_histogram(
                "divergence_nats_by_dimension", by_dimension, trainer.global_step
            )


class CollapseAlarm(lightning.Callback):
    """Warns when the decoder has learnt to ignore the latent, and says which settings to change.

    A model that has learnt nothing yet ignores its latent, too: the alarm waits for the end of the
    warm-up, and for a second validation with the same result.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._collapsed = 0

    def state_dict(self) -> dict[str, Any]:
        """Counts across a resume, so that a resumed run does not warn twice."""
        return {"collapsed": self._collapsed}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on counting where the run was interrupted."""
        self._collapsed = state_dict["collapsed"]

    def on_validation_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Measures how much of the latent is used."""
        assert isinstance(pl_module, TrainingModule)
        measured = pl_module.last_reconstruction
        if measured is None or trainer.global_step < pl_module.experiment.training.warmup_steps:
            return
        active = measured.active_units / measured.latent_size
        is_used = measured.divergence_nats > LEAST_DIVERGENCE_NATS and active > LEAST_ACTIVE_SHARE
        self._collapsed = 0 if is_used else self._collapsed + 1
        if self._collapsed != COLLAPSED_VALIDATIONS:
            return
        objective = pl_module.experiment.objective
        self._console.print(
            f"[bold red]Posterior collapse[/] at step {trainer.global_step}: the latent carries "
            f"{measured.divergence_nats:.2f} nats in {measured.active_units} of "
            f"{measured.latent_size} dimensions. Start again with more room or less pressure: "
            f"--set objective.free_nats={max(8.0, 2 * objective.free_nats):g} "
            f"--set objective.beta_max={objective.beta_max / 2:g} "
            f"--set objective.history_hidden={min(0.9, objective.history_hidden + 0.2):g}"
        )


class CleanStop(lightning.Callback):
    """Ends a run between two steps, after its last step or a signal.

    An interrupted run can go on exactly there.

    Args:
        console: Where the signal is named.
        validate_every: Steps between two validations.
    """

    def __init__(self, console: Console, *, validate_every: int) -> None:
        self._console = console
        self._validate_every = validate_every
        self._handlers: dict[signal.Signals, Any] = {}
        self._was_interrupted = False

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Takes over Ctrl-C and the termination signal.

        Lightning has set its own handlers by now, which would end the run with an exception.
        """

        def stop(number: int, _: FrameType | None) -> None:
            if self._was_interrupted:
                raise KeyboardInterrupt
            self._was_interrupted = True
            name = signal.Signals(number).name
            when = "after this step" if trainer.world_size == 1 else "soon"
            self._console.print(f"{name}: stopping {when} (again: at once)")

        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers[number] = signal.signal(number, stop)

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Stops all processes after the same step, though only one may have had the signal."""
        if trainer.global_step == trainer.max_steps:
            # Lightning validates before an early stop, so that the last weights are measured, too.
            trainer.should_stop = True
        elif self._is_to_stop(trainer):
            trainer.should_stop = True
            if trainer.global_step % self._validate_every:
                # An uninterrupted run would not validate at this step.
                trainer.limit_val_batches = 0

    def _is_to_stop(self, trainer: lightning.Trainer) -> bool:
        if trainer.world_size == 1:
            return self._was_interrupted
        if trainer.global_step % LOOK_EVERY_STEPS:
            return False  # to ask the other processes makes a GPU wait
        return trainer.strategy.reduce_boolean_decision(self._was_interrupted, all=False)

    def on_train_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Restores the signal handlers."""
        self._restore()

    def on_exception(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        exception: BaseException,
    ) -> None:
        """Restores the signal handlers."""
        self._restore()

    def _restore(self) -> None:
        while self._handlers:
            signal.signal(*self._handlers.popitem())


class NotANumberAlarm(lightning.Callback):
    """Ends a run whose loss is no longer a number, before it is saved."""

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Checks the loss now and then only: to read it makes a GPU wait."""
        if trainer.global_step % LOOK_EVERY_STEPS == 0:
            self._check("a loss", outputs["loss"].item(), trainer.global_step)

    def on_validation_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Checks the likelihood, which the last step may have ruined."""
        for name in ("validation/elbo_nats", "validation/log_likelihood_nats"):
            if name in trainer.callback_metrics:
                nats = trainer.callback_metrics[name].item()
                self._check("a likelihood on the validation split", nats, trainer.global_step)

    def _check(self, name: str, nats: float, step: int) -> None:
        if not math.isfinite(nats):
            raise TrainingError(
                f"{name} of {nats} nats at step {step}",
                expected="a number",
                action="Start again with a lower `training.learning_rate`.",
                field="training.learning_rate",
            )
