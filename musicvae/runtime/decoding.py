"""The loop of decoding: step after step, each reading the events that were chosen before it.

The loop knows a decoder by its `step` alone, so that ONNX Runtime and torch share it. Temperature,
nucleus, noise, known events and masks are the loop's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from musicvae.identity import compare_by_identity
from musicvae.music.notes import TimeGrid
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
    decoder: Step[AnyArray],
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
    events = known.copy()
    is_drawn = known == UNKNOWN
    are_all_drawn = is_drawn.all((0, 2)).tolist()
    nats = np.zeros(known.shape, np.float32)

    def choose(number: int, now: np.ndarray) -> np.ndarray:
        if mask is not None:
            allowed = now + mask
            if free is not None:
                nats[:, number] = draws.log_sums(now + free) - draws.log_sums(allowed)
            now = allowed
        if noise is None:
            chosen = draws.likeliest(now)
        else:
            chosen = draws.draw(now, noise[:, number], temperature=temperature, top_p=top_p)
        if not are_all_drawn[number]:
            chosen = np.where(is_drawn[:, number], chosen, known[:, number])
        events[:, number] = chosen
        return chosen

    before = np.broadcast_to(draws.unknown, events[:, 0].shape)
    for _ in unroll(decoder, state, before, events.shape[1], choose, grid):
        pass
    return Drawn(events, nats)
