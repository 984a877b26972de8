"""Draws music from a prior over events, whatever runtime its network has."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int, Num

from musicvae.music.notes import TimeGrid
from musicvae.representation.key_relative import KEYS
from musicvae.representation.streams import Stream, generated_streams
from musicvae.runtime.conditions import Conditions
from musicvae.runtime.decoding import UNKNOWN, Drawn, draw_events
from musicvae.runtime.event_draws import EventDraws, uniform_noise
from musicvae.runtime.graph import AnyArray
from musicvae.runtime.listening import ListeningStep, PriorNetwork
from musicvae.runtime.prior_columns import PriorColumns
from musicvae.runtime.prior_config import PriorConfig


class PriorDraws:
    """A prior over events, to draw from.

    Args:
        network: Takes the steps.
        config: The settings of the prior.
        tables: The tables among the weights of an `EventPrior`, by name: `key_weights`, and
            `style_weights` and `progressions` if the prior has them.
        streams: The columns of an event tensor.
        bars: Number of bars of an excerpt.
        steps_per_bar: Length of a bar on each grid, the default first.

    Attributes:
        config: The settings of the prior.
        events: Draws the events of a row.
        style_weights: The share of each style in the training music, and of no style; None if the
            prior hears no styles.
        progressions: See `musicvae.runtime.progressions`; None if the prior keeps none.
    """

    def __init__(
        self,
        network: PriorNetwork,
        config: PriorConfig,
        tables: Mapping[str, AnyArray],
        *,
        streams: Sequence[Stream],
        bars: int,
        steps_per_bar: Mapping[TimeGrid, int],
    ) -> None:
        self.config = config
        self.events = EventDraws(generated_streams(streams))
        self.style_weights: Num[np.ndarray, " style"] | None = tables.get("style_weights")
        self.progressions: Num[np.ndarray, "progression _"] | None = tables.get("progressions")
        self._network = network
        self._key_weights = tables["key_weights"].reshape(-1, KEYS + 1)
        self._grids = list(steps_per_bar)
        self._columns = PriorColumns(config, streams, bars=bars, steps_per_bar=steps_per_bar)

    def keys_in(self, grid: TimeGrid | None) -> Float[np.ndarray, " key"]:
        """The share of each key in the training music of a grid, and of no key."""
        keys: Float[np.ndarray, " key"] = self._key_weights[
            0 if grid is None else self._grids.index(grid)
        ]
        return keys

    def draw(
        self,
        conditions: Conditions,
        *,
        seeds: Sequence[int],
        temperature: float = 1.0,
        top_p: float = 1.0,
        mask: Float[np.ndarray, "batch parameter"] | None = None,
        free: Float[np.ndarray, "batch parameter"] | None = None,
    ) -> Drawn:
        """Draws music, an excerpt for each seed.

        Args:
            conditions: The keys, the styles, and the condition streams relative to the keys.
            seeds: The seeds of the noise.
            temperature: See `draw_events`.
            top_p: See `draw_events`.
            mask: See `draw_events`.
            free: See `draw_events`.
        """
        decoder = ListeningStep(
            self._network,
            unknown=self.events.unknown,
            lags=self.config.lags,
            steps_per_bar=self._columns.steps_per_bar,
            guidance=self.config.guidance,
        )
        told, chords = self.split(self.guided_columns(conditions, len(seeds)))
        length = self._columns.length_steps(conditions.grid)
        shape = (len(seeds), length, len(self.events.unknown))
        known = self._columns.delay(np.full(shape, UNKNOWN))
        drawn = draw_events(
            decoder,
            decoder.start(told, chords),
            self.events,
            uniform_noise(seeds, known.shape[1], self.events.noise_size),
            known,
            temperature=temperature,
            top_p=top_p,
            grid=conditions.grid,
            mask=mask,
            free=free,
        )
        return Drawn(*(self._columns.undelay(each, conditions.grid) for each in drawn))

    def guided_columns(
        self, conditions: Conditions, count: int
    ) -> Int[np.ndarray, "batch version row _column"]:
        """The columns of the conditions; where draws are guided, also those without streams."""
        versions = [conditions]
        if self.config.guidance != 1:
            versions.append(replace(conditions, streams=None))
        return np.stack([self._columns.join(each, count) for each in versions], axis=1)

    def split(
        self, columns: Int[np.ndarray, "batch version row _column"]
    ) -> tuple[
        Int[np.ndarray, "batch version row _told"],
        Int[np.ndarray, "batch version row stream 2"] | None,
    ]:
        """Splits off the chord and the bass at the step of each stream, for the chord bias."""
        bias = self._columns.bias
        if not bias:
            return columns, None
        chords = columns[..., -bias:]
        return columns[..., :-bias], chords.reshape(*chords.shape[:-1], -1, 2)
