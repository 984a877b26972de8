"""The loop of decoding: step after step, each reading the events that were chosen before it.

The loop knows a decoder by its `step` alone, so that ONNX Runtime and torch share it. Temperature,
nucleus, noise, known events and masks are the loop's.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from musicvae.identity import compare_by_identity
from musicvae.music.notes import TimeGrid
from musicvae.runtime.batcher import finish
from musicvae.runtime.event_draws import EventDraws
from musicvae.runtime.graph import AnyArray

Array = TypeVar("Array")

State: TypeAlias = tuple[Any, ...]
"""What a decoder remembers from step to step: arrays of its runtime, each with a row, or as many
rows as the decoder takes for one, for each row of the batch."""

UNKNOWN = -1
"""In `known`: an event that is to be drawn."""


@dataclass(frozen=True, eq=False, slots=True)
class Stepped(Generic[Array]):
    """One step of decoding: the parameters of its events, and the state after it."""

    parameters: Array
    state: State


@runtime_checkable  # jaxtyping's checker tests for it
class Step(Protocol[Array]):
    """A decoder, in whatever runtime.

    The law: a row's result depends on that row alone; and steps 0, 1, 2 and so on give the
    parameters that the model in training gives for all steps at once, but for rounding.
    """

    def step(
        self, state: State, previous: Array, number: int, grid: TimeGrid | None
    ) -> Stepped[Array]:
        """The parameters of step `number`, and the state after it.

        Args:
            state: The state after the step before. The step may write into its arrays.
            previous: The events of the step before; before step 0 the size of each stream, which
                means unknown.
            number: The step within the row, from 0.
            grid: The grid of all rows; None for the decoder's first.
        """


@runtime_checkable
class SharedStep(Step[AnyArray], Protocol):
    """A decoder whose state is of arrays, so that rows of several draws can be joined."""

    @property
    def shared_by(self) -> object:
        """Decoders that give the same object take each other's rows."""


def unroll(
    decoder: Step[Array],
    state: State,
    previous: Array,
    steps: int,
    choose: Callable[[int, Array], Array],
    grid: TimeGrid | None,
) -> Iterator[Array]:
    """The parameters of every step.

    Each step reads the events that `choose(number, parameters)` gave for the step before.
    """
    for number in range(steps):
        stepped = decoder.step(state, previous, number, grid)
        yield stepped.parameters
        previous, state = choose(number, stepped.parameters), stepped.state


@compare_by_identity
class Drawn(NamedTuple):
    """Events that were drawn, and the cost of their mask.

    Attributes:
        events: The events.
        masked_nats: For each event the cost of the mask: minus the log probability of all events
            that it allows; 0 where no cost was asked for.
    """

    events: Int[np.ndarray, "batch step stream"]
    masked_nats: Float[np.ndarray, "batch step stream"]


def draw_events(
    decoder: SharedStep,
    state: State,
    draws: EventDraws,
    uniform: Float[np.ndarray, "batch step _"] | None,
    known: Int[np.ndarray, "batch step stream"],
    *,
    temperature: float,
    top_p: float,
    grid: TimeGrid | None = None,
    mask: Float[np.ndarray, "batch parameter"] | None = None,
    free: Float[np.ndarray, "batch parameter"] | None = None,
) -> Drawn:
    """Draws the events of every row.

    Args:
        decoder: The decoder.
        state: Its state before step 0.
        draws: Chooses events by their parameters.
        uniform: Random numbers, see `uniform_noise`; may be None where `temperature` is 0.
        known: Events that are decided already, and `UNKNOWN` where one is to be drawn.
        temperature: Divides the logits; 0 takes the likeliest event at every step.
        top_p: Draws among the likeliest events that together have this probability, above 0 up to
            1.
        grid: The grid of all rows; None for the decoder's first.
        mask: What is added to the parameters of every step of a row: -inf for the events that it
            must not hold, see `EventHeads.mask`.
        free: The mask whose cost would be 0; None to count no cost.
    """
    assert temperature >= 0, temperature
    assert 0 < top_p <= 1, top_p
    noise = None if uniform is None or temperature == 0 else draws.prepare(uniform)
    rows = _Rows(known, noise, mask, free)
    return finish(_DrawLoop(decoder, state, draws, rows, temperature, top_p, grid))


