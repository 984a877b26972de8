"""Readers: the bytes of a piece to its notes, one file a format.

The content shows the format. `parse_piece` and `finish_pieces` are the halves of `read_piece`, for
many pieces at once.
"""

from .kinds import KINDS, finish_pieces, kind_of, parse_piece, read_piece
from .midi_file import ParsedFile

__all__ = ["KINDS", "ParsedFile", "finish_pieces", "kind_of", "parse_piece", "read_piece"]
