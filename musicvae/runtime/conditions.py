"""The conditions of excerpts as arrays.

Only this file and `musicvae.model.conditions` know which columns of an event tensor are conditions.
A new kind of condition is a field of `Conditions`, None where it is unknown.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Int16

from musicvae.music.notes import TimeGrid
from musicvae.representation import Representation
from musicvae.representation.streams import generated_streams


@dataclass(frozen=True, kw_only=True, eq=False)
class Conditions:
    """All that a model is told beside the latent, a row for each excerpt of a batch.

    Attributes:
        grid: The grid of all excerpts of the batch; None for the model's first.
        streams: Events of the condition streams, such as chords; None where the music has none.
        keys: Tonic and mode of each excerpt, see `representation.key_relative`; None where no key
            is told.
        styles: The number of each excerpt's style among `PriorConfig.styles`, or their count where
            it is unknown; None where no style is told.
    """

    grid: TimeGrid | None = None
    streams: Int[np.ndarray, "batch step stream"] | None = None
    keys: Int[np.ndarray, "batch 2"] | None = None
    styles: Int[np.ndarray, " batch"] | None = None


def conditions_of(
    representation: Representation, events: Int[np.ndarray, "batch step stream"]
) -> Conditions:
    """The conditions among the events of all streams."""
    told = events[..., len(generated_streams(representation.streams)) :]
    streams = told.astype(np.int64) if told.shape[2] else None
    return Conditions(grid=representation.grid, streams=streams)


def join_streams(
    events: Int[np.ndarray, "batch step _generated"], conditions: Conditions
) -> Int16[np.ndarray, "batch step _stream"]:
    """The events of all streams."""
    told = conditions.streams
    whole = events if told is None else np.concatenate([events, told], axis=-1)
    return whole.astype(np.int16)
