"""What reading a piece gives: the notes of its parts as columns of numbers, and its time line.

Conventions: time is in quarter notes from the start of the piece, as float64, before it is put on
any grid. A column holds one number a note; the notes of a part stand in order of onset, then
pitch, then end. A bar line is a time; a change (of meter, tempo, key or chord) holds until the
next. Arrays are not changed once they are made. What is made for each of a million pieces is a
named tuple, which is made in half the time of a frozen dataclass; two that hold arrays are the same
or not (`is`), and can't be asked whether they are equal.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int16

from musicvae.identity import compare_by_identity
from musicvae.music.bars import MeterChange
from musicvae.music.midi.remarks import Remark
from musicvae.music.notes import Key

CHORDS_INFERRED = "inferred"
CHORDS_WRITTEN = "written"


@compare_by_identity
class Part(NamedTuple):
    """The notes of one instrument: a program of a track of a MIDI file, or a staff of a score.

    Attributes:
        name: Its name in the file; may be empty.
        onsets: When each note starts, in quarter notes, ascending; at least one.
        ends: When each ends, in quarter notes, after its onset.
        pitches: MIDI numbers, 0 to 127.
        velocities: 1 to 127; 80 where loudness is not known.
        program: General MIDI program, 0 to 127; 0 for drums and where none is known.
        is_drum: Whether its pitches are General MIDI drums.
    """

    name: str
    onsets: Float64[np.ndarray, " note"]
    ends: Float64[np.ndarray, " note"]
    pitches: Int16[np.ndarray, " note"]
    velocities: Int16[np.ndarray, " note"]
    program: int = 0
    is_drum: bool = False


class TempoChange(NamedTuple):
    """A tempo in quarter notes a minute that holds from this quarter note on."""

    quarter: float
    qpm: float


class KeyChange(NamedTuple):
    """A key that holds from this quarter note on, as the source writes it."""

    quarter: float
    key: Key


@dataclass(frozen=True, kw_only=True, eq=False)
class ChordLine:
    """The chords of a piece, as columns.

    Attributes:
        onsets: When each chord starts, in quarter notes, ascending; it holds until the next.
        roots: Pitch classes, 0 to 11; -1 where there is no chord.
        qualities: Indices into `musicvae.music.chords.QUALITIES`; -1 where there is no chord.
        basses: Pitch class of the lowest note, 0 to 11; the root unless it is a slash chord; -1
            where there is no chord.
    """

    onsets: Float64[np.ndarray, " chord"]
    roots: Int16[np.ndarray, " chord"]
    qualities: Int16[np.ndarray, " chord"]
    basses: Int16[np.ndarray, " chord"]


@compare_by_identity
class ReadPiece(NamedTuple):
    """A piece that was read.

    Attributes:
        parts: Those with notes, in the file's order.
        bar_lines: When each bar starts, ascending from 0, and when the last one ends; the first
            bar may be a short one, a pickup. Empty where the meter is not known.
        meters: Its meters in order, the first from bar 0; empty where the meter is not known.
        tempos: In order; empty where no tempo is known (120 is then meant).
        keys: The keys that the source writes, in order; empty where it writes none.
        chords: The chords that the source writes (symbols, side files), or None.
        style: What the source calls its style, such as `funk/groove1`; may be empty.
        missing_meter: Why the meter is not known, for the manifest; empty where it is known.
        remarks: What was repaired or passed over while reading.
    """

    parts: tuple[Part, ...]
    bar_lines: Float64[np.ndarray, " line"]
    meters: tuple[MeterChange, ...]
    tempos: tuple[TempoChange, ...] = ()
    keys: tuple[KeyChange, ...] = ()
    chords: ChordLine | None = None
    style: str = ""
    missing_meter: str = ""
    remarks: tuple[Remark, ...] = ()
