"""A prior over events as a decoder of rows: looks back over the rows before each row.

Conventions: see `musicvae.model.event_prior`. The columns of a row are the row before, the
conditions of the row, the sounding pitches, and for each lag the events at that lag and how many of
the last rows were alike.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from musicvae.music.notes import TimeGrid
from musicvae.representation.key_relative import UNKNOWN_MODE, UNKNOWN_TONIC
from musicvae.representation.streams import Stream, generated_streams
from musicvae.runtime.decoding import State, Stepped
from musicvae.runtime.graph import AnyArray

ALIKE_ROWS = 16
"""The prior hears how many of so many rows were those of some bars before."""


TONIC = Stream(name="tonic", size=UNKNOWN_TONIC)
MODE = Stream(name="mode", size=UNKNOWN_MODE)


def prior_columns(
    streams: Sequence[Stream], *, bars: int, styles: int, lags: Sequence[int]
) -> tuple[Stream, ...]:
    """The columns that a prior reads at each row.

    Args:
        streams: The columns of an event tensor.
        bars: Number of bars of an excerpt.
        styles: Number of styles; 0 if the prior hears none.
        lags: See `PriorConfig.lags`.
    """
    generated = generated_streams(streams)
    told = streams[len(generated) :]
    alike = [Stream(name="alike", size=ALIKE_ROWS + 1)] * len(generated)
    return (
        *generated,  # the row before
        *told,  # chords now
        *told,  # and half a bar ahead
        TONIC,
        MODE,
        Stream(name="bar", size=bars),
        *([Stream(name="style", size=styles)] if styles else []),
        *generated,  # the sounding pitches
        *[each for _ in lags for each in (*generated, *alike)],
    )


def copied_columns(columns: int, *, generated: int, lags: int) -> list[list[int]]:
    """For each generated stream the columns that hold its events at the lags."""
    first = columns - 2 * lags * generated
    return [
        [first + 2 * lag * generated + stream for lag in range(lags)] for stream in range(generated)
    ]


@runtime_checkable  # jaxtyping's checker tests for it
class PriorNetwork(Protocol):
    """The network of a prior, in whatever runtime."""

    def start(self, rows: int) -> State:
        """The state before row 0."""

    def bias(
        self, chords: Int[np.ndarray, "batch stream 2"]
    ) -> Float[np.ndarray, "batch parameter"]:
        """The direct effect of the chord and the bass at the step of each stream."""

    def step(
        self,
        state: State,
        columns: Int[np.ndarray, "batch _column"],
        bias: Float[np.ndarray, "batch parameter"] | None,
        number: int,
        grid: TimeGrid | None,
    ) -> Stepped[AnyArray]:
        """The parameters of row `number`, and the state after it."""


class ListeningStep:
    """Takes a row of a prior; see `Step`.

    Several versions of the conditions may be told, with and without chords: the network then takes
    as many rows for each row, and the parameters move from the last version towards the first.

    Args:
        network: The network.
        unknown: An event of each stream that means unknown.
        lags: Distances in bars at which the prior hears what was played.
        steps_per_bar: Length of a bar on each grid, and under None on the default.
        guidance: The weight of the first version of the conditions.
    """

    def __init__(
        self,
        network: PriorNetwork,
        *,
        unknown: Int[np.ndarray, " stream"],
        lags: Sequence[int],
        steps_per_bar: Mapping[TimeGrid | None, int],
        guidance: float,
    ) -> None:
        self._network = network
        self._unknown = unknown
        self._lags = {grid: [lag * steps for lag in lags] for grid, steps in steps_per_bar.items()}
        self._guidance = np.float32(guidance)

    @property
    def shared_by(self) -> object:
        """See `SharedStep`: the network, as there is one guidance for all rows of a prior."""
        return self._network

    def start(
        self,
        told: Int[np.ndarray, "batch version step _column"],
        chords: Int[np.ndarray, "batch version step stream 2"] | None,
    ) -> State:
        """The state before row 0.

        Args:
            told: The conditions of each row.
            chords: The chord and the bass at the step of each stream; None without a chord bias.
        """
        batch, versions, length, _ = told.shape
        streams = len(self._unknown)
        bias = np.zeros((batch, versions, length, 0), np.float32)
        if chords is not None:
            bias = self._network.bias(chords.reshape(-1, streams, 2)).reshape(*bias.shape[:3], -1)
        rows = np.tile(self._unknown, (batch, length, 1))
        sounding = np.tile(self._unknown, (batch, 1))
        alike = np.zeros((batch, len(self._lags[None]), length, streams), np.bool_)
        return (told, bias, rows, sounding, alike, *self._network.start(batch * versions))

    def step(
        self, state: State, previous: AnyArray, number: int, grid: TimeGrid | None
    ) -> Stepped[AnyArray]:
        """See `Step`."""
        told, bias, rows, sounding, alike, *network = state
        if number:
            rows[:, number - 1] = previous
            is_sound = (previous > 0) & (previous < self._unknown)
            np.copyto(sounding, previous, where=is_sound)
        heard, unknown = [sounding], np.broadcast_to(self._unknown, sounding.shape)
        for place, lag in enumerate(self._lags[grid]):
            if number > lag:
                alike[:, place, number - 1] = previous == rows[:, number - 1 - lag]
            there = rows[:, number - lag] if number >= lag else unknown
            heard += [there, alike[:, place, max(number - ALIKE_ROWS, 0) : number].sum(1)]
        batch, versions = told.shape[:2]
        first, last = previous.shape[1], previous.shape[1] + told.shape[3]
        columns = np.empty((batch, versions, last + len(heard) * first), np.int64)
        columns[..., :first] = previous[:, None]
        columns[..., first:last] = told[:, :, number]
        columns[..., last:] = np.concatenate(heard, axis=1)[:, None]
        stepped = self._network.step(
            tuple(network),
            columns.reshape(batch * versions, -1),
            bias[:, :, number].reshape(batch * versions, -1) if bias.shape[3] else None,
            number,
            grid,
        )
        parameters = stepped.parameters
        if versions > 1:
            parts = parameters.reshape(batch, versions, -1)
            parameters = parts[:, -1] + self._guidance * (parts[:, 0] - parts[:, -1])
        return Stepped(parameters, (told, bias, rows, sounding, alike, *stepped.state))
