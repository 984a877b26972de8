"""Makes new training examples by playing parts of different examples together.

Data sets hold few beats and trios, and most of the musical structure lies within the cymbals,
within the drums, or within one line. Our own method; for training only.
"""

import numpy as np
from jaxtyping import Bool, Int16, Int64

from musicvae.music.instruments import CYMBALS, DRUM_CLASSES, TOMS
from musicvae.representation.chords import CONDITIONS
from musicvae.representation.hits import join_hits, split_hits
from musicvae.representation.melody import transpose_lines

_LOW_MELODIES = 0.5
"""The share of basses that are melodies."""

_CYMBAL_BITS = np.int16(sum(1 << index for index in CYMBALS))


def swap_cymbal_bits(
    events: Int16[np.ndarray, "batch step stream"], _: np.random.Generator
) -> Int16[np.ndarray, "batch step stream"]:
    """Gives each beat the hi-hats, crash and ride cymbals of another; a step is one number."""
    return (events & ~_CYMBAL_BITS) | (_others(events) & _CYMBAL_BITS)


def swap_cymbal_streams(
    events: Int16[np.ndarray, "batch step stream"], _: np.random.Generator
) -> Int16[np.ndarray, "batch step stream"]:
    """Gives each beat the hi-hats, crash and ride cymbals of another; each class has streams."""
    is_cymbal = np.isin(np.arange(events.shape[-1]) % len(DRUM_CLASSES), CYMBALS)
    return np.where(is_cymbal, _others(events), events)


def mix_grooves(
    events: Int16[np.ndarray, "batch step stream"], random: np.random.Generator
) -> Int16[np.ndarray, "batch step stream"]:
    """Gives each beat the cymbals of another, and exchanges its toms.

    Which of two toms is called the high one differs between kits, and a data set may have the high
    tom from a few drummers alone: exchanged, it takes part in the fills of all.
    """
    mixed = swap_cymbal_streams(events, random)
    order = random.permuted(np.tile(TOMS, (len(events), 1)), axis=1)[:, None]
    for first in range(0, events.shape[-1], len(DRUM_CLASSES)):
        mixed[..., np.add(TOMS, first)] = np.take_along_axis(events, order + first, axis=-1)
    return mixed


def mix_trios(
    events: Int16[np.ndarray, "batch step stream"], random: np.random.Generator
) -> Int16[np.ndarray, "batch step stream"]:
    """Takes each half of the melody, of the bass and of each drum from an example drawn for it.

    The drums are exchanged, too: the kick may get the hits of the hi-hat. A bass may be a melody,
    two octaves lower: basses are few, and much alike. Only examples in which the line plays are
    drawn, as far as there are any. Chords become unknown.
    """
    lead, bass, drums = events[..., :1], events[..., 1:2], events[..., 2]
    is_low = (random.random(len(events)) < _LOW_MELODIES) & lead.any(axis=(1, 2))
    low = transpose_lines(lead, np.full(len(events), -24))
    parts = np.concatenate(
        [lead, np.where(is_low[:, None, None], low, bass), split_hits(drums)], axis=-1
    )
    batch, steps, count = parts.shape
    at = np.arange(steps)
    half = 2 * at // steps
    plays = (parts != 0).any(axis=1)
    plays[:, 2:] = (drums != 0).any(axis=1, keepdims=True)
    rows = np.stack([_draw_rows(each, random) for each in plays.T], axis=-1)[:, half]
    columns = np.tile(np.arange(count), (batch, 1))
    columns[:, 2:] = random.permuted(columns[:, 2:], axis=1)
    mixed = parts[rows, at[:, None], columns[:, None]]
    streams = [mixed[..., :2], join_hits(mixed[..., 2:])[..., None]]
    if events.shape[-1] > 3:
        unknown = np.array([each.size for each in CONDITIONS], np.int16)
        streams.append(np.broadcast_to(unknown, (batch, steps, len(unknown))))
    return np.concatenate(streams, axis=-1)


def _draw_rows(
    plays: Bool[np.ndarray, " batch"], random: np.random.Generator
) -> Int64[np.ndarray, "batch 2"]:
    """Draws two rows for each row, among the rows that play."""
    rows = np.flatnonzero(plays) if plays.any() else np.arange(len(plays))
    return random.choice(rows, size=(len(plays), 2))


def _others(
    events: Int16[np.ndarray, "batch step stream"],
) -> Int16[np.ndarray, "batch step stream"]:
    """The neighbour of each example, which is unrelated in a shuffled batch."""
    return np.roll(events, 1, axis=0)
