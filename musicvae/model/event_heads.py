"""From a decoder's parameters of a step to a distribution over its events.

A stream of classes has a logit for every event. A stream of numbers has a mean and the logarithm of
a scale: a discretised logistic, which gives every number of the scale its probability.

Source: Salimans et al. 2017, PixelCNN++, section 2.1, with one component. Gillick et al. 2019,
section 3.3, regress velocities and offsets by squared errors; draws need a distribution.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from musicvae.representation.streams import Stream

_LEAST_LOG_SCALE = -7.0
_SURE = 1e-5
"""A smaller probability is computed from the density: a difference would be all rounding error."""


class _Group(NamedTuple):
    """Neighbouring streams of one kind and size, which are computed together.

    Attributes:
        columns: Their columns in the events.
        is_number: Whether their events are numbers.
        size: Number of events of each stream.
        gates: The column that says where each stream counts; None where all always count.
    """

    columns: slice
    is_number: bool
    size: int
    gates: list[int] | None


class EventHeads(nn.Module):
    """The distributions of several streams, whose parameters stand side by side.

    Args:
        streams: The generated streams.

    Attributes:
        parameter_sizes: Number of parameters of an event of each stream.
        noise_sizes: Number of uniform random numbers for a draw of each stream.
        unknown: An event of each stream that means unknown, one above its last.
    """

    unknown: Int[Tensor, " stream"]

    def __init__(self, streams: Sequence[Stream]) -> None:
        super().__init__()
        self.streams = tuple(streams)
        self.parameter_sizes = tuple(2 if each.is_number else each.size for each in streams)
        self.noise_sizes = tuple(1 if each.is_number else each.size for each in streams)
        self._groups = _group(self.streams)
        sizes = torch.tensor([each.size for each in streams], dtype=torch.long)
        self.register_buffer("unknown", sizes, persistent=False)

    def log_prob(
        self,
        parameters: Float[Tensor, "batch step _"],
        events: Int[Tensor, "batch step stream"],
    ) -> Float[Tensor, "batch step stream"]:
        """Log likelihood of every event in nats; 0 where a stream does not count."""
        columns = []
        for group, block in self._blocks(parameters, self.parameter_sizes):
            event = events[..., group.columns]
            if group.is_number:
                likelihood = _log_prob_of_number(block, event, group.size)
            else:
                # (batch, step, stream, event) -> (row, event), as it is in memory
                likelihood = -nn.functional.cross_entropy(
                    block.flatten(0, -2), event.flatten(), reduction="none"
                ).view(event.shape)
            if group.gates is not None:
                likelihood = likelihood * (events[..., group.gates] > 0)
            columns.append(likelihood)
        return torch.cat(columns, dim=-1)

    def mask(
        self, allowed: Sequence[Bool[Tensor, "batch _event"]]
    ) -> Float[Tensor, "batch parameter"]:
        """Makes numbers that, added to parameters, let only allowed events be drawn.

        Args:
            allowed: For each stream the allowed events of each excerpt; of numbers all are.
        """
        blocks = [
            torch.zeros(len(events), size)
            if stream.is_number
            else torch.where(events, 0.0, -torch.inf)
            for stream, size, events in zip(
                self.streams, self.parameter_sizes, allowed, strict=True
            )
        ]
        return torch.cat(blocks, dim=-1)

    def masked_nats(
        self, parameters: Float[Tensor, "batch step _"], mask: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch step stream"]:
        """The cost of a mask: minus the log probability of all events that it allows."""
        sizes = self.parameter_sizes
        columns = [
            torch.zeros(every.shape[:-1])
            if group.is_number
            else every.logsumexp(-1) - allowed.logsumexp(-1)
            for (group, every), (_, allowed) in zip(
                self._blocks(parameters, sizes),
                self._blocks(parameters + mask[:, None], sizes),
                strict=True,
            )
        ]
        return torch.cat(columns, dim=-1)

    def likeliest(self, parameters: Float[Tensor, "*batch _"]) -> Int[Tensor, "*batch stream"]:
        """The likeliest event of each stream; of a number the middle of its distribution."""
        columns = [
            _to_event(block[..., 0], group.size) if group.is_number else block.argmax(-1)
            for group, block in self._blocks(parameters, self.parameter_sizes)
        ]
        return torch.cat(columns, dim=-1)

    def draw(
        self,
        parameters: Float[Tensor, "batch _"],
        uniform: Float[Tensor, "batch _"],
        *,
        temperature: float = 1.0,
        top_p: float = 1.0,
    ) -> Int[Tensor, "batch stream"]:
        """Draws an event of each stream.

        Args:
            parameters: The parameters of one step.
            uniform: Numbers between 0 and 1, as many as `noise_sizes` sum to.
            temperature: Divides the logits, and multiplies the scales; above 0.
            top_p: Classes are drawn among the likeliest classes that together have this
                probability.
        """
        columns = []
        for (group, block), (_, noise) in zip(
            self._blocks(parameters, self.parameter_sizes),
            self._blocks(uniform, self.noise_sizes),
            strict=True,
        ):
            if group.is_number:
                spread = _log_scale(block).exp() * temperature
                logistic = torch.logit(noise[..., 0], eps=1e-6)
                columns.append(_to_event(block[..., 0] + spread * logistic, group.size))
            else:
                smallest = torch.finfo(noise.dtype).tiny
                # A uniform number stays below 1, so the inner logarithm is never 0.
                gumbel = -torch.log(-torch.log(noise.clamp_min(smallest)))
                columns.append((_nucleus(block / temperature, top_p) + gumbel).argmax(-1))
        return torch.cat(columns, dim=-1)

    def _blocks(self, values: Tensor, sizes: Sequence[int]) -> list[tuple[_Group, Tensor]]:
        """Splits values by group, with an axis for the streams of each."""
        widths = [sum(sizes[group.columns]) for group in self._groups]
        blocks = values.split(widths, dim=-1)
        return [
            (group, block.unflatten(-1, (group.columns.stop - group.columns.start, -1)))
            for group, block in zip(self._groups, blocks, strict=True)
        ]


def _group(streams: Sequence[Stream]) -> list[_Group]:
    groups: list[_Group] = []
    for (is_number, size, has_gate), members in groupby(
        enumerate(streams),
        key=lambda each: (each[1].is_number, each[1].size, each[1].gate is not None),
    ):
        columns, alike = zip(*members, strict=True)
        gates = [stream.gate for stream in alike if stream.gate is not None]
        groups.append(
            _Group(
                columns=slice(columns[0], columns[-1] + 1),
                is_number=is_number,
                size=size,
                gates=gates if has_gate else None,
            )
        )
    return groups


def _log_prob_of_number(parameters: Tensor, event: Tensor, size: int) -> Tensor:
    half = 1 / (size - 1)
    log_scale = _log_scale(parameters)
    from_mean = (2 * half * event - 1) - parameters[..., 0]
    upper = (from_mean + half) * torch.exp(-log_scale)
    lower = (from_mean - half) * torch.exp(-log_scale)
    middle = from_mean * torch.exp(-log_scale)
    density = (
        middle - log_scale - 2 * nn.functional.softplus(middle) + torch.log(torch.tensor(2 * half))
    )
    share = upper.sigmoid() - lower.sigmoid()
    inner = torch.where(share > _SURE, share.clamp_min(_SURE).log(), density)
    first, last = nn.functional.logsigmoid(upper), nn.functional.logsigmoid(-lower)
    return torch.where(event == 0, first, torch.where(event == size - 1, last, inner))


def _log_scale(parameters: Tensor) -> Tensor:
    return parameters[..., 1].clamp_min(_LEAST_LOG_SCALE)


def _to_event(position: Tensor, size: int) -> Tensor:
    """The number of the scale that is nearest to a position of -1 to 1."""
    return ((position.clamp(-1, 1) + 1) / 2 * (size - 1)).round().long()


def _nucleus(logits: Tensor, top_p: float) -> Tensor:
    """Rules out all events but the likeliest, which together reach `top_p`."""
    if top_p == 1:
        return logits
    ordered, order = logits.softmax(-1).sort(descending=True)
    is_beyond = ordered.cumsum(-1) - ordered >= top_p
    return logits.masked_fill(is_beyond.scatter(-1, order, is_beyond), float("-inf"))
