"""Music as a model reads it: the events that it generates, and the conditions beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from musicvae.music.notes import TimeGrid
from musicvae.representation import Representation
from musicvae.representation.streams import Stream, generated_streams
from musicvae.runtime import conditions as arrays


@dataclass(frozen=True, kw_only=True, eq=False)
class Conditions:
    """The same as `musicvae.runtime.conditions.Conditions`, as tensors."""

    grid: TimeGrid | None = None
    streams: Int[Tensor, "batch step stream"] | None = None
    keys: Int[Tensor, "batch 2"] | None = None
    styles: Int[Tensor, " batch"] | None = None

    def __getitem__(self, rows: slice | Sequence[int] | Int[Tensor, " _"]) -> "Conditions":
        """The conditions of some rows; a row may be chosen several times."""
        index = rows if isinstance(rows, slice | Tensor) else list(rows)
        return self._map(lambda each: each[index])

    def to(self, device: torch.device | str) -> "Conditions":
        """The same on a device."""
        return self._map(lambda each: each.to(device))

    def to_arrays(self) -> arrays.Conditions:
        """The same as arrays."""
        return arrays.Conditions(
            grid=self.grid,
            streams=None if self.streams is None else self.streams.cpu().numpy(),
            keys=None if self.keys is None else self.keys.cpu().numpy(),
            styles=None if self.styles is None else self.styles.cpu().numpy(),
        )

    def _map(self, change: Callable[[Tensor], Tensor]) -> "Conditions":
        return Conditions(
            grid=self.grid,
            streams=None if self.streams is None else change(self.streams),
            keys=None if self.keys is None else change(self.keys),
            styles=None if self.styles is None else change(self.styles),
        )


NO_CONDITIONS = Conditions()


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Excerpts as a model reads them.

    Attributes:
        events: Events of the generated streams.
        conditions: The conditions of the same excerpts.
        reduced: The events that the encoder reads instead, such as the taps of a groove; None
            where it reads `events`.
    """

    events: Int[Tensor, "batch step stream"]
    conditions: Conditions = NO_CONDITIONS
    reduced: Int[Tensor, "batch step stream"] | None = None

    def to(self, device: torch.device | str) -> "Batch":
        """The same on a device; Lightning calls this."""
        return Batch(
            events=self.events.to(device),
            conditions=self.conditions.to(device),
            reduced=None if self.reduced is None else self.reduced.to(device),
        )


def to_batch(representation: Representation, events: Int[np.ndarray, "batch step stream"]) -> Batch:
    """Puts excerpts of a representation into a batch."""
    tensor = torch.from_numpy(events.astype(np.int64))
    return split_streams(tensor, representation.streams, representation.grid)


def split_streams(
    events: Int[Tensor, "batch step stream"],
    streams: Sequence[Stream],
    grid: TimeGrid | None = None,
) -> Batch:
    """Splits the events of all streams into generated events and conditions."""
    count = len(generated_streams(streams))
    told = None if count == len(streams) else events[..., count:]
    return Batch(events=events[..., :count], conditions=Conditions(grid=grid, streams=told))


def join_streams(
    events: Int[Tensor, "batch step stream"], conditions: Conditions
) -> Int[Tensor, "batch step _"]:
    """The events of all streams: the inverse of `split_streams`."""
    told = conditions.streams
    return events if told is None else torch.cat([events, told], dim=-1)
