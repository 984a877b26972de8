"""Runs a function over batches of items: in processes of this machine, or on a Ray cluster."""

from .batch import Batch, Failure, Limits
from .pool import Pool

__all__ = ["Batch", "Failure", "Limits", "Pool"]
