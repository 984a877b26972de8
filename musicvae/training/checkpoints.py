"""Checkpoints: everything needed to go on with a run exactly, written and read here.

`last.ckpt` is written at every validation and when a run is interrupted, `best.ckpt` when the
measure on the validation split is the highest so far: the sampled accuracy of a model, the
likelihood of a prior or of touch.
"""

import math
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import lightning
import torch

from musicvae.errors import TrainingError

BEST = "best"
LAST = "last"
MODEL_MONITOR = "validation/accuracy_sampled"
LIKELIHOOD_MONITOR = "validation/log_likelihood_nats"


def checkpoint_path(run: Path, name: str) -> Path:
    """The path of a run's `BEST` or `LAST` checkpoint."""
    return run / "checkpoints" / f"{name}.ckpt"


class Checkpoints(lightning.Callback):
    """Saves the best and the last state of a run.

    Lightning's ModelCheckpoint writes `last` only together with a new best, and forgets how good
    the best was when the run's folder has moved.
    """

    def __init__(self, run: Path, monitor: str = MODEL_MONITOR) -> None:
        self._run = run
        self._monitor = monitor
        self._best = -math.inf

    def on_validation_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Writes the checkpoints, each whole or not at all."""
        measured = trainer.callback_metrics[self._monitor].item()
        if measured > self._best:
            self._best = measured
            trainer.save_checkpoint(checkpoint_path(self._run, BEST))
        trainer.save_checkpoint(checkpoint_path(self._run, LAST))

    def state_dict(self) -> dict[str, Any]:
        """Adds the best measure so far to every checkpoint."""
        return {"best": self._best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes the best measure from the checkpoint that the run goes on from."""
        self._best = state_dict["best"]


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Reads a checkpoint on the CPU, without running code from it.

    Raises:
        TrainingError: If the file is damaged.
    """
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (EOFError, OSError, RuntimeError, UnpicklingError) as error:
        raise TrainingError(
            f"a checkpoint {path} that can't be read",
            expected="a file that `musicvae train` wrote",
            action="Copy it again, or train again into a new folder.",
            field="run",
        ) from error
    return checkpoint
