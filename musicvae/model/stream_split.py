"""Which events a decoder makes, and which it is told."""

from collections.abc import Sequence
from typing import NamedTuple

from jaxtyping import Int
from torch import Tensor

from musicvae.identity import compare_by_identity
from musicvae.representation.streams import Stream, made


@compare_by_identity
class Split(NamedTuple):
    """Events by what a decoder does with them.

    Attributes:
        made: Those of the streams that it makes.
        given: Those that it is told; None where there are none.
    """

    made: Int[Tensor, "batch step stream"]
    given: Int[Tensor, "batch step stream"] | None


def split(events: Int[Tensor, "batch step stream"], streams: Sequence[Stream]) -> Split:
    """Splits events of all streams into those that are made and those that are given."""
    count = len(made(streams))
    return Split(events[..., :count], events[..., count:] if count < len(streams) else None)
