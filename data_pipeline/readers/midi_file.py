"""Reads MIDI files: the notes by their ticks, the bars by the time signatures.

Decisions: a bar starts at every change of meter; a repeated signature changes nothing. A piece may
begin with a pickup that only its accents show. A file without a time signature is in 4/4 only if
its onsets agree, and a file whose onsets keep no grid has no meter, whatever its signatures. The
patterns of a file of format 2 follow each other, each from a bar line on and as separate parts,
since the format does not connect them. Markers are chords if all of them are chord symbols.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, islice, pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, Integer

from musicvae.errors import MidiError
from musicvae.music.bars import Bars, MeterChange, MeterMark, TimedOnsets, find_bars
from musicvae.music.chords import MOST_CHORDS
from musicvae.music.midi import parser as midi_parser
from musicvae.music.midi import smf
from musicvae.music.midi.chunks import split_patterns
from musicvae.music.midi.limits import DEFAULT_LIMITS
from musicvae.music.midi.parsed import NoteColumns, ParsedMidi, ParsedTrack
from musicvae.music.midi.read import read_markers
from musicvae.music.notes import DEFAULT_QPM

from .chord_columns import chord_line
from .note_order import find_note_order
from .piece import ChordLine, KeyChange, Part, ReadPiece, TempoChange

_MOST_CHANGES = 100_000
"""The limit of changes of meter, key or tempo: a tempo curve of an hour at 25 points a second."""

_SHORTEST = 1 / 4096
"""In quarter notes: a note that ends where it starts gets this length."""

NO_BARS = Bars(np.zeros(0), ())
"""The bars of a piece whose meter is not known."""


class ParsedFile(NamedTuple):
    """A parsed MIDI file whose notes are not checked yet.

    Attributes:
        patterns: The patterns of a file of format 2; of another file, its only content.
        style: The style in the words of the corpus; may be empty.
    """

    patterns: tuple[ParsedMidi, ...]
    style: str = ""


def parse_midi(data: bytes, drum_channel: int | None = None) -> ParsedFile:
    """Parses a MIDI file of any format: the part of reading that takes files singly.

    Raises:
        MidiError: If the bytes are no MIDI file, are damaged or past the limits.
    """
    parsed = _parse(data, drum_channel)
    if parsed.header.format != 2 or not parsed.first_track:
        return ParsedFile((parsed,))
    patterns = split_patterns(data, max_tracks=DEFAULT_LIMITS.max_tracks)
    return ParsedFile(tuple(_parse(pattern, drum_channel) for pattern in patterns))


def _parse(data: bytes, drum_channel: int | None) -> ParsedMidi:
    parsed = midi_parser.parse_unjudged(data, drum_channel=drum_channel)
    changes = len(parsed.tempos), len(parsed.meters), len(parsed.keys)
    if max(changes) > _MOST_CHANGES:
        midi_parser.judge_notes(parsed)
        found = next(count for count in changes if count > _MOST_CHANGES)
        raise smf.too_much(f"{found} changes of tempo, meter or key", str(_MOST_CHANGES))
    return parsed


def make_pieces(files: Sequence[ParsedFile]) -> list[ReadPiece | MidiError]:
    """Makes a piece of each file, or the error of its notes: all files at once."""
    errors: list[MidiError | None] = [None] * len(files)
    good = list(files)
    ticks = _Ticks.of(good)
    if ticks.may_be_wrong():
        errors = [_find_error(file) for file in files]
        good = [file for file, error in zip(files, errors, strict=True) if error is None]
        ticks = _Ticks.of(good)
    patterns = iter(_make_pieces(ticks))
    made = (_join(list(islice(patterns, len(file.patterns))), file.style) for file in good)
    return [next(made) if error is None else error for error in errors]


def _find_error(file: ParsedFile) -> MidiError | None:
    try:
        for pattern in file.patterns:
            midi_parser.judge_notes(pattern)
    except MidiError as error:
        return error
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _Ticks:
    """The notes of many files, unchanged.

    Attributes:
        patterns: The patterns of all files.
        tracks: The tracks of all patterns.
        notes: The notes of all tracks.
        units: For each note, the ticks of a quarter note.
    """

    patterns: list[ParsedMidi]
    tracks: list[ParsedTrack]
    notes: NoteColumns
    units: Float64[np.ndarray, " note"]

    @staticmethod
    def of(files: Sequence[ParsedFile]) -> "_Ticks":
        patterns = [pattern for file in files for pattern in file.patterns]
        tracks = [track for pattern in patterns for track in pattern.tracks]
        notes = NoteColumns.of(tracks)
        units = [pattern.ticks_per_quarter for pattern in patterns for _ in pattern.tracks]
        return _Ticks(patterns, tracks, notes, np.repeat(np.array(units, np.float64), notes.sizes))

    def may_be_wrong(self) -> bool:
        """Whether `midi_parser.judge_notes` would refuse a note."""
        last_ticks = DEFAULT_LIMITS.max_length_quarters * self.units
        return not (self.notes.are_within(last_ticks) and self.notes.are_midi())


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class TimedNotes:
    """The notes of some tracks, one track after the other, in quarter notes.

    Attributes:
        sizes: The number of notes of each track, at least 1.
        onsets: The start of each note.
        ends: The end of each note.
        pitches: MIDI numbers.
        velocities: 0 to 127.
    """

    sizes: Int64[np.ndarray, " _"]
    onsets: Float64[np.ndarray, " note"]
    ends: Float64[np.ndarray, " note"]
    pitches: Integer[np.ndarray, " note"]
    velocities: Integer[np.ndarray, " note"]

    @property
    def bounds(self) -> list[int]:
        """The index of each track's first note, and the number of notes."""
        return [0, *accumulate(self.sizes.tolist())]

    def in_order(self) -> "TimedNotes":
        """The notes as in a `Part`: in order, each with a length and a velocity."""
        onsets, ends = self.onsets, self.ends
        pitches, velocities = self.pitches.astype(np.int16), self.velocities.astype(np.int16)
        order = find_note_order(self.bounds, onsets, pitches, ends, velocities)
        if order is not None:
            onsets, ends = onsets.take(order), ends.take(order)
            pitches, velocities = pitches.take(order), velocities.take(order)
        return TimedNotes(
            sizes=self.sizes,
            onsets=onsets,
            ends=np.maximum(ends, onsets + _SHORTEST),
            pitches=pitches,
            velocities=np.maximum(velocities, 1),
        )

    def parts(self, tracks: Sequence[ParsedTrack]) -> list[Part]:
        """A part of each track, with its name and program."""
        return [
            Part(
                name=track.name,
                program=track.program,
                is_drum=track.is_drum,
                onsets=self.onsets[low:high],
                ends=self.ends[low:high],
                pitches=self.pitches[low:high],
                velocities=self.velocities[low:high],
            )
            for track, (low, high) in zip(tracks, pairwise(self.bounds), strict=True)
        ]


