"""Music as values on a grid of steps.

Conventions: time is counted in steps from the start of the sequence, `steps_per_quarter` (4, a
16th note each) to a quarter note. A note sounds from `start_step` up to, not including,
`end_step`. A pitch is a MIDI number (60 is middle C), a velocity 1 to 127, a program 0 to 127 of
General MIDI. `qpm` is quarter notes a minute. All values are immutable.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

from musicvae.music.chords import Chord, transpose

PITCHES = range(128)
VELOCITIES = range(1, 128)
PROGRAMS = range(128)
DEFAULT_VELOCITY = 80
DEFAULT_QPM = 120.0
STEPS_PER_QUARTER = 4
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """One sounding note, or one hit of a drum.

    Attributes:
        start_step: The step of the onset, 0 or more.
        pitch: MIDI number, 0 to 127; for a drum, the General MIDI key of the instrument.
        end_step: The first step after the note, above `start_step`.
        velocity: Loudness, 1 to 127.
        program: General MIDI program, 0 to 127; 0 for drums.
        is_drum: Whether the note belongs to the drum channel.
        offset: Distance of the played onset from the grid in steps, -0.5 to 0.5; below 0 is early.
            0 for music written on the grid.
    """

    start_step: int
    pitch: int
    end_step: int
    velocity: int = DEFAULT_VELOCITY
    program: int = 0
    is_drum: bool = False
    offset: float = 0.0

    def __post_init__(self) -> None:
        assert 0 <= self.start_step < self.end_step, f"{self.start_step}..{self.end_step}"
        assert self.pitch in PITCHES, self.pitch
        assert self.velocity in VELOCITIES, self.velocity
        assert self.program in PROGRAMS, self.program


@dataclass(frozen=True, slots=True)
class Meter:
    """A time signature, such as 4/4 or 6/8."""

    numerator: int = 4
    denominator: int = 4

    def __post_init__(self) -> None:
        assert 1 <= self.numerator <= 255, self.numerator
        assert self.denominator in (1, 2, 4, 8, 16, 32, 64), self.denominator

    def steps_per_bar(self, steps_per_quarter: int = STEPS_PER_QUARTER) -> int | None:
        """The length of a bar in steps, or None where it is no whole number of steps.

        >>> Meter(6, 8).steps_per_bar(), Meter(5, 32).steps_per_bar()
        (12, None)
        """
        steps, rest = divmod(4 * self.numerator * steps_per_quarter, self.denominator)
        return None if rest else steps

    @property
    def quarters_per_bar(self) -> float:
        """The length of a bar in quarter notes."""
        return 4 * self.numerator / self.denominator

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


@dataclass(frozen=True, slots=True)
class TimeGrid:
    """A meter, and the steps of a quarter note.

    >>> print(TimeGrid(), TimeGrid(Meter(), 12))
    4/4 4/4 by 12
    """

    meter: Meter = Meter()
    steps_per_quarter: int = STEPS_PER_QUARTER

    def __str__(self) -> str:
        is_usual = self.steps_per_quarter == STEPS_PER_QUARTER
        return str(self.meter) if is_usual else f"{self.meter} by {self.steps_per_quarter}"


@dataclass(frozen=True, slots=True)
class BarChange:
    """A step where a bar starts; from it up to the next change all bars have one meter."""

    start_step: int
    meter: Meter


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its first step, the first step after it, and its meter.

    A bar before a change of meter, or a pickup, may be shorter than its meter says.
    """

    start_step: int
    end_step: int
    meter: Meter


@dataclass(frozen=True, slots=True)
class Key:
    """A key signature: `tonic` is a pitch class, 0 for C to 11 for B."""

    tonic: int
    is_minor: bool = False

    def __post_init__(self) -> None:
        assert 0 <= self.tonic < 12, self.tonic


