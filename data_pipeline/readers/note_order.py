"""Orders the notes of many parts by time, then by pitch."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int64, Shaped


def find_note_order(
    bounds: Sequence[int], times: Shaped[np.ndarray, " note"], *columns: Shaped[np.ndarray, " note"]
) -> Int64[np.ndarray, " note"] | None:
    """The order of notes by time, then by each column; None if they are in order.

    Most music is in order, except for notes of one time: if only their pitches are out of order,
    one quick sort is enough.

    Args:
        bounds: The index of each part's first note, and the number of notes; no note leaves its
            part.
        times: The time of each note.
        columns: The columns that order notes of one time; the pitches, 0 or more, come first.
    """
    starts = np.array(bounds[1:-1], np.int64)
    if not _are_out(starts, times, *columns).any():
        return None
    groups = np.zeros(len(times), np.int64)
    is_new = times[1:] != times[:-1]
    is_new[starts - 1] = True
    np.cumsum(is_new, out=groups[1:])
    order: Int64[np.ndarray, " note"] = np.argsort(groups << 16 | columns[0], kind="stable")
    ordered = [column.take(order) for column in (times, *columns)]
    is_out = _are_out(starts, *ordered)
    if is_out.any():
        parts = np.zeros(len(times), np.int64)
        parts[starts] = 1
        parts = np.cumsum(parts)
        has_disorder = np.zeros(len(bounds), bool)
        has_disorder[parts[1:][is_out]] = True
        at = np.flatnonzero(has_disorder[parts])
        keys = [column[at] for column in reversed(ordered)]
        order[at] = order[at][np.lexsort((*keys, parts[at]))]
    return order


def _are_out(
    starts: Int64[np.ndarray, " _"], *columns: Shaped[np.ndarray, " note"]
) -> Bool[np.ndarray, " _"]:
    """Whether each note but the last belongs after the next, by one column after the other."""
    first, *others = columns
    is_out, is_equal = first[:-1] > first[1:], first[:-1] == first[1:]
    is_out[starts - 1] = is_equal[starts - 1] = False
    for column in others:
        if not is_equal.any():
            break
        is_out |= is_equal & (column[:-1] > column[1:])
        is_equal &= column[:-1] == column[1:]
    return is_out
