"""Readers: the bytes of a piece to its notes, one file a format.

The format is known by the content. `kind_of` and `read_piece` are all that the pipeline needs.
"""

from .kinds import KINDS, kind_of, read_piece

__all__ = ["KINDS", "kind_of", "read_piece"]
