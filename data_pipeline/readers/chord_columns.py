"""Puts the chords of a piece into the columns of a `ChordLine`."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from musicvae.music.chords import QUALITIES, ParsedChord

from .piece import ChordLine

_QUALITY_INDEX = {quality: index for index, quality in enumerate(QUALITIES)}


def chord_line(
    quarters: Float64[np.ndarray, " chord"], chords: Sequence[ParsedChord | None]
) -> ChordLine | None:
    """The chords as columns; None if there is no chord.

    Of two chords at one time the later counts. A repeated chord adds nothing.

    Args:
        quarters: The start of each chord, ascending.
        chords: The chords; None, or a chord without a root, is no chord.
    """
    # Equal symbols are one parsed object, and a piece has few different symbols.
    different = {id(chord): chord for chord in chords}
    places = {key: place for place, key in enumerate(different)}
    known = np.array([_row(chord) for chord in different.values()], np.int16).reshape(-1, 3)
    rows = known[[places[id(chord)] for chord in chords]]
    is_last = np.append(quarters[1:] > quarters[:-1], True)[: len(rows)]
    times, rows = quarters[is_last], rows[is_last]
    if (rows[:, 0] < 0).all():
        return None
    is_new = np.append(True, (rows[1:] != rows[:-1]).any(axis=1))
    roots, qualities, basses = np.ascontiguousarray(rows[is_new].T)
    return ChordLine(onsets=times[is_new], roots=roots, qualities=qualities, basses=basses)


class _Row(NamedTuple):
    """A chord as numbers; -1 where there is none."""

    root: int = -1
    quality: int = -1
    bass: int = -1


def _row(chord: ParsedChord | None) -> _Row:
    if chord is None or chord.root is None:
        return _Row()
    bass = chord.root if chord.bass is None else chord.bass
    return _Row(chord.root, _QUALITY_INDEX[chord.quality], bass)
