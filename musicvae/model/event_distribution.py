"""p(events | z, conditions): what `MusicVAE.decode` returns, in training and generation alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from musicvae.model.conditions import Conditions
from musicvae.model.decoder import Decoder
from musicvae.model.torch_runtime import TorchDecoder, to_array
from musicvae.runtime.decoding import UNKNOWN, unroll
from musicvae.runtime.event_draws import EventDraws, uniform_noise
from musicvae.runtime.excerpts import draw_excerpts


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """How much of the true past the decoder reads while it learns.

    Attributes:
        hidden: Share of the past events that are hidden, 0 to 1. A decoder that reads all of its
            past has little need of the latent (Bowman et al. 2016, section 3.1, "word dropout").
        sampled: Share of the past events that are the decoder's own samples instead of the true
            events, 0 to 1: scheduled sampling (Bengio et al. 2015; Roberts et al. 2018, section
            5.1).
        generator: Decides which.
    """

    hidden: float = 0.0
    sampled: float = 0.0
    generator: torch.Generator

    def __post_init__(self) -> None:
        assert 0 <= self.hidden <= 1, self.hidden
        assert 0 <= self.sampled <= 1, self.sampled


class EventDistribution:
    """A distribution over the generated events of excerpts, one for each row of plans.

    Args:
        decoder: Plays the plans.
        plans: A plan for every bar, or one for the whole excerpt.
        conditions: The conditions of the excerpts.
        length_steps: Length of an excerpt.
    """

    def __init__(
        self,
        decoder: Decoder,
        plans: Float[Tensor, "batch bar hidden"],
        conditions: Conditions,
        length_steps: int,
    ) -> None:
        self._decoder = decoder
        self._grid = conditions.grid
        self._heads = decoder.heads
        self._bars = plans.shape[1]
        self._length_steps = length_steps
        # (batch, bar, hidden) -> (batch * bar, hidden): every bar is a row
        self._plans = plans.flatten(0, 1)
        told = conditions.streams
        if told is None:
            shape = (len(plans), length_steps, 0)
            told = torch.zeros(shape, dtype=torch.long, device=plans.device)
        self._condition = self._to_rows(told)

    def log_prob(
        self,
        events: Int[Tensor, "batch step stream"],
        *,
        teacher: Teacher | None = None,
        weights: Float[Tensor, "batch step stream"] | None = None,
    ) -> Float[Tensor, " batch"]:
        """Log likelihood of each excerpt in nats, summed over steps and streams.

        With a `teacher` each event's likelihood is given the past that the teacher let the decoder
        read, and `weights` multiply each event's likelihood: both for training only.
        """
        parameters = self.parameters(events, teacher=teacher)
        each = self._heads.log_prob(parameters, events)
        return (each if weights is None else each * weights).sum((1, 2))

    def parameters(
        self, events: Int[Tensor, "batch step stream"], *, teacher: Teacher | None = None
    ) -> Float[Tensor, "batch step _"]:
        """The heads' parameters of every step given the true events before it."""
        rows = self._to_rows(events)
        if teacher is not None and teacher.sampled > 0:
            steps = unroll(
                self._decoder,
                self._decoder.start(self._plans, self._condition),
                self._unknown(len(rows)),
                rows.shape[1],
                lambda step, now: self._teach(rows[:, step], now, teacher),
                self._grid,
            )
            return self._from_rows(torch.stack(list(steps), dim=1))
        history = torch.cat([self._unknown(len(rows), 1), rows[:, :-1]], dim=1)
        if teacher is not None and teacher.hidden > 0:
            history = self._hide(history, teacher)
        inputs = torch.cat([history, self._condition], dim=-1)
        return self._from_rows(self._decoder(self._plans, inputs, self._grid))

    def likeliest(
        self, events: Int[Tensor, "batch step stream"]
    ) -> Int[Tensor, "batch step stream"]:
        """The likeliest event of every step given the true events before it."""
        return self._heads.likeliest(self.parameters(events))

    @torch.no_grad()
    def sample(
        self,
        *,
        temperature: float = 1.0,
        top_p: float = 1.0,
        randomness: torch.Generator | Sequence[int],
        known: Int[Tensor, "batch step stream"] | None = None,
    ) -> Int[Tensor, "batch step stream"]:
        """Draws an excerpt from every row.

        Args:
            temperature: Divides the logits; 0 takes the likeliest event at every step.
            top_p: Draws among the likeliest events that together have this probability, above 0
                up to 1 (Holtzman et al. 2020, section 3.1).
            randomness: A generator for all rows; or a seed for every row, which makes a row's
                noise independent of the rows beside it.
            known: Events that are decided already, and `UNKNOWN` where one is to be drawn.
        """
        plans = to_array(self._plans)
        plans = plans.reshape(-1, self._bars, plans.shape[1])
        draws, size = EventDraws(self._heads.streams), (self._length_steps,)
        if temperature == 0:
            uniform = None
        elif isinstance(randomness, torch.Generator):
            shape = (len(plans), *size, draws.noise_size)
            uniform = to_array(torch.rand(shape, generator=randomness, device=randomness.device))
        else:
            assert len(randomness) == len(plans), f"{len(randomness)} seeds for {len(plans)} rows"
            uniform = uniform_noise(randomness, *size, draws.noise_size)
        if known is None:
            known = torch.full((len(plans), *size, len(self._heads.streams)), UNKNOWN)
        drawn = draw_excerpts(
            TorchDecoder(self._decoder),
            plans,
            to_array(self._from_rows(self._condition)),
            draws,
            uniform,
            to_array(known),
            temperature=temperature,
            top_p=top_p,
            grid=self._grid,
            mask=None,
            free=None,
        )
        return torch.from_numpy(drawn.events).to(self._plans.device)

    def mode(self) -> Int[Tensor, "batch step stream"]:
        """The excerpt that takes the likeliest event at every step."""
        return self.sample(temperature=0.0, randomness=[])

    def _teach(self, truth: Tensor, now: Tensor, teacher: Teacher) -> Tensor:
        """The events that the next step reads: true, the decoder's own, or hidden."""
        draws = torch.rand((2, len(truth)), generator=teacher.generator, device=truth.device)
        shape = (len(truth), sum(self._heads.noise_sizes))
        uniform = torch.rand(shape, generator=teacher.generator, device=truth.device)
        own = self._heads.draw(now.detach(), uniform)
        history = torch.where((draws[0] < teacher.sampled)[:, None], own, truth)
        is_hidden = (draws[1] < teacher.hidden)[:, None]
        return torch.where(is_hidden, self._unknown(len(truth)), history)

    def _hide(self, history: Tensor, teacher: Teacher) -> Tensor:
        shape = history.shape[:2]
        draws = torch.rand(shape, generator=teacher.generator, device=history.device)
        is_hidden = (draws < teacher.hidden)[..., None]
        return torch.where(is_hidden, self._unknown(*shape), history)

    def _unknown(self, *shape: int) -> Int[Tensor, "*batch stream"]:
        """Events that mean unknown, for every stream."""
        return self._heads.unknown.expand(*shape, -1)

    def _to_rows(self, steps: Tensor) -> Tensor:
        # (batch, bar * step, ...) -> (batch * bar, step, ...)
        rows: Tensor = steps.unflatten(1, (self._bars, -1)).flatten(0, 1)
        return rows

    def _from_rows(self, rows: Tensor) -> Tensor:
        # (batch * bar, step, ...) -> (batch, bar * step, ...)
        steps: Tensor = rows.unflatten(0, (-1, self._bars)).flatten(1, 2)
        return steps
