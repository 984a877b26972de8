"""The keys and scales of lines with pitches.

Conventions: the events of a line are `(batch, step)`, as in `musicvae.representation.melody`: 0
holds, 1 stops, 2 and more start a pitch. A note counts where it starts. Keys are counted 0 to 11
for C major to B major, 12 to 23 for C minor to B minor; -1 stands for no key.

The key is always named from the excerpt alone. In two bars of real music the name is often wrong,
so real music is never wholly in its key by this measure: compare with real music, never with 1.

Source: Krumhansl 1990, Cognitive Foundations of Musical Pitch: table 2.1 (the profiles that
Krumhansl and Kessler found by asking listeners) and chapter 4 (the correlation with them).
`musicvae.music.keys` has profiles that name more keys rightly; the profiles here are the profiles
that most published figures were made with.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from musicvae.music.instruments import LOWEST_PITCH
from musicvae.music.scales import KEY_STEPS
from musicvae.representation.melody import FIRST_PITCH_EVENT, HOLD

_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)

_DECIMALS = 9
"""Correlations are rounded: two keys that fit equally well must do so on every machine."""


def _turn(classes: tuple[int, ...]) -> Bool[np.ndarray, "12 12"]:
    """Marks the pitch classes of a scale on every tonic, a row a tonic."""
    scale = np.isin(np.arange(12), classes)
    return np.stack([np.roll(scale, tonic) for tonic in range(12)])


SCALES = _turn(KEY_STEPS[False])
"""The pitch classes of the twelve diatonic scales, a row a scale."""

TONES = np.concatenate([SCALES, _turn(KEY_STEPS[True])])
"""The pitch classes of the 24 keys: major, and natural minor with the leading note."""


def _profiles() -> Float[np.ndarray, "24 12"]:
    """Turns both profiles to every tonic; each row has the mean 0 and the length 1."""
    rows = np.array([np.roll(each, tonic) for each in (_MAJOR, _MINOR) for tonic in range(12)])
    rows -= rows.mean(axis=1, keepdims=True)
    profiles: Float[np.ndarray, "24 12"] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return profiles


_PROFILES = _profiles()


def is_onset(events: Int[np.ndarray, "batch step"]) -> Bool[np.ndarray, "batch step"]:
    """Marks the steps at which a note starts."""
    starts: Bool[np.ndarray, "batch step"] = events >= FIRST_PITCH_EVENT
    return starts


def sounding(events: Int[np.ndarray, "batch step"]) -> Int[np.ndarray, "batch step"]:
    """Finds the MIDI pitch that sounds at each step; -1 for silence."""
    steps = np.arange(events.shape[1])
    last = np.maximum.accumulate(np.where(events != HOLD, steps, -1), axis=1)
    event = np.take_along_axis(events, np.maximum(last, 0), axis=1)
    is_silent = (last < 0) | (event < FIRST_PITCH_EVENT)
    return np.where(is_silent, -1, _to_pitch(event))


def count_classes(events: Int[np.ndarray, "batch step"]) -> Int[np.ndarray, "batch 12"]:
    """Counts the notes of each pitch class."""
    return _count(np.where(is_onset(events), _to_pitch(events), -1))


def name_keys(events: Int[np.ndarray, "batch step"]) -> Int[np.ndarray, " batch"]:
    """Names the key of each line: the key whose profile fits best how long each class sounds.

    Of keys that fit equally well the first counts. A line without notes has no key.
    """
    lengths = _count(sounding(events))
    centred = lengths - lengths.mean(axis=1, keepdims=True)
    fits = np.round((centred[:, None] * _PROFILES).sum(axis=-1), _DECIMALS)
    return np.where(lengths.any(axis=1), fits.argmax(axis=1), -1)


def signatures(keys: Int[np.ndarray, "*any"]) -> Int[np.ndarray, "*any"]:
    """Finds the tonic of the major key with the same signature."""
    return np.where(keys < 12, keys, (keys + 3) % 12)


def _to_pitch(events: Int[np.ndarray, "*any"]) -> Int[np.ndarray, "*any"]:
    pitches: Int[np.ndarray, "*any"] = events.astype(np.int64) - FIRST_PITCH_EVENT + LOWEST_PITCH
    return pitches


def _count(pitches: Int[np.ndarray, "batch step"]) -> Int[np.ndarray, "batch 12"]:
    """Counts the pitch classes of each row; -1 is no pitch."""
    rows, steps = np.nonzero(pitches >= 0)
    counts = np.zeros((len(pitches), 12), np.int64)
    np.add.at(counts, (rows, pitches[rows, steps] % 12), 1)
    return counts
