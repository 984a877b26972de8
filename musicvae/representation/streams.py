"""Streams: the columns of an event tensor. A model knows nothing else of its music."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One line of events: a column of the tensors of a representation.

    Attributes:
        name: The name in plain words.
        size: Number of events, 0 to `size - 1`.
        is_number: Whether the events are numbers on a scale, such as a loudness, so that neighbours
            are alike; else they are classes.
        gate: A column; this column counts only where the gate's event is above 0. A column without
            a gate counts everywhere.
        is_condition: Whether the model reads the stream as a condition and never generates it.
            Condition streams are the last columns.
    """

    name: str
    size: int
    is_number: bool = False
    gate: int | None = None
    is_condition: bool = False


def generated_streams(streams: Sequence[Stream]) -> tuple[Stream, ...]:
    """The streams that a decoder generates."""
    return tuple(stream for stream in streams if not stream.is_condition)


def is_hit(stream: Stream) -> bool:
    """Whether a stream says only if something is hit (1) or not (0)."""
    return not stream.is_condition and not stream.is_number and stream.size == 2