@compare_by_identity
class _Rows(NamedTuple):
    """The arrays of a loop, a row for each excerpt; see `draw_events`."""

    known: Int[np.ndarray, "batch step stream"]
    noise: Float[np.ndarray, "batch step _"] | None
    mask: Float[np.ndarray, "batch parameter"] | None
    free: Float[np.ndarray, "batch parameter"] | None


class _DrawLoop:
    """Rows whose events are being drawn; see `Loop`."""

    def __init__(
        self,
        decoder: SharedStep,
        state: State,
        draws: EventDraws,
        rows: _Rows,
        temperature: float,
        top_p: float,
        grid: TimeGrid | None,
    ) -> None:
        self._decoder, self.state, self._draws, self.own = decoder, state, draws, rows
        self._temperature, self._top_p, self._grid = temperature, top_p, grid
        self._events = rows.known.copy()
        self._nats = np.zeros(rows.known.shape, np.float32)
        self._is_drawn = rows.known == UNKNOWN
        self._are_all_drawn = self._is_drawn.all((0, 2)).tolist()
        self._previous = np.broadcast_to(draws.unknown, self._events[:, 0].shape)
        self._number = 0
        kinds = tuple(each is None for each in rows)
        self.key: Hashable = (
            decoder.shared_by,
            grid,
            temperature,
            top_p,
            rows.known.shape[1:],
            kinds,
        )
        self.rows, self.left = rows.known.shape[:2]

    def join(self, others: Sequence["_DrawLoop"]) -> "_DrawLoop":
        state = _join([each.state for each in (self, *others)])
        rows = _join([each.own for each in (self, *others)])
        how = (self._temperature, self._top_p, self._grid)
        return _DrawLoop(self._decoder, state, self._draws, _Rows(*rows), *how)

    def step(self) -> None:
        number = self._number
        stepped = self._decoder.step(self.state, self._previous, number, self._grid)
        self.state, self._previous = stepped.state, self._choose(number, stepped.parameters)
        self._events[:, number] = self._previous
        self._number += 1
        self.left -= 1

    def keep(self, rows: Bool[np.ndarray, " row"]) -> None:
        # A decoder may take several rows for one.
        self.state = tuple(each[np.repeat(rows, len(each) // self.rows)] for each in self.state)
        kept: list[Any] = [None if each is None else each[rows] for each in self.own]
        self.own = _Rows(*kept)
        self._events, self._nats = self._events[rows], self._nats[rows]
        self._is_drawn, self._previous = self._is_drawn[rows], self._previous[rows]
        self.rows = int(rows.sum())

    def split(self, sizes: Sequence[int]) -> list[Drawn]:
        ends = np.cumsum(sizes)[:-1]
        return [
            Drawn(*both)
            for both in zip(np.split(self._events, ends), np.split(self._nats, ends), strict=True)
        ]

    def _choose(self, number: int, now: AnyArray) -> AnyArray:
        """Chooses the events of a step by their parameters."""
        own = self.own
        if own.mask is not None:
            allowed = now + own.mask
            if own.free is not None:
                sums = self._draws.log_sums
                self._nats[:, number] = sums(now + own.free) - sums(allowed)
            now = allowed
        if own.noise is None:
            chosen = self._draws.likeliest(now)
        else:
            how = {"temperature": self._temperature, "top_p": self._top_p}
            chosen = self._draws.draw(now, own.noise[:, number], **how)
        if not self._are_all_drawn[number]:
            chosen = np.where(self._is_drawn[:, number], chosen, own.known[:, number])
        return chosen


def _join(rows: Sequence[Sequence[AnyArray | None]]) -> tuple[Any, ...]:
    """Joins arrays of several loops along their rows; None stays None."""
    return tuple(
        None if parts[0] is None else np.concatenate(parts) for parts in zip(*rows, strict=True)
    )
