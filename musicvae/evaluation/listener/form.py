"""Measures of form: does music come back, does it stay in its key, does it end at home.

Conventions: events as in `musicvae.evaluation.listener.keys`, or drums as numbers of nine bits. A
bar equals another bar if all their events are equal; it has the rhythm of another bar if notes
start and stop at the same steps. A measure returns a value for each excerpt or for each bar but the
first; its figure is their mean. Bars in which nothing starts give no value.
"""

import numpy as np
from jaxtyping import Bool, Int

from musicvae.evaluation.listener.keys import is_onset, name_keys, signatures
from musicvae.music.instruments import LOWEST_PITCH
from musicvae.representation.melody import FIRST_PITCH_EVENT

FEWEST_BARS = 8
"""Shorter excerpts have no form to hear."""


def halves_agree(events: Int[np.ndarray, "batch step"], *, bars: int) -> Bool[np.ndarray, " _"]:
    """Whether the keys of both halves of each excerpt have the same signature.

    The first half has half the bars, rounded down. An excerpt with an empty half gives no value.
    """
    middle = bars // 2 * (events.shape[1] // bars)
    first, second = name_keys(events[:, :middle]), name_keys(events[:, middle:])
    has_both = (first >= 0) & (second >= 0)
    agrees: Bool[np.ndarray, " _"] = signatures(first[has_both]) == signatures(second[has_both])
    return agrees


def end_on_tonic(events: Int[np.ndarray, "batch step"]) -> Bool[np.ndarray, " _"]:
    """Whether the last note of each excerpt is the tonic of the excerpt's key, in any octave.

    Excerpts without notes give no value.
    """
    starts = is_onset(events)
    last = events.shape[1] - 1 - starts[:, ::-1].argmax(axis=1)
    pitches = events[np.arange(len(events)), last].astype(np.int64)
    classes = (pitches - FIRST_PITCH_EVENT + LOWEST_PITCH) % 12
    has_notes = starts.any(axis=1)
    ends_home: Bool[np.ndarray, " _"] = classes[has_notes] == name_keys(events[has_notes]) % 12
    return ends_home


def repeat_exactly(events: Int[np.ndarray, "batch step"], *, bars: int) -> Bool[np.ndarray, " _"]:
    """Whether each bar equals any earlier bar of its excerpt."""
    divided = events.reshape(len(events), bars, -1)
    found = [
        np.any(np.all(divided[:, bar, None] == divided[:, :bar], axis=-1), axis=1)
        for bar in range(1, bars)
    ]
    repeats: Bool[np.ndarray, " _"] = np.stack(found, axis=1)[_later(is_onset(events), bars)]
    return repeats


def repeat_rhythm(events: Int[np.ndarray, "batch step"], *, bars: int) -> Bool[np.ndarray, " _"]:
    """Whether each bar has the rhythm of any earlier bar of its excerpt."""
    return repeat_exactly(np.minimum(events, FIRST_PITCH_EVENT), bars=bars)


def equal_bar_before(
    events: Int[np.ndarray, "batch step"],
    starts: Bool[np.ndarray, "batch step"],
    *,
    bars: int,
) -> Bool[np.ndarray, " _"]:
    """Whether each bar equals the bar before it.

    Args:
        events: The events of any line.
        starts: The steps at which a note or hit starts.
        bars: The number of bars.
    """
    divided = events.reshape(len(events), bars, -1)
    is_equal = np.all(divided[:, 1:] == divided[:, :-1], axis=-1)
    equal: Bool[np.ndarray, " _"] = is_equal[_later(starts, bars)]
    return equal


def _later(starts: Bool[np.ndarray, "batch step"], bars: int) -> Bool[np.ndarray, "batch _"]:
    """Marks the bars, from the second on, in which something starts."""
    counts: Bool[np.ndarray, "batch _"] = np.any(
        starts.reshape(len(starts), bars, -1)[:, 1:], axis=-1
    )
    return counts
