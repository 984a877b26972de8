"""Measures of lines that sound together: a melody over chords, a bass under a melody.

Conventions: events and keys as in `musicvae.evaluation.listener.keys`; chords are `(batch, step)`,
as in the first stream of `musicvae.representation.chords`. A measure returns a value for each
strong beat, each quarter beat or each excerpt; its figure is their mean.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from musicvae.evaluation.listener.keys import name_keys, sounding
from musicvae.evaluation.listener.pitched import shares_in_keys
from musicvae.music.chords import QUALITIES
from musicvae.music.notes import Meter
from musicvae.representation.chords import EVENTS, NO_CHORD

_CONSONANT = (0, 3, 4, 7, 8, 9)
"""Unison, thirds, fifth and sixths above the bass, and the same an octave or more higher."""

_HARSH = (1, 6, 11)
"""The minor second, the tritone, the major seventh."""


def _chord_tones() -> Bool[np.ndarray, "205 12"]:
    """Marks the pitch classes of each event of a chord stream."""
    tones = np.zeros((EVENTS, 12), np.bool_)
    for event in range(1, EVENTS):
        root, quality = divmod(event - 1, len(QUALITIES))
        intervals = tuple(QUALITIES.values())[quality]
        tones[event, [(root + interval) % 12 for interval in intervals]] = True
    return tones


_TONES = _chord_tones()


def strong_steps(meter: Meter, *, bars: int, steps_per_bar: int) -> Int[np.ndarray, " _"]:
    """Finds the steps of the strong beats.

    They are the first beat of every bar and, where a bar has an even number of beats from four on,
    the beat in its middle: beats 1 and 3 in 4/4.
    """
    has_middle = meter.numerator >= 4 and meter.numerator % 2 == 0
    parts = 2 if has_middle else 1
    return np.arange(bars * parts) * steps_per_bar // parts


def are_chord_tones(
    events: Int[np.ndarray, "batch step"],
    chords: Int[np.ndarray, "batch step"],
    steps: Int[np.ndarray, " _"],
) -> Bool[np.ndarray, " _"]:
    """Whether the note that sounds at each of the steps is a tone of the chord.

    The note may have started before. Steps with silence or without a chord give no value. A bass
    beside the root adds no tone.
    """
    pitches, tones = _find_over_chords(events, chords, steps)
    found: Bool[np.ndarray, " _"] = tones[np.arange(len(pitches)), pitches % 12]
    return found


def are_semitone_above(
    events: Int[np.ndarray, "batch step"],
    chords: Int[np.ndarray, "batch step"],
    steps: Int[np.ndarray, " _"],
) -> Bool[np.ndarray, " _"]:
    """Whether the note is no tone of the chord and stands a semitone above a tone of the chord.

    Steps count as in `are_chord_tones`.
    """
    pitches, tones = _find_over_chords(events, chords, steps)
    rows = np.arange(len(pitches))
    found: Bool[np.ndarray, " _"] = tones[rows, (pitches - 1) % 12] & ~tones[rows, pitches % 12]
    return found


def are_consonant(
    melody: Int[np.ndarray, "batch step"],
    bass: Int[np.ndarray, "batch step"],
    *,
    steps_per_quarter: int,
) -> Bool[np.ndarray, " _"]:
    """Whether melody and bass are consonant at each quarter beat at which both sound.

    The melody is a unison, a third, a fifth or a sixth above the bass, octaves apart or not. The
    fourth is neither consonant nor harsh.
    """
    return np.isin(_find_intervals(melody, bass, steps_per_quarter), _CONSONANT)


def are_harsh(
    melody: Int[np.ndarray, "batch step"],
    bass: Int[np.ndarray, "batch step"],
    *,
    steps_per_quarter: int,
) -> Bool[np.ndarray, " _"]:
    """Whether the melody is a minor second, a tritone or a major seventh above the bass.

    Beats count as in `are_consonant`.
    """
    return np.isin(_find_intervals(melody, bass, steps_per_quarter), _HARSH)


def shares_in_key_of(
    melody: Int[np.ndarray, "batch step"], bass: Int[np.ndarray, "batch step"]
) -> Float[np.ndarray, " _"]:
    """The share of the bass notes of each excerpt that belong to the key of its melody.

    Excerpts without a melody or without a bass give no value.
    """
    return shares_in_keys(bass, name_keys(melody))


def _find_over_chords(
    events: Int[np.ndarray, "batch step"],
    chords: Int[np.ndarray, "batch step"],
    steps: Int[np.ndarray, " _"],
) -> tuple[Int[np.ndarray, " note"], Bool[np.ndarray, "note 12"]]:
    """Finds each pitch that sounds over a chord at one of the steps, and the chord's tones."""
    pitches, over = sounding(events)[:, steps], chords[:, steps]
    has_both = (pitches >= 0) & (over != NO_CHORD)
    return pitches[has_both], _TONES[over[has_both]]


def _find_intervals(
    melody: Int[np.ndarray, "batch step"],
    bass: Int[np.ndarray, "batch step"],
    steps_per_quarter: int,
) -> Int[np.ndarray, " _"]:
    """Finds the pitch class of the melody above the bass where both sound at a quarter beat."""
    upper, lower = (sounding(each)[:, ::steps_per_quarter] for each in (melody, bass))
    above: Int[np.ndarray, " _"] = (upper - lower)[(upper >= 0) & (lower >= 0)] % 12
    return above
