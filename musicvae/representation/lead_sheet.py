"""A melody over its chords: the representation of lead sheets, whose chords are a condition.

Conventions: a tensor is `(step, 3)`: the melody as in `melody`, 90 events; then the chord of each
step, and its bass, as in `chords`, 205 and 13. A model generates the melody; the chords are a
condition.

Every tensor within the vocabulary is a legal excerpt. A legal excerpt is a legal melody with any
chords or none. For legal excerpts `to_notes(to_tensor(x)) == x`, with the exceptions that `melody`
and `chords` name.

Source: our own. Magenta's melodies can have a triad at each step as a condition
(`TriadChordOneHotEncoding`); here the chords have sevenths and basses too.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int, Int16

from musicvae.music.chords import Chord
from musicvae.music.notes import Note, NoteSequence
from musicvae.representation import melody
from musicvae.representation.chords import (
    CONDITIONS,
    Chords,
    chords_of_steps,
    transpose_with,
)
from musicvae.representation.melody import Melody
from musicvae.representation.representation import Representation

LEAD_SHEET = replace(
    melody.MELODY,
    name="lead_sheet",
    content="melodies of one note at a time over chords that are given to it and that it does not "
    "make itself; loudness is not modelled",
    usual_bars=(4,),
)


@dataclass(frozen=True, kw_only=True)
class LeadSheet(Representation):
    """A melody in the first stream, and its chords in two condition streams."""

    bars: int = 4

    kind = LEAD_SHEET
    streams = (*Melody.streams, *CONDITIONS)
    checks = melody.CHECKS  # any chords on the grid of steps can be held

    @property
    def line(self) -> Melody:
        """The representation of the melody alone."""
        return Melody(bars=self.bars, meter=self.meter, steps_per_quarter=self.steps_per_quarter)

    @property
    def harmony(self) -> Chords:
        """The representation of the chords alone."""
        return chords_of_steps(self)

    def is_onset(
        self, events: Int[np.ndarray, "batch step stream"]
    ) -> Bool[np.ndarray, "batch step stream"]:
        is_start = events >= melody.FIRST_PITCH_EVENT
        is_start[..., 1:] = False
        return is_start

    def allowed_events(
        self, in_scale: Bool[np.ndarray, " pitch"], in_range: Bool[np.ndarray, " pitch"]
    ) -> tuple[Bool[np.ndarray, " _event"], ...]:
        return self.line.allowed_events(in_scale, in_range)

    def transpose(
        self, events: Int16[np.ndarray, "batch step stream"], semitones: Int[np.ndarray, " batch"]
    ) -> Int16[np.ndarray, "batch step stream"]:
        """Moves melody and chords of each excerpt by its interval, or neither.

        An excerpt whose melody would leave the range stays as it is.
        """
        lines, harmonies = events[..., :1], events[..., 1:]
        moved = melody.transpose_lines(lines, semitones)
        followed = transpose_with(self.harmony, lines, moved, harmonies, semitones)
        return np.concatenate([moved, followed], axis=-1)

    def _write(self, excerpt: NoteSequence) -> Int16[np.ndarray, "step stream"]:
        line = melody.write_notes(excerpt.notes, self.length_steps)
        return np.concatenate([line[:, None], self.harmony.to_tensor(excerpt)], axis=1)

    def _read_notes(self, events: Int[np.ndarray, "step stream"]) -> list[Note]:
        return melody.read_line(events[:, 0])

    def _read_chords(self, events: Int[np.ndarray, "step stream"]) -> tuple[Chord, ...]:
        return self.harmony.to_notes(events[:, 1:]).chords
