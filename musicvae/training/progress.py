"""The progress of a run: a bar on a terminal, plain lines anywhere else."""

import re
import time
from typing import Any

import lightning
from rich.console import Console
from rich.progress import MofNCompleteColumn, TextColumn

from musicvae.work.progress import progress_bar

REFRESH_S = 0.5
LINE_EVERY_S = 60.0


class TrainingProgress(lightning.Callback):
    """Shows steps, speed, time left, loss, KL and the last sampled accuracy.

    Prints a line that stays after every validation; without a terminal also once a minute.

    Args:
        console: Where it is shown.
        batch_examples: Examples of a step in all processes together.
    """

    def __init__(self, console: Console, *, batch_examples: int) -> None:
        self._console = console
        self._batch_examples = batch_examples
        self._bar = progress_bar(
            console, MofNCompleteColumn(), TextColumn("{task.fields[figures]}")
        )
        self._wait_s = REFRESH_S if console.is_terminal else LINE_EVERY_S
        self._last_s = 0.0
        self._last_step = 0
        self._first_s = 0.0
        self._first_step = 0

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Starts the clock and the bar at the step that the run goes on from."""
        self._first_s = self._last_s = time.monotonic()
        self._first_step = self._last_step = trainer.global_step
        total = trainer.max_steps
        self._bar.add_task("step", total=total, completed=trainer.global_step, figures="")
        self._bar.start()

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Shows the figures now and then only: to read them makes a GPU wait."""
        if time.monotonic() - self._last_s < self._wait_s:
            return
        figures = self._figures(trainer)
        if self._console.is_terminal:
            step = trainer.global_step
            self._bar.update(self._bar.task_ids[0], completed=step, figures=figures)
        else:
            self._print(trainer, figures)

    def on_validation_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Prints a line that stays."""
        self._print(trainer, self._figures(trainer))

    def on_train_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Removes the bar."""
        self._bar.stop()

    def on_exception(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        exception: BaseException,
    ) -> None:
        """Removes the bar."""
        self._bar.stop()

    def _figures(self, trainer: lightning.Trainer) -> str:
        now_s, step = time.monotonic(), trainer.global_step
        steps_a_second = (step - self._last_step) / max(1e-9, now_s - self._last_s)
        self._last_s, self._last_step = now_s, step
        figures = [f"{steps_a_second * self._batch_examples:.0f} examples/s"]
        metrics = trainer.callback_metrics
        for name, form in {
            "train/loss": "loss {:.1f}",
            "train/divergence_nats": "KL {:.1f} nats",
            "validation/accuracy_sampled": "sampled accuracy {:.3f}",
            "validation/log_likelihood_nats": "validation {:.1f} nats",
        }.items():
            if name in metrics:
                figures.append(form.format(metrics[name].item()))
                group, measure = name.split("/")
                grids = re.compile(rf"{group}/(\d+/\d+(?: by \d+)?)/{measure}")
                figures += [
                    f"{found[1]} {value:.3f}"
                    for path, value in metrics.items()
                    if (found := grids.fullmatch(path))
                ]
        return " · ".join(figures)

    def _print(self, trainer: lightning.Trainer, figures: str) -> None:
        step, total = trainer.global_step, trainer.max_steps
        speed = (step - self._first_step) / max(1e-9, time.monotonic() - self._first_s)
        minutes = (total - step) / speed / 60 if speed else 0.0
        self._console.print(
            f"step {step:,} of {total:,} · {figures} · {minutes:.0f} min left", highlight=False
        )
