"""From a decoder's parameters of a step to a distribution over its events.

A stream of classes has a logit for every event. A stream of numbers has a mean and the logarithm of
a scale: a discretised logistic, which gives every number of the scale its probability.

Source: Salimans et al. 2017, PixelCNN++, section 2.1, with one component. Gillick et al. 2019,
section 3.3, regress velocities and offsets by squared errors; draws need a distribution.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from musicvae.representation.streams import Stream
from musicvae.runtime.event_draws import LEAST_LOG_SCALE, Group, group_streams

_SURE = 1e-5
"""A smaller probability is computed from the density: a difference would be all rounding error."""


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
        self._groups = group_streams(self.streams)
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
    ) -> Int[Tensor, "batch stream"]:
        """Draws an event of each stream; `EventDraws` draws with a temperature, and from a nucleus.

        Args:
            parameters: The parameters of one step.
            uniform: Numbers between 0 and 1, as many as `noise_sizes` sum to.
        """
        columns = []
        for (group, block), (_, noise) in zip(
            self._blocks(parameters, self.parameter_sizes),
            self._blocks(uniform, self.noise_sizes),
            strict=True,
        ):
            if group.is_number:
                spread = _log_scale(block).exp()
                logistic = torch.logit(noise[..., 0], eps=1e-6)
                columns.append(_to_event(block[..., 0] + spread * logistic, group.size))
            else:
                smallest = torch.finfo(noise.dtype).tiny
                # A uniform number stays below 1, so the inner logarithm is never 0.
                gumbel = -torch.log(-torch.log(noise.clamp_min(smallest)))
                columns.append((block + gumbel).argmax(-1))
        return torch.cat(columns, dim=-1)

    def _blocks(self, values: Tensor, sizes: Sequence[int]) -> list[tuple[Group, Tensor]]:
        """Splits values by group, with an axis for the streams of each."""
        widths = [sum(sizes[group.columns]) for group in self._groups]
        blocks = values.split(widths, dim=-1)
        return [
            (group, block.unflatten(-1, (group.columns.stop - group.columns.start, -1)))
            for group, block in zip(self._groups, blocks, strict=True)
        ]


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
    return parameters[..., 1].clamp_min(LEAST_LOG_SCALE)


def _to_event(position: Tensor, size: int) -> Tensor:
    """The number of the scale that is nearest to a position of -1 to 1."""
    return ((position.clamp(-1, 1) + 1) / 2 * (size - 1)).round().long()
