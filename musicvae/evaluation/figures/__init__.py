"""The figures of an evaluation in order, each with its key and its caption."""

from musicvae.evaluation.figures.every import to_figures
from musicvae.evaluation.figures.listener import SideBySide, side_by_side

__all__ = ["SideBySide", "side_by_side", "to_figures"]
