"""The two decoders: how a latent becomes plans, one for the whole excerpt or one a bar."""

from jaxtyping import Float
from torch import Tensor, nn

from musicvae.model.bar_decoder import BarDecoder
from musicvae.model.conductor import Conductor
from musicvae.model.event_distribution import EventDistribution


class FlatDecoder(nn.Module):
    """Decodes the excerpt in one go: the latent itself is the plan of one long bar."""

    def __init__(self, *, bar_decoder: BarDecoder, vocabulary_sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.bar_decoder = bar_decoder
        self.vocabulary_sizes = vocabulary_sizes

    def forward(self, z: Float[Tensor, "batch latent"], length_steps: int) -> EventDistribution:
        return EventDistribution(self.bar_decoder, z[:, None], length_steps, self.vocabulary_sizes)


class HierarchicalDecoder(nn.Module):
    """Decodes bar by bar: a conductor plans the bars, and one bar decoder plays each plan."""

    def __init__(
        self,
        *,
        conductor: Conductor,
        bar_decoder: BarDecoder,
        vocabulary_sizes: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.conductor = conductor
        self.bar_decoder = bar_decoder
        self.vocabulary_sizes = vocabulary_sizes

    def forward(self, z: Float[Tensor, "batch latent"], length_steps: int) -> EventDistribution:
        plans = self.conductor(z)
        return EventDistribution(self.bar_decoder, plans, length_steps, self.vocabulary_sizes)
