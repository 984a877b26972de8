"""New music from a prior over events: the one way for generation and evaluation.

The music is what the prior draws, not what the decoder makes of its latent: decoding again would
lose some of it.

A row's draw depends on the seed, the row and what is asked of it alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int, Int16

from musicvae.music.constraint import PITCHES, Constraint
from musicvae.music.instruments import HIGHEST_PITCH, LOWEST_PITCH
from musicvae.representation import Representation
from musicvae.representation.key_relative import to_home, way_home
from musicvae.representation.melody import transpose_lines
from musicvae.representation.streams import generated_streams
from musicvae.runtime.conditions import Conditions, conditions_of, join_streams
from musicvae.runtime.draw_keys import choose_keys, choose_styles
from musicvae.runtime.event_draws import EventDraws
from musicvae.runtime.noise import row_seed
from musicvae.runtime.prior_draws import PriorDraws
from musicvae.temperature import SAMPLE_TEMPERATURE

_PIANO = np.isin(np.arange(PITCHES), np.arange(LOWEST_PITCH, HIGHEST_PITCH + 1))
_REGISTER = (60, 81)
"""Nine of ten notes of the training melodies lie between these pitches."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Draws:
    """New music.

    Attributes:
        events: The events of all streams, conditions included.
        keys: Tonic and mode of each excerpt, see `key_relative`.
        styles: The style of each excerpt, see `Conditions.styles`; None if the prior hears none.
        masked_nats: The cost of the constraint: minus the log probability, under the prior, of all
            events that it allows; 0 without a constraint.
    """

    events: Int16[np.ndarray, "batch step stream"]
    keys: Int[np.ndarray, "batch 2"]
    styles: Int[np.ndarray, " batch"] | None
    masked_nats: Float[np.ndarray, " batch"]


def mask_of(
    representation: Representation,
    constraint: Constraint | None,
    semitones: Int[np.ndarray, " batch"],
    octaves: int = 0,
) -> Float[np.ndarray, "batch parameter"]:
    """The mask of a constraint on music that has been moved by some semitones.

    Whatever the constraint, moved music keeps to pitches that stand on the piano once they are
    moved back.

    Args:
        representation: The map between the music and its tensors.
        constraint: The constraint; None for none.
        semitones: The interval by which all lines have been moved.
        octaves: The octaves by which the melody has been moved besides.
    """
    asked = Constraint() if constraint is None else constraint
    in_scale, in_range = asked.classes & _PIANO, asked.within_range & _PIANO
    rows = [
        representation.allowed_events(_moved(in_scale, by), _moved(in_range, by + 12 * octaves))
        for by in semitones.tolist()
    ]
    streams = [np.stack(stream) for stream in zip(*rows, strict=True)]
    return EventDraws(generated_streams(representation.streams)).mask(streams)


def _octaves(constraint: Constraint | None) -> int:
    """The octaves by which a range is moved to where melodies lie; 0 if most of it lies there.

    Far from there the model would play nothing.
    """
    if constraint is None or constraint.pitch_range is None:
        return 0
    low, high = constraint.pitch_range

    def shared(octaves: int) -> int:
        lowest, highest = _REGISTER
        return min(high + 12 * octaves, highest) - max(low + 12 * octaves, lowest)

    if shared(0) >= min(high - low, 12):
        return 0
    return max(range(-4, 5), key=lambda octaves: (shared(octaves), -abs(octaves)))


def _moved(pitches: Bool[np.ndarray, " pitch"], by: int) -> Bool[np.ndarray, " pitch"]:
    """Moves marks of pitches by some semitones."""
    moved = np.zeros(PITCHES, np.bool_)
    moved[max(by, 0) : PITCHES + min(by, 0)] = pitches[max(-by, 0) : PITCHES - max(by, 0)]
    return moved


def draw_music(
    prior: PriorDraws,
    representation: Representation,
    *,
    seed: int,
    rows: Sequence[int],
    conditions: Conditions,
    temperature: float = SAMPLE_TEMPERATURE,
    top_p: float = 1.0,
    constraint: Constraint | None = None,
) -> Draws:
    """Draws music under its conditions.

    Args:
        prior: Draws the music.
        representation: The map between the music and its tensors, on the grid of the draws.
        seed: The seed of all rows.
        rows: The rows.
        conditions: The conditions of each row. A prior that hears styles draws one for each row
            where none are told.
        temperature: The prior draws at its own temperature times 1 + (temperature - 0.5) / 2: by
            default at its own. 0 is calm, and still not always the same.
        top_p: Share of the probability that events are drawn from, as far as the prior's is not
            smaller.
        constraint: What all rows keep to.
    """
    count = len(rows)
    lines = len(generated_streams(representation.streams))
    silence = np.zeros((count, representation.bars * representation.rows_per_bar, lines), np.int16)
    asked = join_streams(silence, conditions)
    chords = None
    if conditions.streams is not None:
        chords = [representation.to_notes(each).chords for each in asked]
    length_steps = representation.length_steps
    weights = prior.keys_in(representation.grid)
    keys = choose_keys(weights, seed, rows, constraint, chords, length_steps)
    home, _ = to_home(representation, asked, keys[:, 0])
    styles = conditions.styles
    if styles is None and prior.style_weights is not None:
        styles = choose_styles(prior.style_weights, seed, rows)
    told = replace(conditions_of(representation, home), keys=keys, styles=styles)
    semitones, octaves = way_home(keys[:, 0]), _octaves(constraint)
    drawn = prior.draw(
        told,
        seeds=[row_seed(seed, row, "prior") for row in rows],
        temperature=prior.config.temperature * (1 + (temperature - SAMPLE_TEMPERATURE) / 2),
        top_p=min(prior.config.top_p, top_p),
        mask=mask_of(representation, constraint, semitones, octaves),
        free=None if constraint is None else mask_of(representation, None, semitones),
    )
    moved = representation.transpose(join_streams(drawn.events, told), -semitones)
    if octaves:  # the melody is the first stream of all music that a range is for
        moved[..., :1] = transpose_lines(moved[..., :1], np.full(count, -12 * octaves))
    # As the representation writes them: the prior may end silence.
    events = np.stack([representation.to_tensor(representation.to_notes(each)) for each in moved])
    nats = drawn.masked_nats.sum((1, 2))
    return Draws(events=events, keys=keys, styles=styles, masked_nats=nats)
