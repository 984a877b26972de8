"""The decoder: shares of a latent to plans, and plans to the parameters of every step's events."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from musicvae.model.bar_decoder import BarDecoder
from musicvae.model.conductor import Conductor
from musicvae.model.event_heads import EventHeads
from musicvae.music.notes import TimeGrid
from musicvae.runtime.decoding import State, Stepped


class Decoder(nn.Module):
    """Plans the parts of an excerpt (its bars, or the whole as one long bar) and plays each plan.

    Args:
        conductor: Makes the plans of the bars; None where the latent itself is the one plan.
        bar_decoders: Play a plan together: each gives the parameters of some streams, in order.
        heads: Of the generated streams.
    """

    def __init__(
        self, *, conductor: Conductor | None, bar_decoders: Sequence[BarDecoder], heads: EventHeads
    ) -> None:
        super().__init__()
        self.conductor = conductor
        self.bar_decoders = nn.ModuleList(bar_decoders)
        self.heads = heads

    def plan(self, shares: Float[Tensor, "batch bar share"]) -> Float[Tensor, "batch bar hidden"]:
        """The plan of each part."""
        plans: Tensor = shares if self.conductor is None else self.conductor(shares)
        return plans

    def forward(
        self,
        plans: Float[Tensor, "batch hidden"],
        inputs: Int[Tensor, "batch step stream"],
        grid: TimeGrid | None = None,
    ) -> Float[Tensor, "batch step _"]:
        """The parameters of every step, when step t reads `inputs[:, t]`; a row is one part."""
        return torch.cat([decoder(plans, inputs, grid) for decoder in self.bar_decoders], dim=-1)

    def start(
        self,
        plans: Float[Tensor, "batch hidden"],
        condition: Int[Tensor, "batch step _condition"],
    ) -> State:
        """See `DecoderRuntime`."""
        states = [each for decoder in self._bar_decoders() for each in decoder.start(plans)]
        return (condition, plans, *states)

    def step(
        self,
        state: State,
        previous: Int[Tensor, "batch stream"],
        number: int,
        grid: TimeGrid | None = None,
    ) -> Stepped[Tensor]:
        """See `Step`."""
        condition, plans, *before = state
        inputs = torch.cat([previous, condition[:, number]], dim=-1)
        blocks: list[Tensor] = []
        after: list[Tensor] = []
        for decoder in self._bar_decoders():
            own, before = before[: 2 * decoder.layers], before[2 * decoder.layers :]
            stepped = decoder.step(tuple(own), plans, inputs, number, grid)
            blocks.append(stepped.parameters)
            after += stepped.state
        return Stepped(torch.cat(blocks, dim=-1), (condition, plans, *after))

    def _bar_decoders(self) -> list[BarDecoder]:
        return [each for each in self.bar_decoders if isinstance(each, BarDecoder)]
