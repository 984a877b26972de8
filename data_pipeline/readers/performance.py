"""Reads a MIDI file whose ticks are no grid, by a list of its beats.

Decisions: the first beat is the start of the piece and each beat is a quarter note; time between
two beats is divided evenly. Notes that start outside the beats are left out. The list's downbeats
are the bar lines; the file's own ticks and time signatures are ignored. A bar of six beats is read
as two bars of 3/4, at the downbeats of its halves: in POP909 chords change there, and melodies have
one note a beat. Chords and keys are in separate lists, in the notation of Harte et al.

Source: the files of POP909 (Wang et al., ISMIR 2020); C. Harte et al., Symbolic Representation of
Musical Chords, ISMIR 2005, section 4.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float64, Int64

from musicvae.errors import DataError
from musicvae.music.bars import MeterChange
from musicvae.music.chords import parse_symbol
from musicvae.music.midi import parser as midi_parser
from musicvae.music.midi.parsed import NoteColumns, ParsedMidi
from musicvae.music.notes import Key, Meter

from .chord_columns import chord_line
from .midi_file import TimedNotes
from .piece import ChordLine, KeyChange, Part, ReadPiece, TempoChange

_MOST_BEATS = 100_000
_MOST_BEATS_PER_BAR = 64
_SIX_IN_THREES = (6, 3)


def read_performance(data: bytes, side: Mapping[str, bytes]) -> ReadPiece:
    """Reads a performance with the lists that belong to it: `beats`, and `chords` and `keys`.

    Raises:
        MidiError: If the bytes are no MIDI file, or past the limits.
        DataError: If a list can't be read.
    """
    table = _read_beats(side["beats"])
    times = table[:, 0]
    halves, downbeats = np.flatnonzero(table[:, 1]), np.flatnonzero(table[:, 2])
    beats_per_bar = _find_most_frequent_gap(downbeats)
    if (beats_per_bar, _find_most_frequent_gap(halves)) == _SIX_IN_THREES:
        downbeats, beats_per_bar = halves, 3
    parsed = midi_parser.parse_unjudged(data)
    notes = midi_parser.judge_notes(parsed)
    last = min(int(downbeats[-1]) + beats_per_bar, len(table) - 1)
    lines = np.concatenate([[0], downbeats, [last]])
    lines = lines[np.append(True, lines[1:] > lines[:-1])]
    return ReadPiece(
        parts=tuple(_read_parts(parsed, notes, times)),
        bar_lines=lines.astype(np.float64),
        meters=(MeterChange(0, Meter(beats_per_bar, 4)),),
        tempos=_tempos(times, lines),
        keys=_read_keys(side["keys"], times) if "keys" in side else (),
        chords=_read_chords(side["chords"], times) if "chords" in side else None,
        remarks=parsed.remarks,
    )


def _find_most_frequent_gap(beats: Int64[np.ndarray, " beat"]) -> int:
    return int(np.bincount(np.diff(beats), minlength=1).argmax())


def _read_parts(
    parsed: ParsedMidi, notes: NoteColumns, beats_s: Float64[np.ndarray, " beat"]
) -> list[Part]:
    """The parts that have notes within the beats."""
    times_s = parsed.seconds(np.stack([notes.starts, notes.ends]))
    onsets, ends = _quarters(times_s, beats_s)
    timed = TimedNotes(
        sizes=notes.sizes,
        onsets=onsets,
        ends=ends,
        pitches=notes.pitches,
        velocities=notes.velocities,
    )
    is_inside = (times_s[0] >= beats_s[0]) & (times_s[0] < beats_s[-1])
    if is_inside.all():
        return timed.in_order().parts(parsed.tracks)
    sums = np.append(0, np.cumsum(is_inside))
    sizes = np.diff(sums[np.append(0, np.cumsum(notes.sizes))])
    inside = TimedNotes(
        sizes=sizes[sizes > 0],
        onsets=onsets[is_inside],
        ends=ends[is_inside],
        pitches=notes.pitches[is_inside],
        velocities=notes.velocities[is_inside],
    )
    sounding = [
        track for track, size in zip(parsed.tracks, sizes.tolist(), strict=True) if size > 0
    ]
    return inside.in_order().parts(sounding)


def _quarters(
    seconds: Float64[np.ndarray, "*note"], beats_s: Float64[np.ndarray, " beat"]
) -> Float64[np.ndarray, "*note"]:
    quarters: Float64[np.ndarray, "*note"] = np.interp(
        seconds, beats_s, np.arange(len(beats_s), dtype=np.float64)
    )
    return quarters


def _tempos(beats_s: Float64[np.ndarray, " beat"], lines: np.ndarray) -> tuple[TempoChange, ...]:
    """The mean tempo of each bar, where it changes."""
    qpms = np.round(60 * np.diff(lines) / np.diff(beats_s[lines]), 2)
    is_new = np.append(True, qpms[1:] != qpms[:-1])
    quarters = lines[:-1][is_new].astype(np.float64)
    return tuple(map(TempoChange, quarters.tolist(), qpms[is_new].tolist()))


def _read_beats(data: bytes) -> Float64[np.ndarray, "beat column"]:
    expected = "lines of three numbers: time in seconds, downbeat of a half bar, downbeat of a bar"
    lines = data.decode("ascii", "replace").splitlines()
    if not any(map(str.strip, lines)):
        raise _damaged("beats", "no lines", expected)
    try:
        table = np.loadtxt(lines, ndmin=2, comments=None)
    except ValueError as error:
        raise _damaged("beats", str(error), expected) from error
    if table.shape[1] != 3 or not 2 <= len(table) <= _MOST_BEATS:
        raise _damaged("beats", f"{table.shape[0]} lines of {table.shape[1]} numbers", expected)
    if not np.isfinite(table).all() or (table[1:, 0] <= table[:-1, 0]).any():
        raise _damaged("beats", "times that do not ascend", expected)
    downbeats = np.flatnonzero(table[:, 2])
    if len(downbeats) < 2:
        raise _damaged("beats", "fewer than two downbeats", expected)
    if np.diff(downbeats).max() > _MOST_BEATS_PER_BAR:
        raise _damaged("beats", f"a bar of more than {_MOST_BEATS_PER_BAR} beats", expected)
    return table


def _read_lines(kind: str, data: bytes) -> tuple[Float64[np.ndarray, " line"], list[str]]:
    """The start and the label of each line of a list of spans: start, end, label."""
    lines = data.decode("ascii", "replace").splitlines()
    rows = [words for line in lines if (words := line.split())]
    try:
        starts, labels = _read_columns(rows)
    except (ValueError, IndexError) as error:
        line = next(" ".join(row) for row in rows if not _is_span(row))
        raise _damaged(kind, f"the line {line!r}", "start, end (seconds) and label") from error
    times = np.array(starts, np.float64)
    if not np.isfinite(times).all() or (times[1:] < times[:-1]).any():
        raise _damaged(kind, "times that do not ascend", "a line for each span, in order")
    return times, labels


def _read_columns(rows: list[list[str]]) -> tuple[list[float], list[str]]:
    """The first and the last column; the middle column is checked, too."""
    for _ in map(float, [row[1] for row in rows]):
        pass
    return [*map(float, [row[0] for row in rows])], [row[2] for row in rows]


def _is_span(row: list[str]) -> bool:
    try:
        _read_columns([row])
    except (ValueError, IndexError):
        return False
    return True


def _read_chords(data: bytes, beats_s: Float64[np.ndarray, " beat"]) -> ChordLine | None:
    starts, labels = _read_lines("chords", data)
    # Chords are written at beats, to a hundredth of a second.
    quarters = np.round(_quarters(starts, beats_s) * 4) / 4
    return chord_line(quarters, [parse_symbol(label) for label in labels])


def _read_keys(data: bytes, beats_s: Float64[np.ndarray, " beat"]) -> tuple[KeyChange, ...]:
    changes: list[KeyChange] = []
    starts, labels = _read_lines("keys", data)
    for start, label in zip(starts.tolist(), labels, strict=True):
        found = parse_symbol(label)
        if found is None or found.root is None or found.quality not in ("maj", "min"):
            raise _damaged("keys", f"the label {label!r}", "labels such as Gb:maj")
        key = Key(found.root, found.quality == "min")
        # The time comes from an analysis of the sound: the key starts on the nearest beat.
        quarter = float(np.abs(beats_s - start).argmin())
        if not changes or changes[-1].key != key:
            changes.append(KeyChange(quarter, key))
    return tuple(changes)


def _damaged(kind: str, found: str, expected: str) -> DataError:
    return DataError(
        f"a list of {kind} with {found}", expected=expected, action="Mend or remove the list."
    )
