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
    """The features of the notes of one line, see `describe_lines`."""
    return describe_lines(
        starts,
        ends,
        pitches,
        np.array([len(starts)]),
        steps_per_bar=steps_per_bar,
        steps_per_quarter=steps_per_quarter,
    )


def describe_lines(
    starts: Int[np.ndarray, " note"],
    ends: Int[np.ndarray, " note"],
    pitches: Int[np.ndarray, " note"],
    counts: Int[np.ndarray, " line"],
    *,
    steps_per_bar: int,
    steps_per_quarter: int,
) -> Float32[np.ndarray, "note feature"]:
    """The place in the bar, the pitch, the intervals, the length and the rests of each note.

    Args:
        starts: The step of each onset, ascending in each line; a bar starts at step 0.
        ends: The first step after each note, at most the start of the next note of the line.
        pitches: MIDI numbers.
        counts: The number of notes of each line, 1 or more; the notes of a line stand together.
        steps_per_bar: The steps of a bar.
        steps_per_quarter: The resolution of the grid.
    """
    long = 4 * steps_per_quarter  # no length counts for more
    step = starts % steps_per_bar
    sixteenth = step % steps_per_quarter * 4 // steps_per_quarter
    firsts = np.cumsum(counts) - counts
    lasts = firsts + counts - 1
    means = np.repeat(np.add.reduceat(pitches, firsts) / counts, counts)

    def from_before(pairs: np.ndarray, at_first: int) -> np.ndarray:
        """For each note a number of it and the note before it; at the first of a line another."""
        numbers = np.append(at_first, pairs)
        numbers[firsts] = at_first
        return numbers

    def to_next(pairs: np.ndarray, at_last: int) -> np.ndarray:
        numbers = np.append(pairs, at_last)
        numbers[lasts] = at_last
        return numbers

    intervals = np.clip(np.diff(pitches), -12, 12) / 12
    before, after = from_before(intervals, 0), to_next(intervals, 0)
    steps = np.diff(starts)
    rests = np.minimum(starts[1:] - ends[:-1], steps_per_quarter) / steps_per_quarter
    is_first = np.zeros(len(starts), np.bool_)
    is_first[firsts] = True

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
        (pitches - means) / 12,
        before,
        after,
        before == 0,
        after == 0,
        log_quarters(ends - starts),
        log_quarters(from_before(steps, long)),
        log_quarters(to_next(steps, long)),
        from_before(rests, 0),
        to_next(rests, 0),
        is_first,
    )
    features: Float32[np.ndarray, "note feature"] = np.stack(columns, axis=1).astype(np.float32)
    return features