def _make_pieces(ticks: _Ticks) -> list[ReadPiece]:
    notes = TimedNotes(
        sizes=ticks.notes.sizes,
        onsets=ticks.notes.starts / ticks.units,
        ends=ticks.notes.ends / ticks.units,
        pitches=ticks.notes.pitches,
        velocities=ticks.notes.velocities,
    ).in_order()
    parts = iter(notes.parts(ticks.tracks))
    return [
        ReadPiece(
            parts=tuple(islice(parts, len(parsed.tracks))),
            bar_lines=bars.bar_lines,
            meters=bars.meters,
            tempos=_tempos(parsed),
            keys=_keys(parsed),
            chords=_chords(parsed),
            missing_meter=bars.doubt,
            remarks=parsed.remarks,
        )
        for parsed, bars in zip(ticks.patterns, _find_bars(ticks, notes), strict=True)
    ]


def _find_bars(ticks: _Ticks, notes: TimedNotes) -> list[Bars]:
    """The bars of each pattern; no bars if it has no notes or its meter is not known."""
    counts = np.array([len(parsed.tracks) for parsed in ticks.patterns], np.int64)
    numbers = np.flatnonzero(counts).tolist()
    found = [NO_BARS] * len(counts)
    if not numbers:
        return found
    counts = counts[numbers]
    sizes = np.add.reduceat(notes.sizes, np.cumsum(counts) - counts)
    timed = TimedOnsets(
        onsets=notes.onsets,
        velocities=notes.velocities,
        is_pitched=np.repeat([not track.is_drum for track in ticks.tracks], notes.sizes),
        sizes=sizes,
        ends=np.maximum.reduceat(notes.ends, np.cumsum(sizes) - sizes),
    )
    all_bars = find_bars([_marks(ticks.patterns[number]) for number in numbers], timed)
    for number, bars in zip(numbers, all_bars, strict=True):
        found[number] = NO_BARS._replace(doubt=bars.doubt) if bars.doubt else bars
    return found


