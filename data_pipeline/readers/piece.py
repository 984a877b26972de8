"""The result of reading a piece: the notes of its parts as columns of numbers, and its time line.

Conventions: time is in quarter notes from the start of the piece, as float64, before it is put on
any grid. A column holds one number a note; the notes of a part are in order of onset, then pitch,
then end. A bar line is a time; a change (of meter, tempo, key or chord) lasts until the next.
Arrays never change. Values that every one of a million pieces needs are named tuples, which take
half the time of frozen dataclasses; values that hold arrays are compared by identity.
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
        name: The name in the file; may be empty.
        onsets: The start of each note in quarter notes, ascending; at least one.
        ends: The end of each note in quarter notes, after its onset.
        pitches: MIDI numbers, 0 to 127.
        velocities: 1 to 127; 80 where loudness is not known.
        program: General MIDI program, 0 to 127; 0 for drums or if unknown.
        is_drum: Whether the pitches are General MIDI drums.
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
    """A key that holds from this quarter note on, as the source writes it.

    Attributes:
        quarter: The quarter note.
        key: The key; the major key of the signature where the mode is not known.
        has_mode: Whether the mode is known, not only the signature.
    """

    quarter: float
    key: Key
    has_mode: bool = True


@dataclass(frozen=True, kw_only=True, eq=False)
class ChordLine:
    """The chords of a piece, as columns.

    Attributes:
        onsets: The start of each chord in quarter notes, ascending; it lasts until the next.
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
        parts: The parts with notes, in the file's order.
        bar_lines: The start of each bar, ascending from 0, and the end of the last bar; the first
            bar may be a pickup. Empty if the meter is not known.
        meters: The meters in order, the first from bar 0; empty if the meter is not known.
        tempos: The tempos in order; empty if no tempo is known, which counts as 120.
        keys: The written keys in order; may be empty.
        chords: The written chords (symbols, side files), or None.
        style: The style in the source's words, such as `funk/groove1`; may be empty.
        missing_meter: The reason of an unknown meter, for the manifest; empty if it is known.
        remarks: The repairs, and the parts of the file passed over.
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
