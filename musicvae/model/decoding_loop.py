"""The loop of decoding: step after step, each reading the events that were chosen before it.

The loop knows a decoder by its `DecoderStep` alone, so that PyTorch and another runtime (ONNX)
share it. Temperature, nucleus, noise and known events are the loop's.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from musicvae.model.bar_decoder import State, Stepped
from musicvae.model.conditions import Conditions
from musicvae.model.event_heads import EventHeads
from musicvae.music.notes import TimeGrid

UNKNOWN = -1
"""In `sample`'s `known`: an event that is to be drawn."""


@runtime_checkable  # jaxtyping's checker tests for it
class DecoderStep(Protocol):
    """One step of a decoder, in whatever runtime. A row is one bar, or one excerpt.

    The law: a row's result depends on that row alone; and steps 0, 1, 2 and so on from `start`
    give the parameters that `Decoder.forward` gives for all steps at once, but for rounding.
    """

    def start(self, plans: Float[Tensor, "batch hidden"]) -> State:
        """The state before step 0."""

    def step(
        self,
        state: State,
        plans: Float[Tensor, "batch hidden"],
        previous: Int[Tensor, "batch stream"],
        condition: Int[Tensor, "batch _condition"],
        number: int,
        grid: TimeGrid | None = None,
    ) -> Stepped:
        """The parameters of step `number`, and the state after it; `state` is left as it is.

        Args:
            state: The state after the step before.
            plans: The plan of each row, the same at every step.
            previous: The events of the step before; before step 0 `size` of each stream, which
                means unknown.
            condition: The events of the condition streams at this step.
            number: The step within the row, from 0.
            grid: The grid of all rows; None for the decoder's first.
        """


class DecodingLoop:
    """Decodes the rows of a batch together.

    Args:
        decoder: Takes one step.
        heads: Of the generated streams.
        plans: A plan for every bar, or one for the whole excerpt.
        conditions: The conditions of the excerpts.
        length_steps: Length of an excerpt.

    Attributes:
        plans: The plans as rows.
        condition: The events of the condition streams as rows; without any, of no columns.
    """

    def __init__(
        self,
        decoder: DecoderStep,
        heads: EventHeads,
        plans: Float[Tensor, "batch bar hidden"],
        conditions: Conditions,
        length_steps: int,
    ) -> None:
        self._decoder = decoder
        self._heads = heads
        self._bars = plans.shape[1]
        self._length_steps = length_steps
        # (batch, bar, hidden) -> (batch * bar, hidden): every bar is a row
        self.plans = plans.flatten(0, 1)
        self._grid = conditions.grid
        told = conditions.streams
        if told is None:
            shape = (len(plans), length_steps, 0)
            told = torch.zeros(shape, dtype=torch.long, device=plans.device)
        self.condition = self.to_rows(told)

    def unroll(
        self, choose: Callable[[int, Float[Tensor, "batch _"]], Int[Tensor, "batch stream"]]
    ) -> Float[Tensor, "batch step _"]:
        """The parameters of every step of every row.

        Each step reads the events that `choose(step, parameters)` gave for the step before.
        """
        state = self._decoder.start(self.plans)
        previous = self.unknown(len(self.plans))
        every: list[Tensor] = []
        for step in range(self._length_steps // self._bars):
            condition = self.condition[:, step]
            now, state = self._decoder.step(
                state, self.plans, previous, condition, step, self._grid
            )
            every.append(now)
            previous = choose(step, now)
        return torch.stack(every, dim=1)

    @torch.no_grad()
    def sample(
        self,
        *,
        temperature: float = 1.0,
        top_p: float = 1.0,
        randomness: torch.Generator | Sequence[int],
        known: Int[Tensor, "batch step stream"] | None = None,
        mask: Float[Tensor, "batch parameter"] | None = None,
    ) -> Int[Tensor, "batch step stream"]:
        """Draws an excerpt from every row.

        Args:
            temperature: Divides the logits; 0 takes the likeliest event at every step.
            top_p: Draws among the likeliest events that together have this probability, above 0
                up to 1 (Holtzman et al. 2020, section 3.1).
            randomness: A generator for all rows; or a seed for every row, which makes a row's
                noise independent of the rows beside it.
            known: Events that are decided already, and `UNKNOWN` where one is to be drawn.
            mask: For each excerpt what is added to the parameters of every step: -inf for the
                events that it must not hold, see `EventHeads.mask`.
        """
        assert temperature >= 0, temperature
        assert 0 < top_p <= 1, top_p
        noise = self._draw_noise(randomness) if temperature > 0 else None
        decided = None if known is None else self.to_rows(known)
        drawn: list[Tensor] = []
        barred = None if mask is None else mask.repeat_interleave(self._bars, dim=0)

        def choose(step: int, now: Tensor) -> Tensor:
            if barred is not None:
                now = now + barred
            if noise is None:
                chosen = self._heads.likeliest(now)
            else:
                chosen = self._heads.draw(now, noise[:, step], temperature=temperature, top_p=top_p)
            if decided is not None:
                chosen = torch.where(decided[:, step] == UNKNOWN, chosen, decided[:, step])
            drawn.append(chosen)
            return chosen

        self.unroll(choose)
        return self.from_rows(torch.stack(drawn, dim=1))

    def unknown(self, *shape: int) -> Int[Tensor, "*batch stream"]:
        """Events that mean unknown, for every stream."""
        return self._heads.unknown.expand(*shape, -1)

    def to_rows(self, steps: Tensor) -> Tensor:
        # (batch, bar * step, ...) -> (batch * bar, step, ...)
        rows: Tensor = steps.unflatten(1, (self._bars, -1)).flatten(0, 1)
        return rows

    def from_rows(self, rows: Tensor) -> Tensor:
        # (batch * bar, step, ...) -> (batch, bar * step, ...)
        steps: Tensor = rows.unflatten(0, (-1, self._bars)).flatten(1, 2)
        return steps

    def _draw_noise(self, randomness: torch.Generator | Sequence[int]) -> Tensor:
        """Uniform noise for `EventHeads.draw`: (row, step, noise)."""
        shape = (self._length_steps, sum(self._heads.noise_sizes))
        batch = len(self.plans) // self._bars
        if isinstance(randomness, torch.Generator):
            uniform = torch.rand(batch, *shape, generator=randomness, device=randomness.device)
        else:
            assert len(randomness) == batch, f"{len(randomness)} seeds for {batch} rows"
            generators = [torch.Generator().manual_seed(seed) for seed in randomness]
            uniform = torch.stack([torch.rand(shape, generator=each) for each in generators])
        # (batch, bar * step, ...) -> (batch, bar, step, ...)
        noise: Tensor = uniform.to(self.plans.device).unflatten(1, (self._bars, -1))
        return noise.flatten(0, 1)
