"""Drums as the hits of nine classes, a number a step: the representation of the paper's models.

Conventions: every drum of a kit is reduced to one of nine classes, `DRUM_CLASSES`; a class is hit
or not at each step. An event is a number below 512 whose bit `i` (worth `2 ** i`) says that class
`i` is hit, and a tensor is `(step, 1)`. The order of the classes and of the bits is Magenta's.

Every tensor within the vocabulary is a legal excerpt: drums alone, each the drum that plays its
class, on the grid, of the right meter, resolution and length. For legal excerpts
`to_notes(to_tensor(x)) == x`, but a tensor does not hold velocity, duration (a hit lasts a step),
the drum within its class, the distance from the step, tempo, key and chords.

Source: Roberts et al. 2018, section 5.1, for nine classes and 512 events. Magenta silently leaves
out drums outside the table; we refuse them with a cause.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int, Int16

from musicvae.music.attributes import RHYTHM
from musicvae.music.notes import Note, NoteSequence
from musicvae.music.top_line import on_grid
from musicvae.representation import hits
from musicvae.representation.checks import KNOWN_DRUMS, ON_STEPS, ONLY_DRUMS, SAME_GRID
from musicvae.representation.kind import Kind, Reduction
from musicvae.representation.recombination import swap_cymbal_bits
from musicvae.representation.representation import Representation
from musicvae.representation.streams import Stream

CHECKS = (ONLY_DRUMS, *SAME_GRID, ON_STEPS, KNOWN_DRUMS)


def reduce_to_drums(music: NoteSequence) -> NoteSequence:
    """Keeps the drums that have a class, each on the nearest step."""
    return on_grid(replace(music, notes=hits.known_drums(music.notes)))


DRUMS = Kind(
    name="drums",
    content="drums, every drum of a kit counts as one of nine classes; loudness and timing off the "
    "grid are not modelled",
    usual_bars=(2,),
    attributes=RHYTHM,
    line_of=lambda _: "drums",
    reduction=Reduction(
        reduce=reduce_to_drums, keeps="the drums that General MIDI names, on the grid"
    ),
    recombine=swap_cymbal_bits,
    has_styles=True,
)


@dataclass(frozen=True, kw_only=True)
class Drums(Representation):
    """Drums in one stream of 512 events."""

    kind = DRUMS
    streams = (Stream(name="drums", size=hits.EVENTS),)
    checks = CHECKS

    @staticmethod
    def write_hits(played: Bool[np.ndarray, "step 9"]) -> Int16[np.ndarray, "step 1"]:
        """Writes hits, of any length, as events."""
        return hits.join_hits(played)[:, None]

    def is_onset(
        self, events: Int[np.ndarray, "batch step stream"]
    ) -> Bool[np.ndarray, "batch step stream"]:
        return events > 0

    def _write(self, excerpt: NoteSequence) -> Int16[np.ndarray, "step stream"]:
        return self.write_hits(hits.write_notes(excerpt.notes, self.length_steps))

    def _read_notes(self, events: Int[np.ndarray, "step stream"]) -> list[Note]:
        return hits.read_hits(hits.split_hits(events[:, 0]))
