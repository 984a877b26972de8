"""Collects the chords of a piece while it is read, into the columns of a `ChordLine`."""

import numpy as np

from musicvae.chords import QUALITIES, ParsedChord
from musicvae.data_pipeline.piece import ChordLine

_QUALITY_INDEX = {quality: index for index, quality in enumerate(QUALITIES)}


class ChordColumns:
    """The chords of a piece in the order of time, while it is read."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, int, int, int]] = []

    def add(self, quarter: float, chord: ParsedChord | None) -> None:
        """Adds a chord, or None for no chord, that holds from this quarter note on.

        Of two at one time, the later counts. Times that go back are left out.
        """
        if self._rows and quarter < self._rows[-1][0]:
            return
        if self._rows and quarter == self._rows[-1][0]:
            self._rows.pop()
        if chord is None or chord.root is None:
            row = (quarter, -1, -1, -1)
        else:
            bass = chord.root if chord.bass is None else chord.bass
            row = (quarter, chord.root, _QUALITY_INDEX[chord.quality], bass)
        if not self._rows or self._rows[-1][1:] != row[1:]:
            self._rows.append(row)

    def line(self) -> ChordLine | None:
        """All of them; None if there is not one chord."""
        if all(root < 0 for _, root, _, _ in self._rows):
            return None
        times, roots, qualities, basses = zip(*self._rows, strict=True)
        return ChordLine(
            onsets=np.array(times, dtype=np.float64),
            roots=np.array(roots, dtype=np.int16),
            qualities=np.array(qualities, dtype=np.int16),
            basses=np.array(basses, dtype=np.int16),
        )
