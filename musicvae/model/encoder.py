"""The encoders: events to a summary of the excerpt, or of each bar, that gives the posterior.

Source: Roberts et al. 2018, section 3.1: a bidirectional LSTM whose last states parametrise the
posterior. We add the mean state of every part of the excerpt: with the last states alone, the
middle of an excerpt is learnt late.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from musicvae.model.event_embedding import EventEmbedding
from musicvae.music.notes import TimeGrid
from musicvae.runtime.shapes import parts_of_bar, parts_of_excerpt


class BidirectionalSummary(nn.Module):
    """A bidirectional LSTM over a sequence, reduced to its last states and its parts' means.

    If the length is no multiple of the parts, neighbouring parts share a step.

    Args:
        input_size: Size of one input.
        hidden_size: Size of the state in each direction.
        layers: Number of layers.
        parts: Number of equal parts of the sequence whose mean states are kept.
    """

    def __init__(self, *, input_size: int, hidden_size: int, layers: int, parts: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, layers, batch_first=True, bidirectional=True)
        self.parts = parts
        self.size = 2 * hidden_size * (1 + parts)

    def forward(self, inputs: Float[Tensor, "batch step hidden"]) -> Float[Tensor, "batch _"]:
        states, (last, _) = self.lstm(inputs)
        # (batch, step, hidden) -> (batch, part, hidden)
        if states.shape[1] % self.parts == 0:
            means = states.unflatten(1, (self.parts, -1)).mean(2)
        else:
            means = nn.functional.adaptive_avg_pool1d(states.mT, self.parts).mT
        return torch.cat([last[-2], last[-1], means.flatten(1)], dim=-1)


class BidirectionalEncoder(nn.Module):
    """One bidirectional LSTM over the whole excerpt.

    On the default grid a part is a quarter note (an eighth or a 16th where a bar is no whole
    number of quarters), or a bar in a long excerpt. An excerpt has as many parts on any grid.
    """

    def __init__(
        self,
        *,
        embedding: EventEmbedding,
        bars: int,
        steps_per_bar: int,
        hidden_size: int,
        layers: int,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.excerpt = BidirectionalSummary(
            input_size=embedding.size,
            hidden_size=hidden_size,
            layers=layers,
            parts=parts_of_excerpt(bars, steps_per_bar),
        )
        self.size = self.excerpt.size

    def forward(
        self, events: Int[Tensor, "batch step stream"], grid: TimeGrid | None = None
    ) -> Float[Tensor, "batch _"]:
        summary: Tensor = self.excerpt(self.embedding(events, grid))
        return summary


class HierarchicalEncoder(nn.Module):
    """A bidirectional LSTM within each bar, and one over the bars: a summary of each bar.

    A bar's own code is part of its summary, too: the way from a bar of the input to the same bar of
    the output is then short, and weights learnt on single bars still fit in a longer excerpt.
    """

    def __init__(
        self,
        *,
        embedding: EventEmbedding,
        bars: int,
        steps_per_bar: int,
        hidden_size: int,
        layers: int,
        code_size: int,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.bars = bars
        self.bar = BidirectionalSummary(
            input_size=embedding.size,
            hidden_size=hidden_size,
            layers=layers,
            parts=parts_of_bar(steps_per_bar),
        )
        self.code = nn.Linear(self.bar.size, code_size)
        self.excerpt = nn.LSTM(code_size, hidden_size, layers, batch_first=True, bidirectional=True)
        self.size = code_size + 2 * hidden_size

    def forward(
        self, events: Int[Tensor, "batch step stream"], grid: TimeGrid | None = None
    ) -> Float[Tensor, "batch bar _"]:
        # (batch, bar * step, stream) -> (batch * bar, step, stream): every bar is a row
        rows = events.unflatten(1, (self.bars, -1)).flatten(0, 1)
        codes = self.code(self.bar(self.embedding(rows, grid))).unflatten(0, (-1, self.bars))
        context, _ = self.excerpt(codes)
        return torch.cat([codes, context], dim=-1)
