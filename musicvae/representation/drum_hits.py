"""Drums as in `drums`, but with a stream of two events for each of the nine classes.

Conventions: a tensor is `(step, 9)`: 1 where the class is hit, else 0. All else is as in `drums`.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int, Int16

from musicvae.music.instruments import DRUM_CLASSES
from musicvae.music.notes import Note, NoteSequence
from musicvae.representation import drums, hits
from musicvae.representation.recombination import swap_cymbal_streams
from musicvae.representation.representation import Representation
from musicvae.representation.streams import Stream

DRUM_HITS = replace(
    drums.DRUMS,
    name="drum_hits",
    usual_bars=(),  # the excerpts of drums, which `inspect` shows already
    line_of=lambda _: hits.HITS,
    recombine=swap_cymbal_streams,
)


@dataclass(frozen=True, kw_only=True)
class DrumHits(Representation):
    """Drums in nine streams of two events."""

    kind = DRUM_HITS
    streams = tuple(Stream(name=drum.name, size=2) for drum in DRUM_CLASSES)
    checks = drums.CHECKS

    @staticmethod
    def write_hits(played: Bool[np.ndarray, "step 9"]) -> Int16[np.ndarray, "step 9"]:
        """Writes hits, of any length, as events."""
        return played.astype(np.int16)

    def is_onset(
        self, events: Int[np.ndarray, "batch step stream"]
    ) -> Bool[np.ndarray, "batch step stream"]:
        return events > 0

    def _write(self, excerpt: NoteSequence) -> Int16[np.ndarray, "step stream"]:
        return self.write_hits(hits.write_notes(excerpt.notes, self.length_steps))

    def _read_notes(self, events: Int[np.ndarray, "step stream"]) -> list[Note]:
        return hits.read_hits(events > 0)
