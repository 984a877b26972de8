"""Puts the chords of a piece into the columns of a `ChordLine`."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from musicvae.music.chords import ParsedChord, quality_index

from .piece import ChordLine


def chord_line(
    quarters: Float64[np.ndarray, " chord"], chords: Sequence[ParsedChord | None]
) -> ChordLine | None:
    """The chords as columns; None if there is no chord.

    Of two chords at one time the later counts. A repeated chord adds nothing.

    Args:
        quarters: The start of each chord, ascending.
        chords: The chords; None, or a chord without a root, is no chord.
    """
    if not len(chords):
        return None
    # Equal symbols are one parsed object, and a piece has few different symbols.
    keys = [*map(id, chords)]
    code_of = {key: _code(chord) for key, chord in dict(zip(keys, chords, strict=True)).items()}
    codes = np.array([code_of[key] for key in keys])
    is_last, is_new = np.ones((2, len(codes)), bool)
    np.greater(quarters[1:], quarters[:-1], out=is_last[:-1])
    times, codes = quarters[is_last], codes[is_last]
    is_new = is_new[: len(codes)]
    np.not_equal(codes[1:], codes[:-1], out=is_new[1:])
    codes = codes[is_new]
    if not codes.any():
        return None
    roots, qualities, basses = (codes >> _SHIFTS & 0xFF).astype(np.int16) - np.int16(1)
    return ChordLine(onsets=times[is_new], roots=roots, qualities=qualities, basses=basses)


_SHIFTS = np.array([[16], [8], [0]])


def _code(chord: ParsedChord | None) -> int:
    """Root, quality and bass as one number, each from 1; 0 where there is no chord."""
    if chord is None or chord.root is None:
        return 0
    bass = chord.root if chord.bass is None else chord.bass
    return chord.root + 1 << 16 | quality_index(chord.quality) + 1 << 8 | bass + 1