def _marks(parsed: ParsedMidi) -> list[MeterMark]:
    """The meters that a file writes, in quarter notes."""
    unit = parsed.ticks_per_quarter
    return [MeterMark(tick / unit, meter) for tick, meter in parsed.meters]


@lru_cache(maxsize=4096)
def _qpm_of(mspq: int) -> float:
    """The tempo, rounded. Cached: rounding takes a microsecond, and a corpus has few tempos."""
    return round(60e6 / mspq, 2)


def _tempos(parsed: ParsedMidi) -> tuple[TempoChange, ...]:
    if parsed.ticks_per_second is not None:
        return (TempoChange(0.0, parsed.qpm),)
    changes: list[TempoChange] = []
    for tick, mspq in parsed.tempos.items():
        qpm = _qpm_of(mspq)
        if not changes and tick > 0:
            changes.append(TempoChange(0.0, DEFAULT_QPM))
        if not changes or changes[-1].qpm != qpm:
            changes.append(TempoChange(tick / parsed.ticks_per_quarter, qpm))
    return tuple(changes)


def _keys(parsed: ParsedMidi) -> tuple[KeyChange, ...]:
    changes: list[KeyChange] = []
    for tick, key in parsed.keys:
        quarter = tick / parsed.ticks_per_quarter
        if changes and changes[-1].quarter == quarter:
            changes.pop()
        if not changes or changes[-1].key != key:
            changes.append(KeyChange(quarter, key))
    return tuple(changes)


def _chords(parsed: ParsedMidi) -> ChordLine | None:
    """The markers as chords; None if there are none, or most markers are no chord symbols."""
    if not 0 < len(parsed.markers) <= MOST_CHORDS:
        return None
    symbols = read_markers([text for _, text in parsed.markers])
    found = [
        (tick, symbol)
        for (tick, _), symbol in zip(parsed.markers, symbols, strict=False)
        if symbol is not None
    ]
    if not found:
        return None
    quarters = np.array([tick for tick, _ in found]) / parsed.ticks_per_quarter
    return chord_line(quarters, [symbol for _, symbol in found])


def _join(patterns: list[ReadPiece], style: str) -> ReadPiece:
    """The piece of a file: its pattern, or several patterns that follow each other."""
    if len(patterns) > 1:
        patterns = [pattern for pattern in patterns if pattern.parts] or patterns[:1]
    piece = patterns[0] if len(patterns) == 1 else _follow(patterns)
    return piece._replace(style=style) if style else piece


def _follow(patterns: list[ReadPiece]) -> ReadPiece:
    """Joins patterns that follow each other to a piece."""
    doubts = [pattern.missing_meter for pattern in patterns if pattern.missing_meter]
    if doubts:
        # Without bars, the start of the next pattern is not known.
        return patterns[0]._replace(
            bar_lines=NO_BARS.bar_lines,
            meters=NO_BARS.meters,
            missing_meter=doubts[0],
        )
    now, bar = 0.0, 0
    parts: list[Part] = []
    lines: list[Float64[np.ndarray, " bar"]] = []
    meters: list[MeterChange] = []
    tempos: list[TempoChange] = []
    keys: list[KeyChange] = []
    for pattern in patterns:
        parts += [
            part._replace(onsets=part.onsets + now, ends=part.ends + now) for part in pattern.parts
        ]
        meters += [change._replace(bar=change.bar + bar) for change in pattern.meters]
        tempos += [
            change._replace(quarter=change.quarter + now)
            for change in pattern.tempos or (TempoChange(0.0, DEFAULT_QPM),)
        ]
        keys += [change._replace(quarter=change.quarter + now) for change in pattern.keys]
        lines.append(pattern.bar_lines[:-1] + now)
        now += float(pattern.bar_lines[-1])
        bar += len(pattern.bar_lines) - 1
    return ReadPiece(
        parts=tuple(parts),
        bar_lines=np.concatenate([*lines, [now]]),
        meters=tuple(meters),
        tempos=tuple(tempos),
        keys=tuple(keys),
        remarks=patterns[0].remarks,
    )
