"""p(events | z): what `MusicVAE.decode` returns, for training and for generation alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from musicvae.model.bar_decoder import BarDecoder
from musicvae.model.event_heads import EventHeads

SAMPLE_TEMPERATURE = 0.5
"""The default temperature of draws. The latent brings the variety; events that are drawn as freely
besides make wrong notes."""

UNKNOWN = -1
"""In `sample`'s `known`: an event that is to be drawn."""


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """How much of the true past the decoder hears while it learns.

    Attributes:
        hidden: Share of the past events that are hidden, 0 to 1. A decoder that hears all its
            past has little need of the latent (Bowman et al. 2016, section 3.1, "word dropout").
        sampled: Share of the past events that are its own samples instead of the true ones, 0 to
            1: scheduled sampling (Bengio et al. 2015; Roberts et al. 2018, section 5.1).
        generator: Decides which.
    """

    hidden: float = 0.0
    sampled: float = 0.0
    generator: torch.Generator

    def __post_init__(self) -> None:
        assert 0 <= self.hidden <= 1, self.hidden
        assert 0 <= self.sampled <= 1, self.sampled


class EventDistribution:
    """A distribution over the events of excerpts, one for each row of plans.

    Args:
        bar_decoders: Play a plan together: each gives the parameters of some streams, in order.
        heads: Of the streams that are made.
        plans: One for every bar, or one for the whole excerpt.
        given: The events of the streams that are given, in every step; None where none are.
        length_steps: Length of the excerpt.
    """

    def __init__(
        self,
        bar_decoders: Sequence[BarDecoder],
        heads: EventHeads,
        plans: Float[Tensor, "batch bar hidden"],
        given: Int[Tensor, "batch step stream"] | None,
        length_steps: int,
    ) -> None:
        self._bar_decoders = bar_decoders
        self._heads = heads
        self._bars = plans.shape[1]
        self._length_steps = length_steps
        # (batch, bar, hidden) -> (batch * bar, hidden): every bar is a row
        self._plans = plans.flatten(0, 1)
        shape = (len(plans), length_steps, 0)
        empty = torch.zeros(shape, dtype=torch.long, device=plans.device)
        self._given = self._to_rows(empty if given is None else given)

    def log_prob(
        self, events: Int[Tensor, "batch step stream"], *, teacher: Teacher | None = None
    ) -> Float[Tensor, " batch"]:
        """Log likelihood of each excerpt in nats, summed over steps and streams.

        With a `teacher` it is that of the events given what the teacher let the decoder hear:
        for training only.
        """
        parameters = self.parameters(events, teacher=teacher)
        return self._heads.log_prob(parameters, events).sum((1, 2))

    def parameters(
        self, events: Int[Tensor, "batch step stream"], *, teacher: Teacher | None = None
    ) -> Float[Tensor, "batch step _"]:
        """The heads' parameters of every step given the true events before it."""
        rows = self._to_rows(events)
        if teacher is not None and teacher.sampled > 0:
            return self._from_rows(
                self._unroll(lambda step, now: self._lead(rows, step, now, teacher))
            )
        history = torch.cat([self._unknown(rows[:, :1]), rows[:, :-1]], dim=1)
        if teacher is not None and teacher.hidden > 0:
            history = self._hide(history, teacher)
        heard = torch.cat([history, self._given], dim=-1)
        blocks = [decoder(self._plans, heard) for decoder in self._bar_decoders]
        return self._from_rows(torch.cat(blocks, dim=-1))

    def likeliest(
        self, events: Int[Tensor, "batch step stream"]
    ) -> Int[Tensor, "batch step stream"]:
        """The likeliest event of every step given the true events before it."""
        return self._heads.likeliest(self.parameters(events))

    def sample(
        self,
        *,
        temperature: float = 1.0,
        top_p: float = 1.0,
        randomness: torch.Generator | Sequence[int],
        known: Int[Tensor, "batch step stream"] | None = None,
        repeats: Int[Tensor, "batch bar"] | None = None,
    ) -> Int[Tensor, "batch step stream"]:
        """Draws an excerpt from every row.

        Args:
            temperature: Divides the logits; 0 takes the likeliest event at every step.
            top_p: Draws among the likeliest events that together have this probability, above 0
                up to 1 (Holtzman et al. 2020, section 3.1).
            randomness: A generator for all rows; or a seed for every row, which makes a row's
                noise independent of the rows beside it.
            known: Events that stand already, and `UNKNOWN` where one is to be drawn.
            repeats: For each bar the number of the bar whose noise it hears, such as
                `MusicVAE.find_repeats` gives: chance then undoes no repetition. Without, each has
                its own.
        """
        assert temperature >= 0, temperature
        assert 0 < top_p <= 1, top_p
        steps, streams = self._length_steps // self._bars, len(self._heads.streams)
        noise = self._draw_noise(randomness, repeats) if temperature > 0 else None
        fixed = None if known is None else self._to_rows(known)
        drawn = self._given.new_empty((len(self._plans), steps, streams))

        def choose(step: int, now: Tensor) -> Tensor:
            if noise is None:
                chosen = self._heads.likeliest(now)
            else:
                chosen = self._heads.draw(now, noise[:, step], temperature=temperature, top_p=top_p)
            if fixed is not None:
                chosen = torch.where(fixed[:, step] == UNKNOWN, chosen, fixed[:, step])
            drawn[:, step] = chosen
            return chosen

        with torch.no_grad():
            self._unroll(choose)
        return self._from_rows(drawn)

    def mode(self) -> Int[Tensor, "batch step stream"]:
        """The excerpt that takes the likeliest event at every step."""
        return self.sample(temperature=0.0, randomness=[])

    def _unroll(self, choose: Callable[[int, Tensor], Tensor]) -> Tensor:
        """The parameters of every step of every row.

        Each step hears what `choose(step, parameters)` made of the one before: this one loop serves
        sampling and scheduled sampling.
        """
        states = [decoder.start(self._plans) for decoder in self._bar_decoders]
        history = self._unknown(self._given.new_empty((len(self._plans), len(self._heads.streams))))
        every: list[Tensor] = []
        for step in range(self._length_steps // self._bars):
            heard = torch.cat([history, self._given[:, step]], dim=-1)
            blocks = [
                decoder.step(self._plans, state, heard, step)
                for decoder, state in zip(self._bar_decoders, states, strict=True)
            ]
            every.append(torch.cat(blocks, dim=-1))
            history = choose(step, every[-1])
        return torch.stack(every, dim=1)

    def _draw_noise(
        self,
        randomness: torch.Generator | Sequence[int],
        repeats: Int[Tensor, "batch bar"] | None,
    ) -> Tensor:
        """Uniform noise for every row and step, for `EventHeads.draw`."""
        shape = (self._length_steps, sum(self._heads.noise_sizes))
        batch = len(self._plans) // self._bars
        if isinstance(randomness, torch.Generator):
            uniform = torch.rand(batch, *shape, generator=randomness, device=randomness.device)
        else:
            assert len(randomness) == batch, f"{len(randomness)} seeds for {batch} rows"
            generators = [torch.Generator().manual_seed(seed) for seed in randomness]
            uniform = torch.stack([torch.rand(shape, generator=each) for each in generators])
        # (batch, bar * step, ...) -> (batch, bar, step, ...)
        noise: Tensor = uniform.to(self._plans.device).unflatten(1, (self._bars, -1))
        if repeats is not None:
            noise = noise[torch.arange(batch, device=noise.device)[:, None], repeats]
        return noise.flatten(0, 1)

    def _lead(self, truth: Tensor, step: int, now: Tensor, teacher: Teacher) -> Tensor:
        """What the next step hears of this one under a teacher who lets it err."""
        draws = torch.rand((2, len(truth)), generator=teacher.generator, device=truth.device)
        shape = (len(truth), sum(self._heads.noise_sizes))
        uniform = torch.rand(shape, generator=teacher.generator, device=truth.device)
        own = self._heads.draw(now.detach(), uniform)
        heard = torch.where((draws[0] < teacher.sampled)[:, None], own, truth[:, step])
        is_hidden = (draws[1] < teacher.hidden)[:, None]
        return torch.where(is_hidden, self._unknown(heard), heard)

    def _hide(self, history: Tensor, teacher: Teacher) -> Tensor:
        shape = history.shape[:2]
        draws = torch.rand(shape, generator=teacher.generator, device=history.device)
        return torch.where((draws < teacher.hidden)[..., None], self._unknown(history), history)

    def _unknown(self, like: Tensor) -> Tensor:
        unknown = self._bar_decoders[0].embedding.unknown
        return unknown[: like.shape[-1]].expand_as(like)

    def _to_rows(self, steps: Tensor) -> Tensor:
        # (batch, bar * step, ...) -> (batch * bar, step, ...)
        rows: Tensor = steps.unflatten(1, (self._bars, -1)).flatten(0, 1)
        return rows

    def _from_rows(self, rows: Tensor) -> Tensor:
        # (batch * bar, step, ...) -> (batch, bar * step, ...)
        steps: Tensor = rows.unflatten(0, (-1, self._bars)).flatten(1, 2)
        return steps
