"""The columns that a prior over events reads at each row, and the delays of its streams.

Conventions: see `musicvae.model.event_prior`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from musicvae.music.notes import TimeGrid
from musicvae.representation.key_relative import UNKNOWN_MODE, UNKNOWN_TONIC
from musicvae.representation.streams import Stream, generated_streams
from musicvae.runtime.conditions import Conditions
from musicvae.runtime.event_table import by_grid
from musicvae.runtime.prior_config import PriorConfig


class PriorColumns:
    """Lays out conditions and events as a prior reads them.

    Args:
        config: The settings of the prior.
        streams: The columns of an event tensor.
        bars: Number of bars of an excerpt.
        steps_per_bar: Length of a bar on each grid, the default first.

    Attributes:
        delays: The rows by which each generated stream comes later: a gated stream hears its gate.
        bias: The number of the last columns, which only the chord bias reads.
        steps_per_bar: Length of a bar on each grid, and under None on the default.
    """

    def __init__(
        self,
        config: PriorConfig,
        streams: Sequence[Stream],
        *,
        bars: int,
        steps_per_bar: Mapping[TimeGrid, int],
    ) -> None:
        generated = generated_streams(streams)
        self.delays = _delays(generated)
        self.steps_per_bar = by_grid(steps_per_bar)
        told = np.array([each.size for each in streams[len(generated) :]], np.int64)
        self.bias = 2 * len(generated) if config.has_chord_bias and len(told) else 0
        self._bars, self._styles = bars, len(config.styles)
        self._unknown = np.array([each.size for each in generated])
        self._unknown_told = told

    def length_steps(self, grid: TimeGrid | None = None) -> int:
        """The length of an excerpt."""
        return self._bars * self.steps_per_bar[grid]

    def join(self, conditions: Conditions, count: int) -> Int[np.ndarray, "batch row _column"]:
        """Joins the conditions of each row: chords now and half a bar ahead, key, bar, style.

        The chord bias reads the chords at the step of each stream.
        """
        steps_per_bar = self.steps_per_bar[conditions.grid]
        last = self.length_steps(conditions.grid) - 1
        row = np.arange(last + 1 + max(self.delays))
        step = np.minimum(row, last)
        streams = conditions.streams
        if streams is None:
            streams = np.broadcast_to(
                self._unknown_told, (count, last + 1, len(self._unknown_told))
            )
        keys = conditions.keys
        if keys is None:
            keys = np.broadcast_to(np.array([UNKNOWN_TONIC, UNKNOWN_MODE]), (count, 2))
        columns = [
            streams[:, step],
            streams[:, np.minimum(step + steps_per_bar // 2, last)],
            np.broadcast_to(keys[:, None], (count, len(row), 2)),
            np.broadcast_to((step // steps_per_bar)[:, None], (count, len(row), 1)),
        ]
        if self._styles:
            styles = conditions.styles
            if styles is None:
                styles = np.full(count, self._styles)
            columns.append(np.broadcast_to(styles[:, None, None], (count, len(row), 1)))
        if self.bias:
            columns += [streams[:, np.clip(row - delay, 0, last)] for delay in self.delays]
        return np.concatenate(columns, axis=-1)

    def delay(self, events: Int[np.ndarray, "batch step stream"]) -> Int[np.ndarray, "batch row _"]:
        """Moves each stream by its delay."""
        length = events.shape[1]
        rows = np.tile(self._unknown, (len(events), length + max(self.delays), 1))
        for stream, delay in enumerate(self.delays):
            rows[:, delay : delay + length, stream] = events[..., stream]
        return rows

    def undelay(self, rows: np.ndarray, grid: TimeGrid | None) -> np.ndarray:
        """The inverse of `delay`."""
        length = self.length_steps(grid)
        streams = [
            rows[:, delay : delay + length, stream] for stream, delay in enumerate(self.delays)
        ]
        return np.stack(streams, axis=-1)


def _delays(streams: Sequence[Stream]) -> tuple[int, ...]:
    delays: list[int] = []
    for stream in streams:
        free = sum(each.gate is None for each in streams[: len(delays)])
        delays.append(free if stream.gate is None else delays[stream.gate] + 1)
    return tuple(delays)
