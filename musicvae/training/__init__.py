"""Training with Lightning: from prepared data to a run's checkpoints."""

from musicvae.training.record import Run, RunSettings, load_run
from musicvae.training.run import train

__all__ = ["Run", "RunSettings", "load_run", "train"]
