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
    if not len(chords):
        return None
    # Equal symbols are one parsed object, and a piece has few different symbols.
    row_of = {id(chord): _row(chord) for chord in {id(each): each for each in chords}.values()}
    places = {row: place for place, row in enumerate(dict.fromkeys(row_of.values()))}
    place_of = {key: places[row] for key, row in row_of.items()}
    chosen = np.array([place_of[id(chord)] for chord in chords], np.intp)
    is_last = np.append(quarters[1:] > quarters[:-1], True)[: len(chosen)]
    times, chosen = quarters[is_last], chosen[is_last]
    is_new = np.append(True, chosen[1:] != chosen[:-1])
    rows = np.array(list(places), np.int16).reshape(-1, 3)[chosen[is_new]]
    if (rows[:, 0] < 0).all():
        return None
    roots, qualities, basses = np.ascontiguousarray(rows.T)
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
