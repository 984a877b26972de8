"""Measures of a line with pitches: does it keep its key, and how does it move.

Conventions: events and keys as in `musicvae.evaluation.listener.keys`. A measure returns a value
for each excerpt or for each interval; its figure is their mean. Excerpts without notes give no
value. An interval leads from the start of a note to the start of the next note of its excerpt.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from musicvae.evaluation.listener.keys import SCALES, TONES, count_classes, is_onset, name_keys

_OCTAVE = 12


def shares_in_key(
    events: Int[np.ndarray, "batch step"],
) -> Float[np.ndarray, " _"]:
    """The share of the notes of each excerpt that belong to the key of the excerpt.

    A minor key has the notes of its natural scale and its leading note.
    """
    return shares_in_keys(events, name_keys(events))


def shares_in_keys(
    events: Int[np.ndarray, "batch step"], keys: Int[np.ndarray, " batch"]
) -> Float[np.ndarray, " _"]:
    """The share of the notes of each excerpt that belong to a given key.

    Excerpts without notes, and excerpts without a key, give no value.
    """
    counts = count_classes(events)
    has_both = counts.any(axis=1) & (keys >= 0)
    counts, tones = counts[has_both], TONES[keys[has_both]]
    shares: Float[np.ndarray, " _"] = (counts * tones).sum(axis=1) / counts.sum(axis=1)
    return shares


def are_in_key(events: Int[np.ndarray, "batch step"]) -> Bool[np.ndarray, " _"]:
    """Whether all notes of each excerpt belong to its key."""
    is_whole: Bool[np.ndarray, " _"] = shares_in_key(events) == 1
    return is_whole


def are_in_scale(events: Int[np.ndarray, "batch step"]) -> Bool[np.ndarray, " _"]:
    """Whether any diatonic scale holds all notes of each excerpt."""
    has_class = count_classes(events) > 0
    has_class = has_class[has_class.any(axis=1)]
    outside = has_class[:, None] & ~SCALES
    fits: Bool[np.ndarray, " _"] = (~outside.any(axis=-1)).any(axis=-1)
    return fits


def class_counts(events: Int[np.ndarray, "batch step"]) -> Int[np.ndarray, " _"]:
    """The number of different pitch classes of each excerpt."""
    counts: Int[np.ndarray, " _"] = (count_classes(events) > 0).sum(axis=1)
    return counts[counts > 0]


def have_leaps(events: Int[np.ndarray, "batch step"]) -> Bool[np.ndarray, " _"]:
    """Whether each excerpt has an interval of more than an octave."""
    found = _find_intervals(events)
    leaps = np.bincount(found.owners[found.sizes > _OCTAVE], minlength=len(events))
    has_leap: Bool[np.ndarray, " _"] = leaps[is_onset(events).any(axis=1)] > 0
    return has_leap


def are_steps(events: Int[np.ndarray, "batch step"]) -> Bool[np.ndarray, " _"]:
    """Whether each interval is a step of a scale: 1 or 2 semitones, up or down."""
    sizes = interval_sizes(events)
    is_step: Bool[np.ndarray, " _"] = (sizes == 1) | (sizes == 2)
    return is_step


def interval_sizes(events: Int[np.ndarray, "batch step"]) -> Int[np.ndarray, " _"]:
    """The size of each interval in semitones; 0 for a repeated note."""
    return _find_intervals(events).sizes


@dataclass(frozen=True, kw_only=True, eq=False)
class _Intervals:
    """The sizes of intervals in semitones, and the excerpt that each belongs to."""

    owners: Int[np.ndarray, " _"]
    sizes: Int[np.ndarray, " _"]


def _find_intervals(events: Int[np.ndarray, "batch step"]) -> _Intervals:
    rows, steps = np.nonzero(is_onset(events))
    sizes = np.abs(np.diff(events[rows, steps].astype(np.int64)))
    is_inside = np.diff(rows) == 0
    return _Intervals(owners=rows[1:][is_inside], sizes=sizes[is_inside])
