"""Training with Lightning: from prepared data to a run's checkpoints."""

from musicvae.training.run import Run, RunSettings, load_run, train

__all__ = ["Run", "RunSettings", "load_run", "train"]
