"""The content of a piano roll: its rows, its beats, and the length and loudness of its notes.

Conventions: time is in quarter notes. Drums have a row each at the bottom, and the keys of a
keyboard stand over them; rows are counted from 0 at the bottom.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from musicvae.music.instruments import CLASS_OF_PITCH, DRUM_CLASSES
from musicvae.music.notes import DEFAULT_VELOCITY, Note, NoteSequence
from musicvae.report.names import pitch_name

_FEWEST_KEYS = 13
"""An octave: a picture of two pitches would make a second look like a leap."""

_BLACK_KEYS = frozenset({1, 3, 6, 8, 10})


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows of a roll.

    Attributes:
        drums: The keys of the drums, from the bottom up; may be empty.
        pitches: The pitches of the keys, from the bottom up; may be empty.
    """

    drums: tuple[int, ...]
    pitches: range

    @property
    def count(self) -> int:
        """The number of rows, with the empty row that divides drums from keys."""
        return self.first_key + len(self.pitches)

    @property
    def first_key(self) -> int:
        """The row of the lowest pitch."""
        has_both = bool(self.drums and self.pitches)
        return len(self.drums) + has_both

    @property
    def shaded(self) -> tuple[int, ...]:
        """The rows of black keys."""
        return tuple(self.row_of(pitch) for pitch in self.pitches if pitch % 12 in _BLACK_KEYS)

    @property
    def ruled(self) -> tuple[int, ...]:
        """The rows with a line under them: E and B end a group of keys, C and F begin the next."""
        keys = (self.row_of(pitch) for pitch in self.pitches if pitch % 12 in (0, 5))
        return (*range(1, len(self.drums) + 1), *keys)

    def names(self, *, only_c: bool) -> dict[int, str]:
        """Names the rows of the drums, and of the white keys or of each C."""
        names = dict(enumerate(map(drum_name, self.drums)))
        for pitch in self.pitches:
            if pitch % 12 == 0 or not (only_c or pitch % 12 in _BLACK_KEYS):
                names[self.row_of(pitch)] = pitch_name(pitch)
        return names

    def row_of(self, pitch: int, *, is_drum: bool = False) -> int:
        """Finds the row of a pitch, or of a drum by its key."""
        return self.drums.index(pitch) if is_drum else self.first_key + pitch - self.pitches.start


@dataclass(frozen=True, kw_only=True)
class Beats:
    """The grid of a roll.

    Attributes:
        bar: The length of a bar.
        beat: The length of a beat.
        starts: The start of each beat, and the end of the last.
    """

    bar: float
    beat: float
    starts: tuple[float, ...]

    def count(self, start: float) -> tuple[int, int]:
        """Counts the bar and the beat that start there, both from 0."""
        bar, beat = divmod(round(start / self.beat), round(self.bar / self.beat))
        return bar, beat


def find_rows(notes: Iterable[Note]) -> Rows:
    """Finds the rows that notes need: each drum that is hit, and the keys around the pitches."""
    drums: set[int] = set()
    pitches: set[int] = set()
    for note in notes:
        (drums if note.is_drum else pitches).add(note.pitch)
    if drums and not pitches:
        return Rows(drums=_order(drums), pitches=range(0))
    lowest, highest = min(pitches, default=60) - 1, max(pitches, default=71) + 1
    missing = max(0, _FEWEST_KEYS - (highest - lowest + 1))
    lowest -= missing // 2
    highest += missing - missing // 2
    return Rows(drums=_order(drums), pitches=range(lowest, highest + 1))


def find_beats(sequence: NoteSequence, quarters: float) -> Beats:
    """Finds the beats of the first `quarters` of a sequence, by its meter."""
    beat = 4 / sequence.meter.denominator
    starts = np.arange(0, quarters + 1e-9, beat).tolist()
    return Beats(bar=beat * sequence.meter.numerator, beat=beat, starts=tuple(starts))


def find_span(note: Note, steps_per_quarter: int) -> tuple[float, float]:
    """Finds the start and the end of a note: a hit is a step long wherever it was played."""
    start, end = note.start_step + note.offset, note.end_step + note.offset * note.is_drum
    return start / steps_per_quarter, end / steps_per_quarter


def find_paleness(velocity: int, loudest: int = DEFAULT_VELOCITY) -> float:
    """Finds how pale a note is drawn: 0 for the loudest, towards 0.6 for the softest."""
    return 0.6 * max(0.0, 1 - velocity / loudest)


def drum_name(pitch: int) -> str:
    """Names a drum by its class, with its key where the class has another.

    >>> drum_name(36), drum_name(35), drum_name(3)
    ('kick', 'kick 35', 'drum 3')
    """
    index = int(CLASS_OF_PITCH[pitch])
    if index < 0:
        return f"drum {pitch}"
    drum = DRUM_CLASSES[index]
    return drum.name if drum.pitch == pitch else f"{drum.name} {pitch}"


def _order(drums: Iterable[int]) -> tuple[int, ...]:
    """Orders drums by class, the own key of a class first; drums without a class come last."""
    own = {drum.pitch for drum in DRUM_CLASSES}

    def rank(pitch: int) -> tuple[int, bool, int]:
        index = int(CLASS_OF_PITCH[pitch])
        return index if index >= 0 else len(DRUM_CLASSES), pitch not in own, pitch

    return tuple(sorted(drums, key=rank))
