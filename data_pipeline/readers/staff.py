"""Collects the notes and marks of a score, measure by measure, and puts them into columns.

Conventions: a measure has a number from 0 on, the same in every staff; a time within it is in
quarter notes from its start. A measure is as long as its longest staff, and starts at the end of
the measure before. Tied notes are one note. A score without a meter is in 4/4 only if its bar lines
are four quarter notes apart; three could be 3/4 or 6/8.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from musicvae.errors import ScoreError
from musicvae.music.bars import MeterChange
from musicvae.music.chords import ParsedChord
from musicvae.music.midi.limits import DEFAULT_LIMITS
from musicvae.music.notes import DEFAULT_VELOCITY, PITCHES, Key, Meter

from .chord_columns import chord_line
from .piece import KeyChange, Part, ReadPiece, TempoChange

_Value = TypeVar("_Value")

_FEWEST_MEASURES = 4
"""The number of whole measures that show a meter."""

_NO_METER = "no time signature, and measures that do not show 4/4"


@dataclass(frozen=True, slots=True)
class StaffNote:
    """A note of a score.

    Attributes:
        measure: The number of the measure.
        onset: Quarter notes from the start of the measure.
        length: Length in quarter notes.
        pitch: MIDI number; a note outside 0 to 127 is left out.
        is_tied: Whether the note continues a note of its pitch that ends at its start.
        line: The line of the staff, such as a voice.
    """

    measure: int
    onset: Fraction
    length: Fraction
    pitch: int
    is_tied: bool = False
    line: str = ""


class WrittenKey(NamedTuple):
    """A key of a score; see `piece.KeyChange`."""

    key: Key
    has_mode: bool = True


@dataclass(frozen=True, slots=True)
class Mark(Generic[_Value]):
    """A value that counts from a position of the score on."""

    measure: int
    onset: Fraction
    value: _Value


class Staff:
    """Collects one staff of a score, or several of one player, from left to right."""

    def __init__(self, name: str = "", *, program: int = 0, is_drum: bool = False) -> None:
        self.name = name
        self.program = program
        self.is_drum = is_drum
        self.notes: list[StaffNote] = []
        self.lengths: list[Fraction] = []

    def add(self, note: StaffNote) -> None:
        """Adds a note."""
        if note.pitch in PITCHES and note.length > 0:
            self.notes.append(note)
            if len(self.notes) > DEFAULT_LIMITS.max_notes:
                raise _too_much(f"more than {DEFAULT_LIMITS.max_notes} notes in a staff")

    def close_measure(self, length: Fraction) -> None:
        """Ends the open measure; a length of 0 is an unknown length."""
        self.lengths.append(length)


@dataclass(frozen=True, kw_only=True)
class Marks:
    """The marks of a score beside its notes, in order of time."""

    meters: list[Mark[Meter]]
    keys: list[Mark[WrittenKey]]
    tempos: list[Mark[float]]
    chords: list[Mark[ParsedChord]]

    @classmethod
    def empty(cls) -> "Marks":
        """No marks."""
        return cls(meters=[], keys=[], tempos=[], chords=[])


def put_together(staves: Iterable[Staff], marks: Marks) -> ReadPiece:
    """Makes a piece from staves.

    Args:
        staves: The staves, complete.
        marks: The marks of the score.

    Raises:
        ScoreError: If the score is past the limits of length or notes.
    """
    staves = list(staves)
    meters = _meters(marks.meters)
    starts = _starts(staves, meters)
    if not meters and _is_common_time(starts):
        meters = [MeterChange(0, Meter())]
    if starts[-1] > DEFAULT_LIMITS.max_length_quarters:
        raise _too_much(f"{float(starts[-1]):g} quarter notes")
    parts = [part for staff in staves for part in _parts(staff, starts)]

    def when(mark: Mark[_Value]) -> float:
        return float(starts[min(mark.measure, len(starts) - 1)] + mark.onset)

    keys: list[KeyChange] = []
    for key in marks.keys:
        if not keys or keys[-1][1:] != key.value:
            keys.append(KeyChange(when(key), *key.value))
    tempos: list[TempoChange] = []
    for tempo in sorted(marks.tempos, key=when):
        if not tempos or tempos[-1].qpm != tempo.value:
            tempos.append(TempoChange(when(tempo), tempo.value))
    chords = sorted(marks.chords, key=when)
    has_bars = bool(parts and meters)
    return ReadPiece(
        parts=tuple(parts),
        bar_lines=np.array(starts if has_bars else [], dtype=np.float64),
        meters=tuple(meters) if has_bars else (),
        tempos=tuple(tempos),
        keys=tuple(keys),
        chords=chord_line(
            np.array([when(each) for each in chords]), [each.value for each in chords]
        ),
        missing_meter="" if has_bars or not parts else _NO_METER,
    )


def _meters(found: list[Mark[Meter]]) -> list[MeterChange]:
    changes: list[MeterChange] = []
    for mark in found:
        # A meter written in the middle of a measure counts from the next.
        bar = mark.measure + (mark.onset > 0)
        if not changes or bar == changes[-1].bar:
            changes[-1:] = [MeterChange(bar if changes else 0, mark.value)]
        elif mark.value != changes[-1].meter:
            changes.append(MeterChange(bar, mark.value))
    return changes


def _starts(staves: list[Staff], meters: list[MeterChange]) -> list[Fraction]:
    """The start of each measure, and the end of the last."""
    count = max((len(staff.lengths) for staff in staves), default=0)
    lengths = [Fraction(0)] * count
    for staff in staves:
        for measure, length in enumerate(staff.lengths):
            lengths[measure] = max(lengths[measure], length)
    change = 0
    for measure, length in enumerate(lengths):
        while change + 1 < len(meters) and meters[change + 1].bar <= measure:
            change += 1
        if not length:
            meter = meters[change].meter if meters else Meter()
            lengths[measure] = Fraction(meter.quarters_per_bar)
    return list(accumulate(lengths, initial=Fraction(0)))


def _is_common_time(starts: list[Fraction]) -> bool:
    """Whether all measures except the first and the last have four quarter notes."""
    inner = starts[1:-1]
    return len(inner) > _FEWEST_MEASURES and all(b - a == 4 for a, b in pairwise(inner))


def _parts(staff: Staff, starts: list[Fraction]) -> list[Part]:
    """The staff's lines, each a part."""
    lines: dict[str, list[tuple[Fraction, int, Fraction]]] = {}
    last: dict[int, tuple[list[tuple[Fraction, int, Fraction]], int]] = {}
    for note in staff.notes:
        start = starts[note.measure] + note.onset
        end = start + note.length
        rows, index = last.get(note.pitch, ([], 0))
        if note.is_tied and rows and rows[index][2] == start:
            rows[index] = (*rows[index][:2], end)
        else:
            rows = lines.setdefault(note.line, [])
            last[note.pitch] = rows, len(rows)
            rows.append((start, note.pitch, end))
    parts = []
    for line, rows in lines.items():
        onsets, pitches, ends = zip(*sorted(rows), strict=True)
        parts.append(
            Part(
                name=f"{staff.name}, {line}".strip(", ") if len(lines) > 1 else staff.name,
                program=staff.program,
                is_drum=staff.is_drum,
                onsets=np.array(onsets, dtype=np.float64),
                ends=np.array(ends, dtype=np.float64),
                pitches=np.array(pitches, dtype=np.int16),
                velocities=np.full(len(rows), DEFAULT_VELOCITY, dtype=np.int16),
            )
        )
    return parts


def _too_much(found: str) -> ScoreError:
    return ScoreError(
        found,
        expected=f"at most {DEFAULT_LIMITS.max_notes} notes a staff and "
        f"{DEFAULT_LIMITS.max_length_quarters} quarter notes",
        action="Divide the score.",
    )
