"""Checkpoints: everything needed to go on with a run exactly, written and read here.

`last.ckpt` is written at every validation and when a run is interrupted, `best.ckpt` when the
sampled accuracy on the validation split is the highest so far.
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
MONITOR = "validation/accuracy_sampled"


def checkpoint_path(run: Path, name: str) -> Path:
    """The path of a run's `BEST` or `LAST` checkpoint."""
    return run / "checkpoints" / f"{name}.ckpt"


class Checkpoints(lightning.Callback):
    """Saves the best and the last state of a run.

    Lightning's ModelCheckpoint writes `last` only together with a new best, and forgets how good
    the best was when the run's folder has moved.
    """

    def __init__(self, run: Path) -> None:
        self._run = run
        self._best = -math.inf

    def on_validation_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Writes the checkpoints, each whole or not at all."""
        measured = trainer.callback_metrics[MONITOR].item()
        if measured > self._best:
            self._best = measured
            trainer.save_checkpoint(checkpoint_path(self._run, BEST))
        trainer.save_checkpoint(checkpoint_path(self._run, LAST))

    def state_dict(self) -> dict[str, Any]:
        """Adds the best accuracy so far to every checkpoint."""
        return {"best": self._best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes the best accuracy from the checkpoint that the run goes on from."""
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
