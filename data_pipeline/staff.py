"""Writes down what a score says, measure by measure, as notes on the step grid.

Every measure starts on a step, whatever the measures before it hold, so that one wrong measure
moves nothing behind it off the grid. Tied notes are one note.
"""

from dataclasses import replace
from fractions import Fraction

from musicvae.notes import PITCHES, STEPS_PER_QUARTER, Key, Meter, Note, NoteSequence

from .parts import Part


class Staff:
    """One staff of a score, while it is read from left to right."""

    def __init__(self) -> None:
        self._notes: list[Note] = []
        self._lines = [0]
        self._last: dict[int, int] = {}  # pitch -> place of its last note, for ties

    def add(
        self, pitch: int, onset: Fraction | float, length: Fraction | float, *, is_tied: bool
    ) -> None:
        """Adds a note to the measure that is open.

        Args:
            pitch: MIDI number; a note outside 0 to 127 is left out.
            onset: Quarter notes from the start of the measure.
            length: In quarter notes.
            is_tied: Whether it goes on with the note of its pitch that ends where it starts.
        """
        start = self._lines[-1] + Fraction(onset) * STEPS_PER_QUARTER
        start_step = round(start)
        end_step = max(round(start + Fraction(length) * STEPS_PER_QUARTER), start_step + 1)
        last = self._last.get(pitch)
        if is_tied and last is not None and self._notes[last].end_step == start_step:
            self._notes[last] = replace(self._notes[last], end_step=end_step)
        elif pitch in PITCHES:
            self._last[pitch] = len(self._notes)
            self._notes.append(Note(start_step, pitch, end_step, offset=float(start - start_step)))

    def close_measure(self, length: Fraction | float) -> None:
        """Ends the measure that is open, after so many quarter notes."""
        steps = -int(-Fraction(length) * STEPS_PER_QUARTER // 1)
        self._lines.append(self._lines[-1] + max(1, steps))

    def part(self, *, name: str, meter: Meter, qpm: float, key: Key | None) -> Part | None:
        """All that was written, or None if there are no notes."""
        if not self._notes:
            return None
        length_steps = max(self._lines[-1], *(note.end_step for note in self._notes))
        notes = NoteSequence(
            notes=tuple(sorted(self._notes)),
            length_steps=length_steps,
            qpm=qpm,
            meter=meter,
            key=key,
        )
        return Part(name=name, notes=notes, bar_lines=tuple(self._lines))
