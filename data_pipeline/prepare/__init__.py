"""Runs all stages in parallel, and writes the data set."""

from .stages import PrepareSettings, prepare

__all__ = ["PrepareSettings", "prepare"]
