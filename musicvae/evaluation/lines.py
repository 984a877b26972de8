"""The lines of the music in a tensor; measures compare and count each line as a whole.

Conventions: a line is a generated stream of classes, and its events are the symbols. Where each
class of drums has a stream, these streams are one line, whose symbols have a bit for each class, as
in `musicvae.representation.drums`. Streams of numbers and conditions belong to no line.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from musicvae.representation import Representation
from musicvae.representation.hits import HITS


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line.

    Attributes:
        name: The name of its stream, or `HITS`.
        columns: The columns of its streams in a tensor.
        size: The number of its symbols.
        is_pitched: Whether transposition changes it.
    """

    name: str
    columns: tuple[int, ...]
    size: int
    is_pitched: bool

    def symbols(
        self, events: Int[np.ndarray, "batch step stream"]
    ) -> Int[np.ndarray, "batch step"]:
        """Finds the symbol of each step, 0 to `size - 1`."""
        bits = 1 << np.arange(len(self.columns))
        symbols: Int[np.ndarray, "batch step"] = events[..., list(self.columns)] @ bits
        return symbols

    def is_onset(
        self, representation: Representation, events: Int[np.ndarray, "batch step stream"]
    ) -> Bool[np.ndarray, "batch step"]:
        """Finds the steps at which a note or hit of the line starts."""
        is_onset = representation.is_onset(events)[..., list(self.columns)]
        starts: Bool[np.ndarray, "batch step"] = np.logical_or.reduce(is_onset, axis=-1)
        return starts


def lines_of(representation: Representation) -> tuple[Line, ...]:
    """Lists the generated lines of a representation."""
    classes = [
        (column, stream)
        for column, stream in enumerate(representation.streams)
        if not stream.is_condition and not stream.is_number
    ]
    hits = tuple(column for column, stream in classes if stream.size == 2)
    lines = [
        Line(
            name=stream.name,
            columns=(column,),
            size=stream.size,
            is_pitched=_is_pitched(representation, column),
        )
        for column, stream in classes
        if column not in hits
    ]
    if hits:
        lines.append(Line(name=HITS, columns=hits, size=1 << len(hits), is_pitched=False))
    return tuple(lines)


def _is_pitched(representation: Representation, column: int) -> bool:
    """Tests whether transposition changes an event in the middle of the vocabulary."""
    middle = np.array([[[size // 2 for size in representation.vocabulary_sizes]]], np.int16)
    moved = representation.transpose(middle, np.array([1]))
    return bool(moved[0, 0, column] != middle[0, 0, column])
