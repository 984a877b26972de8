"""Draws excerpts from a decoder: the parts of an excerpt, such as its bars, are rows of a batch."""

import numpy as np
from jaxtyping import Float, Int

from musicvae.music.notes import TimeGrid
from musicvae.runtime.decoder import DecoderRuntime
from musicvae.runtime.decoding import Drawn, draw_events
from musicvae.runtime.event_draws import EventDraws


def draw_excerpts(
    decoder: DecoderRuntime,
    plans: Float[np.ndarray, "batch bar hidden"],
    condition: Int[np.ndarray, "batch step _condition"],
    draws: EventDraws,
    uniform: Float[np.ndarray, "batch step _"] | None,
    known: Int[np.ndarray, "batch step stream"],
    *,
    temperature: float,
    top_p: float,
    grid: TimeGrid | None,
    mask: Float[np.ndarray, "batch parameter"] | None,
    free: Float[np.ndarray, "batch parameter"] | None,
) -> Drawn:
    """Draws an excerpt for each row of plans.

    Args:
        decoder: The decoder.
        plans: A plan for every bar, or one for the whole excerpt.
        condition: The events of the condition streams; without any, of no columns.
        draws: See `draw_events`.
        uniform: See `draw_events`.
        known: See `draw_events`.
        temperature: See `draw_events`.
        top_p: See `draw_events`.
        grid: See `draw_events`.
        mask: See `draw_events`.
        free: See `draw_events`.
    """
    batch, parts, _ = plans.shape
    length = condition.shape[1]

    def rows(steps: np.ndarray) -> np.ndarray:
        # (batch, bar * step, ...) -> (batch * bar, step, ...)
        return steps.reshape(batch * parts, length // parts, steps.shape[2])

    drawn = draw_events(
        decoder,
        decoder.start(plans.reshape(batch * parts, -1), rows(condition)),
        draws,
        None if uniform is None else rows(uniform),
        rows(known),
        temperature=temperature,
        top_p=top_p,
        grid=grid,
        mask=None if mask is None else mask.repeat(parts, axis=0),
        free=None if free is None else free.repeat(parts, axis=0),
    )
    return Drawn(*(each.reshape(batch, length, -1) for each in drawn))
