"""The variational autoencoder of music: the one place where its parts are put together.

Source: Roberts et al. 2018, A Hierarchical Latent Vector Model for Learning Long-Term Structure in
Music (MusicVAE).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeAlias

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from musicvae.errors import SettingError
from musicvae.model.bar_decoder import BarDecoder
from musicvae.model.conductor import Conductor
from musicvae.model.decoder import FlatDecoder, HierarchicalDecoder
from musicvae.model.encoder import BidirectionalEncoder, HierarchicalEncoder
from musicvae.model.event_distribution import EventDistribution
from musicvae.model.event_embedding import EventEmbedding
from musicvae.model.event_heads import EventHeads
from musicvae.model.latent.bar_prior import BarPrior
from musicvae.model.latent.flow_prior import FlowPrior
from musicvae.representation.streams import Stream, made

SMALLEST_STDDEV = 1e-3

Prior: TypeAlias = FlowPrior | BarPrior
"""What new latents are drawn from."""


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The widths of a model; what depends on the representation is not repeated here.

    Attributes:
        is_hierarchical: Whether bars are encoded and decoded one by one under a conductor.
        has_decoder_per_stream: Whether every stream has a bar decoder of its own; each hears what
            all of them played at the step before.
        latent_size: Size of the latent; in a hierarchical model, of each bar's share of it.
        event_size: Size of the vector of a step's events.
        position_size: Size of the vector of a step's place in the bar.
        encoder_size: State of the encoder's LSTM in each direction.
        encoder_layers: Its layers.
        decoder_size: State of the (bar) decoder's LSTM.
        decoder_layers: Its layers.
        conductor_size: State of the conductor's LSTM; unused in a flat model.
        conductor_layers: Its layers.
        plan_size: Size of one bar's plan, and of a bar's code in a hierarchical encoder.

    Raises:
        SettingError: If a width is below 1.
    """

    is_hierarchical: bool = False
    has_decoder_per_stream: bool = False
    latent_size: int = 128
    event_size: int = 64
    position_size: int = 16
    encoder_size: int = 256
    encoder_layers: int = 1
    decoder_size: int = 256
    decoder_layers: int = 2
    conductor_size: int = 256
    conductor_layers: int = 2
    plan_size: int = 128

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.type is not bool and getattr(self, field.name) < 1:
                raise SettingError(
                    f"model.{field.name}={getattr(self, field.name)}",
                    expected="1 or more",
                    action="Give a positive width.",
                    field=f"model.{field.name}",
                )


class MusicVAE(nn.Module):
    """Encodes excerpts to a posterior over latents, and decodes latents to music.

    Args:
        config: The widths.
        streams: What the columns of an event tensor hold.
        bars: Number of bars of an excerpt.
        steps_per_bar: Length of a bar.

    Attributes:
        latent_size: Size of the latent of an excerpt. In a hierarchical model the bars' shares
            stand in it one behind the other.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        streams: Sequence[Stream],
        bars: int,
        steps_per_bar: int,
    ) -> None:
        super().__init__()
        self.config = config
        self.bars = bars
        self.length_steps = bars * steps_per_bar
        self.latent_size = config.latent_size * (bars if config.is_hierarchical else 1)

        def embedding() -> EventEmbedding:
            return EventEmbedding(
                streams=streams,
                steps_per_bar=steps_per_bar,
                event_size=config.event_size,
                position_size=config.position_size,
            )

        self.encoder: BidirectionalEncoder | HierarchicalEncoder
        if config.is_hierarchical:
            self.encoder = HierarchicalEncoder(
                embedding=embedding(),
                bars=bars,
                hidden_size=config.encoder_size,
                layers=config.encoder_layers,
                code_size=config.plan_size,
            )
        else:
            self.encoder = BidirectionalEncoder(
                embedding=embedding(),
                bars=bars,
                hidden_size=config.encoder_size,
                layers=config.encoder_layers,
            )
        self.posterior = nn.Linear(self.encoder.size, 2 * config.latent_size)
        heads = EventHeads(made(streams))
        sizes = (
            heads.parameter_sizes if config.has_decoder_per_stream else [sum(heads.parameter_sizes)]
        )
        bar_decoders = [
            BarDecoder(
                embedding=embedding(),
                parameters=size,
                plan_size=config.plan_size if config.is_hierarchical else config.latent_size,
                hidden_size=config.decoder_size,
                layers=config.decoder_layers,
            )
            for size in sizes
        ]
        self.decoder: FlatDecoder | HierarchicalDecoder
        if config.is_hierarchical:
            conductor = Conductor(
                share_size=config.latent_size,
                hidden_size=config.conductor_size,
                layers=config.conductor_layers,
                plan_size=config.plan_size,
                bars=bars,
            )
            self.decoder = HierarchicalDecoder(
                conductor=conductor, bar_decoders=bar_decoders, heads=heads
            )
        else:
            self.decoder = FlatDecoder(bar_decoders=bar_decoders, heads=heads)

    def encode(self, events: Int[Tensor, "batch step stream"]) -> Independent[Normal]:
        """The posterior q(z | events): a diagonal Gaussian over `(batch, latent)`."""
        # Single precision under autocast, too: noise and divergence are no matter for 8 bits.
        mean, raw = self.posterior(self.encoder(events)).float().chunk(2, dim=-1)
        # Where the bars have summaries of their own: (batch, bar, latent) -> (batch, bar * latent)
        mean, raw = mean.flatten(1), raw.flatten(1)
        stddev = nn.functional.softplus(raw) + SMALLEST_STDDEV
        return Independent(Normal(mean, stddev, validate_args=False), 1, validate_args=False)

    def decode(
        self,
        z: Float[Tensor, "batch latent"],
        given: Int[Tensor, "batch step stream"] | None = None,
    ) -> EventDistribution:
        """p(events | z): a distribution over excerpts for every latent.

        Args:
            z: The latents.
            given: The streams that are given, if the music has such.
        """
        distribution: EventDistribution = self.decoder(z, given, self.length_steps)
        return distribution

    def find_repeats(self, z: Float[Tensor, "batch latent"]) -> Int[Tensor, "batch bar"]:
        """For each bar of each latent the number of the first bar that has the same share.

        A flat model knows one long bar.
        """
        shares = z.unflatten(1, (self.bars if self.config.is_hierarchical else 1, -1))
        is_same = (shares[:, :, None] == shares[:, None]).all(-1)
        # argmax gives the first of those that are equal.
        first: Tensor = is_same.int().argmax(-1)
        return first

    def make_prior(self) -> Prior:
        """A prior for its latents that is yet to be fitted."""
        if self.config.is_hierarchical and self.bars > 1:
            return BarPrior(self.config.latent_size, self.bars)
        return FlowPrior(self.latent_size)
