"""All that a bundle plays with: its networks in ONNX Runtime, each made when it is first used."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float32, Int

from musicvae.music.notes import TimeGrid
from musicvae.representation.streams import Stream, generated_streams
from musicvae.runtime.conditions import Conditions
from musicvae.runtime.decoder import OnnxDecoder
from musicvae.runtime.decoding import UNKNOWN, Drawn
from musicvae.runtime.encoder import OnnxEncoder
from musicvae.runtime.event_draws import EventDraws, uniform_noise
from musicvae.runtime.event_prior import OnnxPrior
from musicvae.runtime.event_table import by_grid
from musicvae.runtime.excerpts import draw_excerpts
from musicvae.runtime.latent_priors import BarDraws, FlowDraws, LatentPrior
from musicvae.runtime.listening import prior_columns
from musicvae.runtime.lstm import Weights, under
from musicvae.runtime.model_config import ModelConfig
from musicvae.runtime.posterior import GaussianPosterior
from musicvae.runtime.prior_config import PriorConfig
from musicvae.runtime.prior_draws import PriorDraws
from musicvae.runtime.shapes import parameter_sizes
from musicvae.runtime.touch import OnnxTouch


class Networks:
    """A model and its prior, to play with; see `musicvae.model` for the same in torch.

    Args:
        weights: The weights of a `MusicVAE`, in whatever precision.
        prior: The weights of its prior.
        touch: The weights of a `Touch`; without any if the model has none.
        config: The settings of the model.
        prior_config: The settings of a prior over events; None if the prior is over latents.
        streams: The columns of an event tensor.
        bars: Number of bars of an excerpt.
        steps_per_bar: Length of a bar on each grid, the default first.
    """

    def __init__(
        self,
        weights: Weights,
        prior: Weights,
        touch: Weights,
        *,
        config: ModelConfig,
        prior_config: PriorConfig | None,
        streams: Sequence[Stream],
        bars: int,
        steps_per_bar: Mapping[TimeGrid, int],
    ) -> None:
        self._weights, self._prior, self._touch = weights, prior, touch
        self._config, self._prior_config = config, prior_config
        self._streams, self._bars, self._steps_per_bar = streams, bars, steps_per_bar
        self._events = EventDraws(generated_streams(streams))

    @cached_property
    def encoder(self) -> OnnxEncoder:
        """Encodes excerpts."""
        parts = {name: each for name, each in self._weights.items() if name[0] in "ep"}
        return OnnxEncoder(
            _single(parts), self._streams, bars=self._bars, steps_per_bar=self._steps_per_bar
        )

    @cached_property
    def decoder(self) -> OnnxDecoder:
        """Decodes latents."""
        return OnnxDecoder(
            _single(under(self._weights, "decoder.")),
            self._streams,
            bars=self._bars,
            steps_per_bar=self._steps_per_bar,
        )

    @cached_property
    def draws(self) -> PriorDraws | None:
        """Draws music; None if the prior is over latents."""
        config = self._prior_config
        if config is None:
            return None
        tables = {name: each for name, each in self._prior.items() if "." not in name}
        return PriorDraws(
            self._event_prior(config),
            config,
            _single(tables),
            streams=self._streams,
            bars=self._bars,
            steps_per_bar=self._steps_per_bar,
        )

    @cached_property
    def latent_prior(self) -> LatentPrior:
        """Draws latents, where the prior is over latents."""
        assert self._prior_config is None
        weights, size = _single(self._prior), self._config.latent_size
        if self._config.is_by_bar and self._bars > 1:
            return BarDraws(weights, size, self._bars)
        return FlowDraws(weights, size)

    @cached_property
    def touch(self) -> OnnxTouch | None:
        """Plays melodies; None if the model has no touch."""
        return OnnxTouch(_single(self._touch)) if self._touch else None

    def encode(
        self, events: Int[np.ndarray, "batch step stream"], grid: TimeGrid | None
    ) -> GaussianPosterior:
        """The posterior of each excerpt.

        Args:
            events: The events of all streams.
            grid: The grid of the excerpts; None for the default.
        """
        return GaussianPosterior.from_parameters(self.encoder(events.astype(np.int64), grid))

    def decode(
        self,
        z: Float32[np.ndarray, "batch latent"],
        conditions: Conditions,
        *,
        seeds: Sequence[int],
        temperature: float,
        top_p: float = 1.0,
        known: Int[np.ndarray, "batch step stream"] | None = None,
        mask: Float[np.ndarray, "batch parameter"] | None = None,
        free: Float[np.ndarray, "batch parameter"] | None = None,
    ) -> Drawn:
        """Draws an excerpt from every latent.

        Args:
            z: The latents.
            conditions: The conditions of the excerpts.
            seeds: The seed of the noise of each row.
            temperature: See `draw_events`.
            top_p: See `draw_events`.
            known: See `draw_events`; None to draw all events.
            mask: See `draw_events`.
            free: See `draw_events`.
        """
        shape = (len(z), self._bars * by_grid(self._steps_per_bar)[conditions.grid])
        told = conditions.streams
        uniform = None
        if temperature:
            uniform = uniform_noise(seeds, shape[1], self._events.noise_size)
        return draw_excerpts(
            self.decoder,
            self.decoder.plan(z.reshape(len(z), -1, self._config.latent_size)),
            np.zeros((*shape, 0), np.int64) if told is None else told,
            self._events,
            uniform,
            np.full((*shape, len(self._events.unknown)), UNKNOWN) if known is None else known,
            temperature=temperature,
            top_p=top_p,
            grid=conditions.grid,
            mask=mask,
            free=free,
        )

    def _event_prior(self, config: PriorConfig) -> OnnxPrior:
        generated = generated_streams(self._streams)
        styles = len(config.styles)
        return OnnxPrior(
            _single({name: each for name, each in self._prior.items() if "." in name}),
            prior_columns(self._streams, bars=self._bars, styles=styles, lags=config.lags),
            sizes=parameter_sizes(generated),
            lags=len(config.lags),
            steps_per_bar=self._steps_per_bar,
        )


def _single(weights: Weights) -> Weights:
    """The weights in single precision."""
    return {name: each.astype(np.float32) for name, each in weights.items()}
