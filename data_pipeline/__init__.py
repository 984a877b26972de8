"""From music files to shards of event tensors."""

from .manifest import tables
from .prepare import PrepareSettings, prepare
from .split import parse_shares

__all__ = ["PrepareSettings", "parse_shares", "prepare", "tables"]
