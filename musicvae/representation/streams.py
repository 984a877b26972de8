"""The columns of an event tensor: all that a model needs to know of its music."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One line of events: a column of the tensors of a representation.

    Attributes:
        name: In plain words.
        size: Number of events, 0 to `size - 1`.
        is_number: Whether the events are numbers on a scale, such as a loudness, so that neighbours
            are alike; else they are classes.
        gate: The column that says where this column counts: where the gate's event is above 0. A
            column without a gate counts everywhere.
        is_condition: Whether encoder and decoder are told its events, and never generate them.
            Condition streams stand behind all others.
    """

    name: str
    size: int
    is_number: bool = False
    gate: int | None = None
    is_condition: bool = False


def generated_streams(streams: Sequence[Stream]) -> tuple[Stream, ...]:
    """The streams that a decoder generates."""
    return tuple(stream for stream in streams if not stream.is_condition)
