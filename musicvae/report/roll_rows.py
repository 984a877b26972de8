"""What stands at each height of a piano roll: drums below, a row each, and the keys over them."""

from collections.abc import Iterable
from dataclasses import dataclass

from musicvae.music.instruments import CLASS_OF_PITCH, DRUM_CLASSES
from musicvae.music.notes import Note

_FEWEST_KEYS = 13
"""An octave: a picture of two pitches would make a second look like a leap."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows of a roll, counted from 0 at the bottom.

    Attributes:
        drums: The keys of the drums, from the bottom up; may be none.
        pitches: The pitches of the keys, from the bottom up; may be none.
    """

    drums: tuple[int, ...]
    pitches: range

    @property
    def count(self) -> int:
        """The number of rows, with the empty one that divides drums from keys."""
        return self.first_key + len(self.pitches)

    @property
    def first_key(self) -> int:
        """The row of the lowest pitch."""
        has_both = bool(self.drums and self.pitches)
        return len(self.drums) + has_both

    def of(self, note: Note) -> int:
        """The row of a note."""
        if note.is_drum:
            return self.drums.index(note.pitch)
        return self.first_key + note.pitch - self.pitches.start


def rows_of(notes: Iterable[Note]) -> Rows:
    """The rows that some notes need: every drum that is hit, and the keys around the pitches."""
    drums: set[int] = set()
    pitches: set[int] = set()
    for note in notes:
        (drums if note.is_drum else pitches).add(note.pitch)
    if drums and not pitches:
        return Rows(drums=_ordered(drums), pitches=range(0))
    lowest, highest = min(pitches, default=60) - 1, max(pitches, default=71) + 1
    missing = max(0, _FEWEST_KEYS - (highest - lowest + 1))
    lowest -= missing // 2
    highest += missing - missing // 2
    return Rows(drums=_ordered(drums), pitches=range(lowest, highest + 1))


def drum_name(pitch: int) -> str:
    """The name of a drum by its class, with its key where it is not the one of the class.

    >>> drum_name(36), drum_name(35), drum_name(3)
    ('kick', 'kick 35', 'drum 3')
    """
    index = int(CLASS_OF_PITCH[pitch])
    if index < 0:
        return f"drum {pitch}"
    drum = DRUM_CLASSES[index]
    return drum.name if drum.pitch == pitch else f"{drum.name} {pitch}"


def _ordered(drums: Iterable[int]) -> tuple[int, ...]:
    """Class by class, in each its own key first; then those that have none."""
    own = {drum.pitch for drum in DRUM_CLASSES}

    def place(pitch: int) -> tuple[int, bool, int]:
        index = int(CLASS_OF_PITCH[pitch])
        return index if index >= 0 else len(DRUM_CLASSES), pitch not in own, pitch

    return tuple(sorted(drums, key=place))
