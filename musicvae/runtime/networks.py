"""All networks of a bundle in ONNX Runtime, each made when it is first used."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from musicvae.music.notes import TimeGrid
from musicvae.representation.streams import Stream, generated_streams
from musicvae.runtime.decoder import OnnxDecoder
from musicvae.runtime.encoder import OnnxEncoder
from musicvae.runtime.event_prior import OnnxPrior
from musicvae.runtime.listening import prior_columns
from musicvae.runtime.lstm import Weights, under
from musicvae.runtime.touch import OnnxTouch


class Networks:
    """The networks of a model and its prior.

    Args:
        weights: The weights of a `MusicVAE`.
        prior: The weights of an `EventPrior`; without any if the model has another prior.
        touch: The weights of a `Touch`; without any if the model has none.
        streams: The columns of an event tensor.
        bars: Number of bars of an excerpt.
        steps_per_bar: Length of a bar on each grid, the default first.
        lags: See `PriorConfig.lags`.
        styles: Number of styles that the prior hears.
    """

    def __init__(
        self,
        weights: Weights,
        prior: Weights,
        touch: Weights,
        *,
        streams: Sequence[Stream],
        bars: int,
        steps_per_bar: Mapping[TimeGrid, int],
        lags: Sequence[int],
        styles: int,
    ) -> None:
        self._weights, self._prior, self._touch = weights, prior, touch
        self._streams, self._bars, self._steps_per_bar = streams, bars, steps_per_bar
        self._lags, self._styles = lags, styles

    @cached_property
    def encoder(self) -> OnnxEncoder:
        """Encodes excerpts."""
        return OnnxEncoder(
            self._weights, self._streams, bars=self._bars, steps_per_bar=self._steps_per_bar
        )

    @cached_property
    def decoder(self) -> OnnxDecoder:
        """Decodes latents."""
        return OnnxDecoder(
            under(self._weights, "decoder."),
            self._streams,
            bars=self._bars,
            steps_per_bar=self._steps_per_bar,
        )

    @cached_property
    def prior(self) -> OnnxPrior:
        """Draws music."""
        generated = generated_streams(self._streams)
        return OnnxPrior(
            self._prior,
            prior_columns(self._streams, bars=self._bars, styles=self._styles, lags=self._lags),
            sizes=[2 if each.is_number else each.size for each in generated],
            lags=len(self._lags),
            steps_per_bar=self._steps_per_bar,
        )

    @cached_property
    def touch(self) -> OnnxTouch | None:
        """Plays melodies; None if the model has no touch."""
        return OnnxTouch(self._touch) if self._touch else None
