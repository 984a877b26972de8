"""What reading a piece gives: its parts as notes on the step grid, with their bar lines."""

from dataclasses import dataclass

from musicvae.notes import Meter, NoteSequence


@dataclass(frozen=True, kw_only=True)
class Part:
    """One track of a MIDI file, or one staff of a score.

    Attributes:
        name: Its name in the file; may be empty.
        notes: Its notes, drums too.
        bar_lines: The steps at which bars begin, ascending, and the end of the last bar.
    """

    name: str
    notes: NoteSequence
    bar_lines: tuple[int, ...]

    @property
    def is_drums(self) -> bool:
        """Whether all of it is for drums."""
        notes = self.notes.notes
        return bool(notes) and all(note.is_drum for note in notes)


@dataclass(frozen=True, kw_only=True)
class ReadPiece:
    """A piece that was read.

    Attributes:
        parts: Those with notes, in the file's order.
        meters: The different time signatures in order of appearance; empty if there are none.
    """

    parts: tuple[Part, ...]
    meters: tuple[Meter, ...]
