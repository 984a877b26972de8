"""Puts the chords of a piece into the columns of a `ChordLine`."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from musicvae.chords import QUALITIES, ParsedChord
from musicvae.data_pipeline.piece import ChordLine

_QUALITY_INDEX = {quality: index for index, quality in enumerate(QUALITIES)}


def chord_line(
    quarters: Float64[np.ndarray, " chord"], chords: Sequence[ParsedChord | None]
) -> ChordLine | None:
    """The line of chords that hold from these times on; None if there is not one chord.

    Of two at one time, the later counts. One that is like the chord before it adds nothing.

    Args:
        quarters: When each starts, ascending.
        chords: The chords; None, and one without a root, is no chord.
    """
    # A chord that is parsed once is one object wherever it is written, and there are few.
    different = {id(chord): chord for chord in chords}
    known = {key: _row(chord) for key, chord in different.items()}
    rows = np.array([known[id(chord)] for chord in chords], np.int16).reshape(-1, 3)
    if (rows[:, 0] < 0).all():
        return None
    is_last = np.append(quarters[1:] > quarters[:-1], True)
    times, rows = quarters[is_last], rows[is_last]
    is_new = np.append(True, (rows[1:] != rows[:-1]).any(axis=1))
    roots, qualities, basses = np.ascontiguousarray(rows[is_new].T)
    return ChordLine(onsets=times[is_new], roots=roots, qualities=qualities, basses=basses)


def _row(chord: ParsedChord | None) -> tuple[int, int, int]:
    """The root, the quality and the bass as numbers; -1 where there is no chord."""
    if chord is None or chord.root is None:
        return -1, -1, -1
    bass = chord.root if chord.bass is None else chord.bass
    return chord.root, _QUALITY_INDEX[chord.quality], bass
