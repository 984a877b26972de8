"""p(events | z): what `MusicVAE.decode` returns, for training and for generation alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from musicvae.model.bar_decoder import BarDecoder


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
        bar_decoder: Plays a plan.
        plans: One for every bar, or one for the whole excerpt.
        length_steps: Length of the excerpt.
        vocabulary_sizes: Number of events of each stream.
    """

    def __init__(
        self,
        bar_decoder: BarDecoder,
        plans: Float[Tensor, "batch bar hidden"],
        length_steps: int,
        vocabulary_sizes: tuple[int, ...],
    ) -> None:
        self._bar_decoder = bar_decoder
        self._bars = plans.shape[1]
        self._length_steps = length_steps
        self._vocabulary_sizes = vocabulary_sizes
        # (batch, bar, hidden) -> (batch * bar, hidden): every bar is a row
        self._plans = plans.flatten(0, 1)

    def log_prob(
        self, events: Int[Tensor, "batch step stream"], *, teacher: Teacher | None = None
    ) -> Float[Tensor, " batch"]:
        """Log likelihood of each excerpt in nats, summed over steps and streams.

        With a `teacher` it is that of the events given what the teacher let the decoder hear:
        for training only.
        """
        return log_likelihood(self.logits(events, teacher=teacher), events, self._vocabulary_sizes)

    def logits(
        self, events: Int[Tensor, "batch step stream"], *, teacher: Teacher | None = None
    ) -> Float[Tensor, "batch step event"]:
        """Logits of every step given the true events before it; streams stand side by side."""
        rows = self._to_rows(events)
        if teacher is not None and teacher.sampled > 0:
            logits = self._bar_decoder.unroll(
                self._plans, rows.shape[1], lambda step, now: self._lead(rows, step, now, teacher)
            )
        else:
            history = torch.cat([self._unknown(rows[:, :1]), rows[:, :-1]], dim=1)
            if teacher is not None and teacher.hidden > 0:
                history = self._hide(history, teacher)
            logits = self._bar_decoder(self._plans, history)
        return self._from_rows(logits)

    def sample(
        self,
        *,
        temperature: float = 1.0,
        top_p: float = 1.0,
        randomness: torch.Generator | Sequence[int],
    ) -> Int[Tensor, "batch step stream"]:
        """Draws an excerpt from every row.

        Args:
            temperature: Divides the logits; 0 takes the likeliest event at every step.
            top_p: Draws among the likeliest events that together have this probability, above 0
                up to 1 (Holtzman et al. 2020, section 3.1).
            randomness: A generator for all rows; or a seed for every row, which makes a row's
                noise independent of the rows beside it.
        """
        assert temperature >= 0, temperature
        assert 0 < top_p <= 1, top_p
        rows, steps = len(self._plans), self._length_steps // self._bars
        noise = self._from_noise(randomness) if temperature > 0 else None
        drawn = self._plans.new_empty((rows, steps, len(self._vocabulary_sizes)), dtype=torch.long)

        def choose(step: int, logits: Tensor) -> Tensor:
            if noise is not None:
                logits = _nucleus(logits / temperature, self._vocabulary_sizes, top_p)
                logits = logits + noise[:, step]
            drawn[:, step] = likeliest(logits, self._vocabulary_sizes)
            return drawn[:, step]

        with torch.no_grad():
            self._bar_decoder.unroll(self._plans, steps, choose)
        return self._from_rows(drawn)

    def mode(self) -> Int[Tensor, "batch step stream"]:
        """The excerpt that takes the likeliest event at every step."""
        return self.sample(temperature=0.0, randomness=[])

    def _from_noise(self, randomness: torch.Generator | Sequence[int]) -> Tensor:
        """Gumbel noise for every row, step and event: the argmax of logits + noise is a draw."""
        shape = (self._length_steps, sum(self._vocabulary_sizes))
        batch = len(self._plans) // self._bars
        if isinstance(randomness, torch.Generator):
            uniform = torch.rand(batch, *shape, generator=randomness, device=randomness.device)
        else:
            assert len(randomness) == batch, f"{len(randomness)} seeds for {batch} rows"
            generators = [torch.Generator().manual_seed(seed) for seed in randomness]
            uniform = torch.stack([torch.rand(shape, generator=each) for each in generators])
        smallest = torch.finfo(uniform.dtype).tiny
        # A draw stays below 1, so the inner logarithm is never 0.
        gumbel = -torch.log(-torch.log(uniform.clamp_min(smallest)))
        return self._to_rows(gumbel.to(self._plans.device))

    def _lead(self, truth: Tensor, step: int, logits: Tensor, teacher: Teacher) -> Tensor:
        """What the next step hears of this one under a teacher who lets it err."""
        draws = torch.rand((2, len(truth)), generator=teacher.generator, device=truth.device)
        uniform = torch.rand(logits.shape, generator=teacher.generator, device=truth.device)
        gumbel = -torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))
        own = likeliest(logits.detach() + gumbel, self._vocabulary_sizes)
        heard = torch.where((draws[0] < teacher.sampled)[:, None], own, truth[:, step])
        is_hidden = (draws[1] < teacher.hidden)[:, None]
        return torch.where(is_hidden, self._unknown(heard), heard)

    def _hide(self, history: Tensor, teacher: Teacher) -> Tensor:
        shape = history.shape[:2]
        draws = torch.rand(shape, generator=teacher.generator, device=history.device)
        return torch.where((draws < teacher.hidden)[..., None], self._unknown(history), history)

    def _unknown(self, like: Tensor) -> Tensor:
        return self._bar_decoder.embedding.unknown.expand_as(like)

    def _to_rows(self, steps: Tensor) -> Tensor:
        # (batch, bar * step, ...) -> (batch * bar, step, ...)
        rows: Tensor = steps.unflatten(1, (self._bars, -1)).flatten(0, 1)
        return rows

    def _from_rows(self, rows: Tensor) -> Tensor:
        # (batch * bar, step, ...) -> (batch, bar * step, ...)
        steps: Tensor = rows.unflatten(0, (-1, self._bars)).flatten(1, 2)
        return steps


def log_likelihood(
    logits: Float[Tensor, "batch step event"],
    events: Int[Tensor, "batch step stream"],
    vocabulary_sizes: tuple[int, ...],
) -> Float[Tensor, " batch"]:
    """Log likelihood of each excerpt under the logits of its steps, in nats."""
    return torch.stack(
        [
            -torch.nn.functional.cross_entropy(
                stream.transpose(1, 2), events[..., i], reduction="none"
            ).sum(1)
            for i, stream in enumerate(logits.split(vocabulary_sizes, dim=-1))
        ]
    ).sum(0)


def likeliest(
    logits: Float[Tensor, "*batch event"], vocabulary_sizes: tuple[int, ...]
) -> Int[Tensor, "*batch stream"]:
    """The likeliest event of each stream."""
    return torch.stack([s.argmax(-1) for s in logits.split(vocabulary_sizes, dim=-1)], dim=-1)


def _nucleus(logits: Tensor, vocabulary_sizes: tuple[int, ...], top_p: float) -> Tensor:
    """Rules out the events beyond the likeliest ones that reach `top_p` together."""
    if top_p == 1:
        return logits
    streams = []
    for stream in logits.split(vocabulary_sizes, dim=-1):
        ordered, order = stream.softmax(-1).sort(descending=True)
        is_beyond = ordered.cumsum(-1) - ordered >= top_p
        streams.append(stream.masked_fill(is_beyond.scatter(-1, order, is_beyond), float("-inf")))
    return torch.cat(streams, dim=-1)
