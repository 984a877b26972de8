"""The variational autoencoder of music: the one place where its parts are put together.

Source: Roberts et al. 2018, A Hierarchical Latent Vector Model for Learning Long-Term Structure in
Music (MusicVAE).
"""

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from musicvae.model.bar_decoder import BarDecoder
from musicvae.model.conditions import NO_CONDITIONS, Batch, Conditions, join_streams
from musicvae.model.conductor import Conductor
from musicvae.model.decoder import Decoder
from musicvae.model.encoder import BidirectionalEncoder, HierarchicalEncoder
from musicvae.model.event_distribution import EventDistribution
from musicvae.model.event_embedding import EventEmbedding
from musicvae.model.event_heads import EventHeads
from musicvae.model.latent.kinds import LATENTS
from musicvae.model.latent.latent import Posterior
from musicvae.music.notes import TimeGrid
from musicvae.representation.streams import Stream, generated_streams
from musicvae.runtime.event_table import by_grid
from musicvae.runtime.model_config import ModelConfig


class MusicVAE(nn.Module):
    """Encodes excerpts to a posterior over latents, and decodes latents to music.

    Args:
        config: The kind of latent and the widths.
        streams: What the columns of an event tensor hold.
        bars: Number of bars of an excerpt.
        steps_per_bar: Length of a bar on each grid that the model plays; the first is the default.

    Attributes:
        latent: The kind of latent.
        latent_size: Size of the latent of an excerpt.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        streams: Sequence[Stream],
        bars: int,
        steps_per_bar: Mapping[TimeGrid, int],
    ) -> None:
        super().__init__()
        self.config = config
        self.streams = tuple(streams)
        first = next(iter(steps_per_bar.values()))
        self._bars, self._steps_per_bar = bars, by_grid(steps_per_bar)
        latent = LATENTS[config.latent](config.latent_size, bars)
        self.latent_size = latent.size

        def embedding() -> EventEmbedding:
            return EventEmbedding(
                streams=streams,
                steps_per_bar=steps_per_bar,
                event_size=config.event_size,
                position_size=config.position_size,
            )

        def decoder(plan_size: int, parameters: int) -> BarDecoder:
            return BarDecoder(
                embedding=embedding(),
                parameters=parameters,
                plan_size=plan_size,
                hidden_size=config.decoder_size,
                layers=config.decoder_layers,
            )

        self.encoder: BidirectionalEncoder | HierarchicalEncoder
        if latent.is_by_bar:
            plan_size = config.plan_size
            self.encoder = HierarchicalEncoder(
                embedding=embedding(),
                bars=bars,
                steps_per_bar=first,
                hidden_size=config.encoder_size,
                layers=config.encoder_layers,
                code_size=config.plan_size,
            )
        else:
            plan_size = config.latent_size
            self.encoder = BidirectionalEncoder(
                embedding=embedding(),
                bars=bars,
                steps_per_bar=first,
                hidden_size=config.encoder_size,
                layers=config.encoder_layers,
            )
        self.posterior = nn.Linear(self.encoder.size, latent.parameter_size)
        self.latent = latent
        heads = EventHeads(generated_streams(streams))
        sizes = heads.parameter_sizes
        sizes = sizes if config.has_decoder_per_stream else (sum(sizes),)
        bar_decoders = [decoder(plan_size, size) for size in sizes]
        conductor = None
        if latent.is_by_bar:
            conductor = Conductor(
                share_size=config.latent_size,
                hidden_size=config.conductor_size,
                layers=config.conductor_layers,
                plan_size=config.plan_size,
            )
        self.decoder = Decoder(conductor=conductor, bar_decoders=bar_decoders, heads=heads)

    def encode(self, batch: Batch) -> Posterior:
        """The posterior q(z | events, conditions) of each excerpt."""
        events = batch.events if batch.reduced is None else batch.reduced
        told = batch.conditions
        return self.latent.posterior(
            self.posterior(self.encoder(join_streams(events, told), told.grid))
        )

    def decode(
        self, z: Float[Tensor, "batch latent"], conditions: Conditions = NO_CONDITIONS
    ) -> EventDistribution:
        """p(events | z, conditions): a distribution over excerpts for every latent."""
        plans = self.decoder.plan(self.latent.shares(z))
        return EventDistribution(
            self.decoder, plans, conditions, self.length_steps(conditions.grid)
        )

    def length_steps(self, grid: TimeGrid | None = None) -> int:
        """The length of an excerpt."""
        return self._bars * self._steps_per_bar[grid]