@dataclass(frozen=True, slots=True)
class NoteSequence:
    """Notes on the step grid, in order of onset then pitch, with what is needed to play them.

    Attributes:
        notes: Sorted; none ends after `length_steps`.
        length_steps: The whole length, silence at the end included.
        qpm: Quarter notes a minute.
        meter: The time signature at the start.
        key: The key, or None where it is not known.
        steps_per_quarter: The resolution of the grid.
        chords: The harmony, in order of onset, at most one chord a step; each chord lasts until the
            next, the last chord to the end. Before the first chord there is no chord.
        bar_changes: The steps where the meter changes or bars are counted anew, as after a pickup;
            the first at step 0, in `meter`. Empty if all bars are in `meter` from step 0 on.
    """

    notes: tuple[Note, ...]
    length_steps: int
    qpm: float = DEFAULT_QPM
    meter: Meter = Meter()
    key: Key | None = None
    steps_per_quarter: int = STEPS_PER_QUARTER
    chords: tuple[Chord, ...] = ()
    bar_changes: tuple[BarChange, ...] = ()

    def __post_init__(self) -> None:
        assert all(a <= b for a, b in zip(self.notes, self.notes[1:], strict=False)), "unsorted"
        assert all(n.end_step <= self.length_steps for n in self.notes), "a note past the end"
        starts = [chord.start_step for chord in self.chords]
        assert all(a < b for a, b in itertools.pairwise(starts)), "unsorted chords"
        assert not starts or starts[-1] < self.length_steps, "a chord past the end"
        assert self.qpm > 0, self.qpm
        changes = [change.start_step for change in self.bar_changes]
        assert all(a < b for a, b in itertools.pairwise(changes)), "unsorted changes of bars"
        assert not changes or self.bar_changes[0] == BarChange(0, self.meter), self.bar_changes[0]
        assert not changes or changes[-1] < self.length_steps, "a change of bars past the end"

    @property
    def grid(self) -> TimeGrid:
        """The meter at the start, and the resolution."""
        return TimeGrid(self.meter, self.steps_per_quarter)

    @property
    def bars(self) -> tuple[Bar, ...]:
        """All bars up to the end: bar 1, as users count, is the first.

        >>> NoteSequence(
        ...     (), 24, bar_changes=(BarChange(0, Meter()), BarChange(4, Meter()))
        ... ).bars[1]
        Bar(start_step=4, end_step=20, meter=Meter(numerator=4, denominator=4))
        """
        changes = self.bar_changes or (BarChange(0, self.meter),)
        ends = [*(change.start_step for change in changes[1:]), self.length_steps]
        bars: list[Bar] = []
        for change, end in zip(changes, ends, strict=True):
            length = change.meter.quarters_per_bar * self.steps_per_quarter
            count = math.ceil((end - change.start_step) / length)
            lines = [change.start_step + math.ceil(bar * length) for bar in range(count + 1)]
            if end < self.length_steps:
                lines[-1] = end
            bars += [Bar(*pair, change.meter) for pair in itertools.pairwise(lines)]
        return tuple(bars)

    def refine(self, steps_per_quarter: int) -> NoteSequence:
        """Moves the music to a grid that has all steps of this grid.

        An onset that is off this grid goes to the nearest step of the finer grid.
        """
        factor, rest = divmod(steps_per_quarter, self.steps_per_quarter)
        assert factor and not rest, steps_per_quarter
        notes = []
        for note in self.notes:
            onset = (note.start_step + note.offset) * factor
            start = max(math.floor(onset + 0.5 + _ROUNDING), 0)
            end = max(note.end_step * factor, start + 1)
            notes.append(replace(note, start_step=start, end_step=end, offset=onset - start))
        changes = self.bar_changes
        return replace(
            self,
            notes=tuple(sorted(notes)),
            length_steps=self.length_steps * factor,
            steps_per_quarter=steps_per_quarter,
            chords=tuple(replace(c, start_step=c.start_step * factor) for c in self.chords),
            bar_changes=tuple(replace(c, start_step=c.start_step * factor) for c in changes),
        )

    def window(self, start_step: int, length_steps: int) -> NoteSequence:
        """Cuts out `length_steps` steps from `start_step` on.

        A note that began before the window is left out; a note that ends after it is cut short. A
        chord that began before the window and lasts into it starts with the window. A window of
        music without `bar_changes` has none either, wherever it starts.
        """
        end = start_step + length_steps
        # Sorted anew: cut notes of one step and pitch may now have another order.
        notes = sorted(
            replace(
                note,
                start_step=note.start_step - start_step,
                end_step=min(note.end_step, end) - start_step,
            )
            for note in self.notes
            if start_step <= note.start_step < end
        )
        before = [chord for chord in self.chords if chord.start_step <= start_step]
        chords = [chord for chord in self.chords if start_step < chord.start_step < end]
        if before and before[-1].root is not None:
            chords.insert(0, replace(before[-1], start_step=start_step))
        changes = self._changes_of_bars(start_step, end)
        return replace(
            self,
            notes=tuple(notes),
            length_steps=length_steps,
            meter=changes[0].meter,
            chords=tuple(replace(c, start_step=c.start_step - start_step) for c in chords),
            bar_changes=changes[1:] and changes,
        )

    def _changes_of_bars(self, start_step: int, end_step: int) -> tuple[BarChange, ...]:
        """The changes of bars of a window, the first of them at its step 0."""
        if not self.bar_changes:
            return (BarChange(0, self.meter),)
        meters = {bar.start_step: bar.meter for bar in self.bars}
        first = max(line for line in meters if line <= start_step)
        starts = {change.start_step for change in self.bar_changes}
        inside = [line for line in meters if start_step < line < end_step]
        if first < start_step:  # the window begins with the rest of a bar
            starts.update(inside[:1])
        later = (BarChange(line - start_step, meters[line]) for line in inside if line in starts)
        return (BarChange(0, meters[first]), *later)

    def transpose(self, semitones: int) -> NoteSequence:
        """Moves every note but the drums, the key and the chords up by `semitones`.

        Raises:
            ValueError: If a note would leave the range of MIDI.
        """
        pitches = [note.pitch + semitones for note in self.notes if not note.is_drum]
        if not all(pitch in PITCHES for pitch in pitches):
            raise ValueError(f"transposing by {semitones} leaves the pitches 0 to 127")
        notes = sorted(
            note if note.is_drum else replace(note, pitch=note.pitch + semitones)
            for note in self.notes
        )
        key = self.key and replace(self.key, tonic=(self.key.tonic + semitones) % 12)
        chords = tuple(transpose(chord, semitones) for chord in self.chords)
        return replace(self, notes=tuple(notes), key=key, chords=chords)
