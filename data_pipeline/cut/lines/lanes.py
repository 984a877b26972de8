"""Lays the notes of many parts end to end on one long line, so that numpy works on all at once.

Every call of numpy has a fixed cost, which for the two hundred notes of a tune is most of the cost.
On the long line each part has a lane: a stretch of steps, long enough that no note and no window of
the part reaches into the next lane. Any question about a window, or about a note and the note
before it, has the same answer on the long line as in the part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from jaxtyping import Bool, Int64

from musicvae.data_pipeline.grid.grid import GridPart


@dataclass(frozen=True, kw_only=True, eq=False)
class Lanes:
    """The lanes of some parts on one long line.

    Attributes:
        parts: The part of each lane.
        line: The notes of all lanes, in steps of the long line.
        bounds: The index of each lane's first note, and the number of notes.
        bases: The step of the long line at which each lane starts.
        length_steps: The end of the last lane.
    """

    parts: tuple[GridPart, ...]
    line: GridPart
    bounds: Int64[np.ndarray, " _"]
    bases: Int64[np.ndarray, " _"]
    length_steps: int

    def count(self, marked: Bool[np.ndarray, " note"]) -> Int64[np.ndarray, " _"]:
        """The number of marked notes in each lane."""
        sums = np.zeros(len(marked) + 1, np.int64)
        np.cumsum(marked, out=sums[1:])
        counts: Int64[np.ndarray, " _"] = np.diff(sums[self.bounds])
        return counts

    def line_of(self, lane: int) -> GridPart:
        """The notes of one lane, in its own steps."""
        notes = slice(self.bounds[lane], self.bounds[lane + 1])
        base = self.bases[lane].astype(np.int32)
        return self.parts[lane]._replace(
            starts=self.line.starts[notes] - base,
            ends=self.line.ends[notes] - base,
            pitches=self.line.pitches[notes],
            velocities=self.line.velocities[notes],
            offsets=self.line.offsets[notes],
        )


def lay_lanes(parts: Sequence[GridPart], lengths: Sequence[int]) -> Lanes:
    """Lays parts end to end.

    Args:
        parts: At least one.
        lengths: The length of each part's lane, in steps: past its last note and every window.
    """
    bounds = np.array([0, *accumulate(len(part.starts) for part in parts)])
    bases = np.array([0, *accumulate(lengths)])
    shifts = np.repeat(bases[:-1].astype(np.int32), np.diff(bounds))
    return Lanes(
        parts=tuple(parts),
        line=GridPart(
            name="",
            program=0,
            is_drum=False,
            starts=np.concatenate([part.starts for part in parts]) + shifts,
            ends=np.concatenate([part.ends for part in parts]) + shifts,
            pitches=np.concatenate([part.pitches for part in parts]),
            velocities=np.concatenate([part.velocities for part in parts]),
            offsets=np.concatenate([part.offsets for part in parts]),
        ),
        bounds=bounds,
        bases=bases[:-1],
        length_steps=int(bases[-1]),
    )
