"""MIDI bytes to notes: here ticks become steps.

Conventions: the bytes are a Standard MIDI File of format 0 or 1 with a time division in ticks a
quarter note. (Format 2 is no single piece of music, and frames of a film are no grid.) Every onset
and end goes to the nearest step by its tick, so a change of tempo moves nothing; the distance of an
onset from its step stays in `Note.offset`. `musicvae.music.bars` finds the bars; each run of bars
starts on a step. `parser` documents the limits of a file.

Source: The Complete MIDI 1.0 Detailed Specification, Standard MIDI Files 1.0 (RP-001).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from musicvae.errors import MidiError
from musicvae.music.bars import MeterMark, StepGrid, TimedOnsets, draw_bars, find_bars, lay_on_steps
from musicvae.music.chords import MOST_CHORDS, Chord, ParsedChord, parse_symbol
from musicvae.music.midi import parser as midi_parser
from musicvae.music.midi import smf
from musicvae.music.midi.limits import DEFAULT_LIMITS, MidiLimits
from musicvae.music.midi.parsed import NoteColumns, ParsedMidi, ParsedTrack
from musicvae.music.midi.remarks import Remark
from musicvae.music.notes import (
    DEFAULT_QPM,
    STEPS_PER_QUARTER,
    BarChange,
    Key,
    Meter,
    Note,
    NoteSequence,
)
from musicvae.problems import check_type

_MOST_SYMBOL = 32  # characters of a marker that may be a chord


@dataclass(frozen=True, slots=True)
class MidiTrack:
    """The notes of one program of one track.

    Attributes:
        name: The track's name as the file gives it; may be empty.
        notes: The notes, at least one; all tracks of a file have the same length and bars.
    """

    name: str
    notes: NoteSequence


@dataclass(frozen=True, slots=True)
class MidiFile:
    """The content of a MIDI file on the step grid.

    Attributes:
        tracks: The tracks with notes, in the file's order; a track with several channels or
            programs is divided by them. Empty for a file without notes.
        length_steps: The length of every track in steps, up to the end of the last bar; at least
            one bar if there are notes.
        meter: The meter at the start; 4/4 if there is no time signature.
        bar_changes: As in `NoteSequence`.
        qpm: The first tempo in quarter notes a minute, to two decimals; 120 if there is none.
        key: The first key signature, or None.
        text: The text events at the head of the first track.
        chords: The markers of all tracks, if at least three of four are chord symbols.
        remarks: The repairs, and the events passed over.
    """

    tracks: tuple[MidiTrack, ...]
    length_steps: int
    meter: Meter = Meter()
    bar_changes: tuple[BarChange, ...] = ()
    qpm: float = DEFAULT_QPM
    key: Key | None = None
    text: tuple[str, ...] = ()
    chords: tuple[Chord, ...] = ()
    remarks: tuple[Remark, ...] = ()


def read_tracks(
    source: bytes | str | Path,
    *,
    limits: MidiLimits = DEFAULT_LIMITS,
    steps_per_quarter: int = STEPS_PER_QUARTER,
) -> MidiFile:
    """Reads the tracks of a MIDI file onto the step grid.

    All sequences have the same length: up to the end of the last note (or of a later first track
    without notes, so that silence at the end is kept), and on to the end of the bar (of the quarter
    note, if a bar is no whole number of steps). A note shorter than half a step gets one step.

    Args:
        source: The bytes of the file, or its path.
        limits: The limits past which the file is refused.
        steps_per_quarter: The resolution of the grid.

    Raises:
        MidiError: If the bytes are no MIDI file of format 0 or 1 in ticks a quarter note, are
            damaged or past the limits.
        OSError: If the file can't be read.
    """
    if isinstance(source, bytes):
        return _read_bytes(source, limits, steps_per_quarter)
    check_type("source", source, str | Path, "the bytes or the path of a MIDI file")
    try:
        return _read_bytes(Path(source).read_bytes(), limits, steps_per_quarter)
    except MidiError as error:
        found = f"{source}: {error.found}"
        raise MidiError(found, expected=error.expected, action=error.action) from error


def read(
    source: bytes | str | Path,
    *,
    limits: MidiLimits = DEFAULT_LIMITS,
    steps_per_quarter: int = STEPS_PER_QUARTER,
) -> NoteSequence:
    """Reads a MIDI file as one sequence, all tracks together.

    Args:
        source: The bytes of the file, or its path.
        limits: The limits past which the file is refused.
        steps_per_quarter: The resolution of the grid.

    Raises:
        MidiError, OSError: As `read_tracks`.
    """
    file = read_tracks(source, limits=limits, steps_per_quarter=steps_per_quarter)
    return NoteSequence(
        notes=tuple(sorted(note for track in file.tracks for note in track.notes.notes)),
        length_steps=file.length_steps,
        qpm=file.qpm,
        meter=file.meter,
        key=file.key,
        steps_per_quarter=steps_per_quarter,
        chords=file.chords,
        bar_changes=file.bar_changes,
    )


def _read_bytes(data: bytes, limits: MidiLimits, steps_per_quarter: int) -> MidiFile:
    parsed = midi_parser.parse(data, limits=limits)
    smf.check_score(parsed.header)
    ticks_per_quarter = int(parsed.ticks_per_quarter)
    grid = _lay_bars(parsed, steps_per_quarter)
    parts = [(track.name, _notes(track, ticks_per_quarter, grid)) for track in parsed.tracks]
    last = max((note.end_step for _, notes in parts for note in notes), default=0)
    head = smf.read_head(parsed.first_track)
    if head.end_tick <= limits.max_length_quarters * ticks_per_quarter:
        shift = grid.shifts(np.array([head.end_tick / ticks_per_quarter]))[0]
        last = max(last, math.floor(head.end_tick * steps_per_quarter / ticks_per_quarter + shift))
    start, meter = grid.changes[-1].start_step, grid.changes[-1].meter
    bar_steps = meter.steps_per_bar(steps_per_quarter) or steps_per_quarter
    length_steps = start - (start - last) // bar_steps * bar_steps
    key = parsed.keys[0][1] if parsed.keys else None
    meter = grid.changes[0].meter
    bar_changes = grid.changes[1:] and grid.changes
    return MidiFile(
        tracks=tuple(
            MidiTrack(
                name,
                NoteSequence(
                    tuple(notes),
                    length_steps,
                    parsed.qpm,
                    meter,
                    key,
                    steps_per_quarter,
                    bar_changes=bar_changes,
                ),
            )
            for name, notes in parts
        ),
        length_steps=length_steps,
        meter=meter,
        bar_changes=bar_changes,
        qpm=parsed.qpm,
        key=key,
        text=head.texts,
        chords=_chords(parsed.markers, length_steps, ticks_per_quarter, grid),
        remarks=parsed.remarks,
    )


def _lay_bars(parsed: ParsedMidi, steps_per_quarter: int) -> StepGrid:
    """The bars of a file on the step grid, as the data pipeline finds them."""
    unit = parsed.ticks_per_quarter
    marks = [MeterMark(tick / unit, meter) for tick, meter in parsed.meters]
    notes = NoteColumns.of(parsed.tracks)
    size = len(notes.starts)
    if not size:
        bars = draw_bars([marks], [0.0], [0.0])
    else:
        timed = TimedOnsets(
            onsets=notes.starts / unit,
            velocities=notes.velocities,
            is_pitched=np.repeat([not track.is_drum for track in parsed.tracks], notes.sizes),
            sizes=np.array([size]),
            ends=np.array([notes.ends.max() / unit]),
        )
        bars = find_bars([marks], timed)
    return lay_on_steps(bars[0], steps_per_quarter)


def _steps(
    ticks: Int64[np.ndarray, " note"], ticks_per_quarter: int, grid: StepGrid
) -> Int64[np.ndarray, " note"]:
    """The nearest step of each tick; halfway between two steps, the later."""
    ticks_per_step = ticks_per_quarter / grid.steps_per_quarter
    steps = ticks / ticks_per_step + grid.shifts(ticks / ticks_per_quarter)
    nearest: Int64[np.ndarray, " note"] = np.floor(steps + 0.5).astype(np.int64)
    return nearest


def _notes(track: ParsedTrack, ticks_per_quarter: int, grid: StepGrid) -> list[Note]:
    """The notes in order."""
    notes = NoteColumns.of([track])
    onsets = notes.starts.astype(np.int64)
    starts = _steps(onsets, ticks_per_quarter, grid)
    ends = np.maximum(_steps(notes.ends.astype(np.int64), ticks_per_quarter, grid), starts + 1)
    # In whole numbers, so that music on the grid has no offset and written music reads back equal.
    shifts = np.round(grid.shifts(onsets / ticks_per_quarter) * ticks_per_quarter, 6)
    offsets = (
        onsets * grid.steps_per_quarter - starts * ticks_per_quarter + shifts
    ) / ticks_per_quarter
    order = np.lexsort((offsets, notes.velocities, ends, notes.pitches, starts))
    columns = (starts, notes.pitches, ends, notes.velocities, offsets)
    return [
        Note(start, pitch, end, max(velocity, 1), track.program, track.is_drum, offset)
        for start, pitch, end, velocity, offset in zip(
            *(column[order].tolist() for column in columns), strict=True
        )
    ]


def _chords(
    markers: Sequence[tuple[int, str]], length_steps: int, ticks_per_quarter: int, grid: StepGrid
) -> tuple[Chord, ...]:
    """The markers as chords, the last chord of each step; see `read_markers`.

    Raises:
        MidiError: If there are too many chords.
    """
    steps = _steps(np.array([tick for tick, _ in markers], np.int64), ticks_per_quarter, grid)
    chords: dict[int, Chord] = {}
    symbols = read_markers([text for _, text in markers])
    for step, parsed in zip(steps.tolist(), symbols, strict=False):
        if parsed is not None and step < length_steps:
            chords[step] = Chord(step, parsed.root, parsed.quality, parsed.bass)
    if symbols and len(markers) > MOST_CHORDS:
        raise smf.too_much(f"more than {MOST_CHORDS} chords", f"{MOST_CHORDS} chords")
    return tuple(chords.values())


def read_markers(texts: Sequence[str]) -> list[ParsedChord | None]:
    """Reads markers as chord symbols; empty unless three of four are.

    The others name sections, such as `Verse`, and are None.
    """
    symbols = [None if len(each) > _MOST_SYMBOL else parse_symbol(each) for each in texts]
    return symbols if 4 * sum(each is not None for each in symbols) >= 3 * len(symbols) else []
