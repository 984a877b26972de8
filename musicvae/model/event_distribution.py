"""p(events | z, conditions): what `MusicVAE.decode` returns, in training and generation alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from musicvae.model.conditions import Conditions
from musicvae.model.decoder import Decoder
from musicvae.model.decoding_loop import DecodingLoop


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
        self._loop = DecodingLoop(decoder, decoder.heads, plans, conditions, length_steps)

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
        loop = self._loop
        rows = loop.to_rows(events)
        if teacher is not None and teacher.sampled > 0:
            return loop.from_rows(
                loop.unroll(lambda step, now: self._teach(rows[:, step], now, teacher))
            )
        history = torch.cat([loop.unknown(len(rows), 1), rows[:, :-1]], dim=1)
        if teacher is not None and teacher.hidden > 0:
            history = self._hide(history, teacher)
        inputs = torch.cat([history, loop.condition], dim=-1)
        return loop.from_rows(self._decoder(loop.plans, inputs, self._grid))

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
        mask: Float[Tensor, "batch parameter"] | None = None,
    ) -> Int[Tensor, "batch step stream"]:
        """Draws an excerpt from every row; see `DecodingLoop.sample`."""
        return self._loop.sample(
            temperature=temperature,
            top_p=top_p,
            randomness=randomness,
            known=known,
            mask=mask,
        )

    def masked_nats(
        self, events: Int[Tensor, "batch step stream"], mask: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, " batch"]:
        """The cost of a mask along some events, summed; see `EventHeads.masked_nats`."""
        return self._heads.masked_nats(self.parameters(events), mask).sum((1, 2))

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
        return torch.where(is_hidden, self._loop.unknown(len(truth)), history)

    def _hide(self, history: Tensor, teacher: Teacher) -> Tensor:
        shape = history.shape[:2]
        draws = torch.rand(shape, generator=teacher.generator, device=history.device)
        is_hidden = (draws < teacher.hidden)[..., None]
        return torch.where(is_hidden, self._loop.unknown(*shape), history)
