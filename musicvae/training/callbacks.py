"""What happens beside the steps of a run: pictures, the collapse alarm, stopping cleanly."""

import signal
from types import FrameType
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from rich.console import Console

from musicvae import latent
from musicvae.errors import TrainingError
from musicvae.plots import piano_roll_image
from musicvae.training.module import TrainingModule

LEAST_DIVERGENCE_NATS = 1.0
LEAST_ACTIVE_SHARE = 0.05
PICTURES = 4
LOOK_EVERY_STEPS = 50


class Pictures(lightning.Callback):
    """Shows draws from the prior, a path between two of them, and how the latent is used."""

    def on_validation_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Draws them into TensorBoard."""
        logger = trainer.logger
        if not isinstance(logger, TensorBoardLogger) or not trainer.is_global_zero:
            return
        assert isinstance(pl_module, TrainingModule)
        model, representation = pl_module.model, pl_module.experiment.representation
        rows = range(PICTURES)
        draws = latent.prior(pl_module.seed, rows, model.config.latent_size).to(pl_module.device)
        path = latent.path(draws[:2], PICTURES)
        seeds = [latent.row_seed(pl_module.seed, row, "events") for row in rows]
        for name, events in {
            "samples": model.decode(draws).sample(randomness=seeds),
            "interpolation": model.decode(path).mode(),
        }.items():
            music = [representation.to_notes(each) for each in events.cpu().numpy()]
            image = piano_roll_image(music)
            logger.experiment.add_image(name, image, trainer.global_step)
        measured = pl_module.last_reconstruction
        if measured is not None:
            by_dimension = np.asarray(measured.divergence_by_dimension)
            logger.experiment.add_histogram(
                "divergence_nats_by_dimension", by_dimension, trainer.global_step
            )


class CollapseAlarm(lightning.Callback):
    """Says so when the decoder has learnt to do without the latent, and what to change."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def on_validation_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Looks at how much of the latent is used."""
        assert isinstance(pl_module, TrainingModule)
        measured = pl_module.last_reconstruction
        if measured is None or trainer.sanity_checking or not trainer.is_global_zero:
            return
        active = measured.active_units / measured.latent_size
        if measured.divergence_nats > LEAST_DIVERGENCE_NATS and active > LEAST_ACTIVE_SHARE:
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
    """Ends a run between two steps when it is interrupted, so that it can go on exactly there."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._handlers: dict[signal.Signals, Any] = {}
        self.was_interrupted = False

    def on_fit_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Takes over Ctrl-C and the termination signal."""

        def stop(number: int, _: FrameType | None) -> None:
            if self.was_interrupted:
                raise KeyboardInterrupt
            self.was_interrupted = True
            trainer.should_stop = True
            name = signal.Signals(number).name
            self._console.print(f"{name}: stopping after this step (again: at once)")

        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers[number] = signal.signal(number, stop)

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Gives the signals back."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)


class NotANumberAlarm(lightning.Callback):
    """Ends a run whose loss is no longer a number."""

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Looks at the loss every so often, since looking makes a GPU wait."""
        if trainer.global_step % LOOK_EVERY_STEPS:
            return
        loss = outputs["loss"]
        if not torch.isfinite(loss):
            raise TrainingError(
                f"a loss of {loss.item()} at step {trainer.global_step}",
                expected="a number",
                action="Start again with a lower --set training.learning_rate.",
            )
