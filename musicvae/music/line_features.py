"""Describes each note of a line by numbers that say nothing of its key, instrument or loudness.

Conventions: a line has one note at a time. A line that is moved to another key, or by whole bars,
is described by the same numbers.
"""

import numpy as np
from jaxtyping import Float32, Int

FEATURES = 19
"""The number of features of a note."""

STEP_IN_BAR = 6
"""The feature that is the share of the bar before the note."""


def describe_line(
    starts: Int[np.ndarray, " note"],
    ends: Int[np.ndarray, " note"],
    pitches: Int[np.ndarray, " note"],
    *,
    steps_per_bar: int,
    steps_per_quarter: int,
) -> Float32[np.ndarray, "note feature"]:
    """The place in the bar, the pitch, the intervals, the length and the rests of each note.

    Args:
        starts: The step of each onset, ascending; a bar starts at step 0.
        ends: The first step after each note, at most the start of the next note.
        pitches: MIDI numbers.
        steps_per_bar: The steps of a bar.
        steps_per_quarter: The resolution of the grid.
    """
    long = 4 * steps_per_quarter  # no length counts for more
    step = starts % steps_per_bar
    sixteenth = step % steps_per_quarter * 4 // steps_per_quarter
    intervals = np.clip(np.diff(pitches), -12, 12) / 12
    before, after = np.append(0, intervals), np.append(intervals, 0)
    steps = np.diff(starts)
    rests = np.minimum(starts[1:] - ends[:-1], steps_per_quarter) / steps_per_quarter

    def log_quarters(lengths: Int[np.ndarray, " note"]) -> Float32[np.ndarray, " note"]:
        quarters = np.minimum(lengths, long) / steps_per_quarter
        logs: Float32[np.ndarray, " note"] = np.log2(quarters, dtype=np.float32) / 2
        return logs

    columns = (
        *(sixteenth == each for each in range(4)),
        step == 0,
        2 * step == steps_per_bar,
        step / steps_per_bar,
        step // steps_per_quarter % 2 == 1,
        (pitches - pitches.mean()) / 12,
        before,
        after,
        before == 0,
        after == 0,
        log_quarters(ends - starts),
        log_quarters(np.append(long, steps)),
        log_quarters(np.append(steps, long)),
        np.append(0, rests),
        np.append(rests, 0),
        np.arange(len(starts)) == 0,
    )
    features: Float32[np.ndarray, "note feature"] = np.stack(columns, axis=1).astype(np.float32)
    return features
