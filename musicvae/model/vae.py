"""The variational autoencoder of music: the one place where its parts are put together.

Source: Roberts et al. 2018, A Hierarchical Latent Vector Model for Learning Long-Term Structure in
Music (MusicVAE).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import torch
from jaxtyping import Float
from torch import Tensor, nn

from musicvae.errors import SettingError
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
from musicvae.runtime.networks import Networks


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The kind of latent and the widths of a model; the representation gives the rest.

    Attributes:
        latent: Kind of latent: `gaussian`, one for the whole excerpt; or `bars`, a share for every
            bar, under a conductor.
        has_decoder_per_stream: Whether every stream has a bar decoder of its own; each reads the
            events of all streams at the step before.
        latent_size: Size of the latent; with `bars`, of each bar's share of it.
        event_size: Size of the vector of a step's events.
        position_size: Size of the vector of a step's place in the bar.
        encoder_size: State of the encoder's LSTM in each direction.
        encoder_layers: Number of layers of the encoder's LSTM.
        decoder_size: State of the (bar) decoder's LSTM.
        decoder_layers: Number of layers of the (bar) decoder's LSTM.
        conductor_size: State of the conductor's LSTM; only with `bars`.
        conductor_layers: Number of layers of the conductor's LSTM; only with `bars`.
        plan_size: Size of one bar's plan, and of a bar's code in the encoder; only with `bars`.

    Raises:
        SettingError: If there is no such kind of latent, or a width is below 1.
    """

    latent: str = "gaussian"
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
        if self.latent not in LATENTS:
            raise SettingError(
                f"model.latent={self.latent}",
                expected=" or ".join(LATENTS),
                action="Choose one of these.",
                field="model.latent",
            )
        for field in fields(self):
            if field.type is int and getattr(self, field.name) < 1:
                raise SettingError(
                    f"model.{field.name}={getattr(self, field.name)}",
                    expected="1 or more",
                    action="Give a positive width.",
                    field=f"model.{field.name}",
                )


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

    def encode(self, batch: Batch, networks: Networks | None = None) -> Posterior:
        """The posterior q(z | events, conditions) of each excerpt.

        Args:
            batch: The excerpts.
            networks: Encodes; None for torch, which alone has gradients.
        """
        events = batch.events if batch.reduced is None else batch.reduced
        told = batch.conditions
        joined = join_streams(events, told)
        if networks is None:
            parameters = self.posterior(self.encoder(joined, told.grid))
        else:
            parameters = torch.from_numpy(networks.encoder(joined.numpy(), told.grid))
        return self.latent.posterior(parameters)

    def decode(
        self,
        z: Float[Tensor, "batch latent"],
        conditions: Conditions = NO_CONDITIONS,
        networks: Networks | None = None,
    ) -> EventDistribution:
        """p(events | z, conditions): a distribution over excerpts for every latent.

        Args:
            z: The latents.
            conditions: The conditions of the excerpts.
            networks: Plans and draws; None for torch, which alone has gradients.
        """
        shares = self.latent.shares(z)
        runtime = None if networks is None else networks.decoder
        if runtime is None:
            plans = self.decoder.plan(shares)
        else:
            plans = torch.from_numpy(runtime.plan(shares.numpy()))
        length_steps = self.length_steps(conditions.grid)
        return EventDistribution(self.decoder, plans, conditions, length_steps, runtime)

    def length_steps(self, grid: TimeGrid | None = None) -> int:
        """The length of an excerpt."""
        return self._bars * self._steps_per_bar[grid]
