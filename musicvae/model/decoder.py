"""The two decoders: how a latent becomes plans, one for the whole excerpt or one a bar."""

from collections.abc import Sequence

from jaxtyping import Float, Int
from torch import Tensor, nn

from musicvae.model.bar_decoder import BarDecoder
from musicvae.model.conductor import Conductor
from musicvae.model.event_distribution import EventDistribution
from musicvae.model.event_heads import EventHeads


class FlatDecoder(nn.Module):
    """Decodes the excerpt in one go: the latent itself is the plan of one long bar."""

    def __init__(self, *, bar_decoders: Sequence[BarDecoder], heads: EventHeads) -> None:
        super().__init__()
        self.bar_decoders = nn.ModuleList(bar_decoders)
        self.heads = heads

    def forward(
        self,
        z: Float[Tensor, "batch latent"],
        given: Int[Tensor, "batch step stream"] | None,
        length_steps: int,
    ) -> EventDistribution:
        return EventDistribution([*self.bar_decoders], self.heads, z[:, None], given, length_steps)


class HierarchicalDecoder(nn.Module):
    """Decodes bar by bar: a conductor plans the bars, and the bar decoders play each plan."""

    def __init__(
        self, *, conductor: Conductor, bar_decoders: Sequence[BarDecoder], heads: EventHeads
    ) -> None:
        super().__init__()
        self.conductor = conductor
        self.bar_decoders = nn.ModuleList(bar_decoders)
        self.heads = heads

    def forward(
        self,
        z: Float[Tensor, "batch latent"],
        given: Int[Tensor, "batch step stream"] | None,
        length_steps: int,
    ) -> EventDistribution:
        plans = self.conductor(z)
        return EventDistribution([*self.bar_decoders], self.heads, plans, given, length_steps)
