"""MIDI bytes to notes and back: here ticks become steps, and steps ticks.

Conventions: bytes are a Standard MIDI File of format 0 or 1 with a time division in ticks a quarter
note: one piece of music, which format 2 is not, on a grid, which frames of a film are not. Reading
puts every onset and end on the step grid by its tick, so a change of tempo moves nothing; what is
lost stays in `Note.offset`. What bytes from strangers meet is said in `midi_parser`.

Source: The Complete MIDI 1.0 Detailed Specification, Standard MIDI Files 1.0 (RP-001).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from musicvae.errors import MidiError
from musicvae.music.chords import MOST_CHORDS, Chord, parse_symbol, symbol
from musicvae.music.midi import parser as midi_parser
from musicvae.music.midi import smf
from musicvae.music.midi.parser import DEFAULT_LIMITS, MidiLimits, NoteColumns, ParsedTrack
from musicvae.music.notes import DEFAULT_QPM, STEPS_PER_QUARTER, Key, Meter, Note, NoteSequence

TICKS_PER_QUARTER = 480
DRUM_CHANNEL = 9
MELODIC_CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)

_PROVENANCE = "musicvae"
"""The one key of the JSON object in a text event that says how a clip was made."""

_MOST_SYMBOL = 32  # characters of a marker that may be a chord

PROGRAM_FAMILIES = (
    *("Piano", "Chromatic Percussion", "Organ", "Guitar", "Bass", "Strings", "Ensemble", "Brass"),
    *("Reed", "Pipe", "Synth Lead", "Synth Pad", "Synth Effects", "Ethnic", "Percussive"),
    "Sound Effects",
)
"""General MIDI's families of eight programs each: the names of the tracks we write."""


@dataclass(frozen=True, slots=True)
class MidiTrack:
    """The notes of one program of one track.

    Attributes:
        name: The track's name as the file gives it; may be empty.
        notes: Its notes, at least one; all tracks of a file have the same length.
    """

    name: str
    notes: NoteSequence


@dataclass(frozen=True, slots=True)
class MidiFile:
    """What a MIDI file holds, on the step grid.

    Attributes:
        tracks: Those with notes, in the file's order; a track with several channels or programs
            is divided by them. Empty for a file without notes.
        length_steps: The length of each of them in steps, at least one bar if there are notes.
        meters: The different time signatures in order of appearance; empty if there are none.
        qpm: The first tempo in quarter notes a minute, to two decimals; 120 if there is none.
        key: The first key signature, or None.
        text: The text events at the head of the first track.
        chords: The markers of all tracks, if all of them are chord symbols.
    """

    tracks: tuple[MidiTrack, ...]
    length_steps: int
    meters: tuple[Meter, ...] = ()
    qpm: float = DEFAULT_QPM
    key: Key | None = None
    text: tuple[str, ...] = ()
    chords: tuple[Chord, ...] = ()


def read_tracks(data: bytes, *, limits: MidiLimits = DEFAULT_LIMITS) -> MidiFile:
    """Reads the tracks of a MIDI file onto the step grid.

    All sequences have the same length: up to the end of the last note, or of the first track where
    that is later and holds no notes (so that silence at the end is kept), and on to the end of the
    bar in the first meter (of the quarter note where a bar is no whole number of steps). A note
    shorter than half a step gets one step.

    Args:
        data: The bytes of the file.
        limits: How much of it is read.

    Raises:
        MidiError: If the bytes are no MIDI file of format 0 or 1 in ticks a quarter note, are
            damaged or past the limits.
    """
    if len(data) <= limits.max_bytes:
        smf.check_score(smf.read_header(data))
    parsed = midi_parser.parse(data, limits=limits)
    ticks_per_quarter = int(parsed.ticks_per_quarter)
    meters = tuple(dict.fromkeys(meter for _, meter in parsed.meters))
    meter = (*meters, Meter())[0]
    key = parsed.keys[0][1] if parsed.keys else None
    parts = [(track.name, _notes(track, ticks_per_quarter)) for track in parsed.tracks]
    last = max((note.end_step for _, notes in parts for note in notes), default=0)
    head = smf.read_head(parsed.first_track)
    if head.end_tick <= limits.max_length_quarters * ticks_per_quarter:
        last = max(last, head.end_tick * STEPS_PER_QUARTER // ticks_per_quarter)
    bar_steps = meter.steps_per_bar(STEPS_PER_QUARTER) or STEPS_PER_QUARTER
    length_steps = -(-last // bar_steps) * bar_steps
    return MidiFile(
        tracks=tuple(
            MidiTrack(name, NoteSequence(tuple(notes), length_steps, parsed.qpm, meter, key))
            for name, notes in parts
        ),
        length_steps=length_steps,
        meters=meters,
        qpm=parsed.qpm,
        key=key,
        text=head.texts,
        chords=_chords(parsed.markers, length_steps, ticks_per_quarter),
    )


def read(data: bytes, *, limits: MidiLimits = DEFAULT_LIMITS) -> NoteSequence:
    """Reads a MIDI file as one sequence, all tracks together.

    Raises:
        MidiError: As `read_tracks`.
    """
    file = read_tracks(data, limits=limits)
    return NoteSequence(
        notes=tuple(sorted(note for track in file.tracks for note in track.notes.notes)),
        length_steps=file.length_steps,
        qpm=file.qpm,
        meter=(*file.meters, Meter())[0],
        key=file.key,
        chords=file.chords,
    )


def read_provenance(data: bytes) -> dict[str, object] | None:
    """How a clip was made, as `write` was told; None for bytes of another make."""
    try:
        tracks = smf.read_tracks(data, max_tracks=DEFAULT_LIMITS.max_tracks)
    except MidiError:
        return None
    for text in smf.read_head((*tracks, b"")[0]).texts:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and isinstance(found.get(_PROVENANCE), dict):
            return dict(found[_PROVENANCE])
    return None


def write(
    sequence: NoteSequence, *, name: str = "", provenance: Mapping[str, object] | None = None
) -> bytes:
    """Writes a sequence as a MIDI file of format 1 at 480 ticks a quarter note.

    Track 0 holds the name, the provenance, tempo, meter and key, and the chords as markers; then
    comes one track for each
    program, and the drums last, each on a channel of its own. Every track ends exactly at
    `length_steps`. Onsets are written as played, with their `offset`. Equal input gives
    equal bytes.

    One channel can sound a pitch once at a time: a note is cut short where the next one of its
    pitch in its part starts, and of two that start together the longer stays.

    Args:
        sequence: The music.
        name: The name of the sequence.
        provenance: What makes the clip again (model, seed, recipe), as JSON values; read back by
            `read_provenance`.

    Raises:
        MidiError: If there are more than 15 programs beside the drums, or a tempo below 4 or past
            1,000,000 quarter notes a minute.
    """
    parts: dict[tuple[bool, int], list[Note]] = {}
    for note in sequence.notes:
        parts.setdefault((note.is_drum, 0 if note.is_drum else note.program), []).append(note)
    order = sorted(parts)
    melodic = [part for part in order if not part[0]]
    if len(melodic) > len(MELODIC_CHANNELS):
        raise MidiError(
            f"{len(melodic)} programs",
            expected=f"at most {len(MELODIC_CHANNELS)} beside the drums",
            action="Write fewer instruments to one file.",
        )
    end_tick = _ticks(sequence, float(sequence.length_steps))
    tracks = [smf.write_track(_head(sequence, name, provenance), end_tick)]
    for index, part in enumerate(order):
        is_drum, program = part
        channel = DRUM_CHANNEL if is_drum else MELODIC_CHANNELS[index]
        head = [
            smf.meta(smf.NAME, ("Drums" if is_drum else PROGRAM_FAMILIES[program // 8]).encode()),
            bytes([0xC0 | channel, program]),
        ]
        events = [(0, event) for event in head]
        events += _note_events(sequence, parts[part], channel)
        tracks.append(smf.write_track(events, end_tick))
    return smf.write_file(tracks, ticks_per_quarter=TICKS_PER_QUARTER)


# Reading


def _notes(track: ParsedTrack, ticks_per_quarter: int) -> list[Note]:
    """The notes in order.

    All is counted in whole numbers, so that written music reads back equal.
    """
    step = ticks_per_quarter / STEPS_PER_QUARTER
    notes = NoteColumns.of([track])
    onsets = notes.starts.astype(np.int64)
    starts = np.floor(onsets / step + 0.5).astype(np.int64)
    ends = np.maximum(np.floor(notes.ends / step + 0.5).astype(np.int64), starts + 1)
    offsets = (onsets * STEPS_PER_QUARTER - starts * ticks_per_quarter) / ticks_per_quarter
    order = np.lexsort((offsets, notes.velocities, ends, notes.pitches, starts))
    columns = (starts, notes.pitches, ends, notes.velocities, offsets)
    return [
        Note(start, pitch, end, max(velocity, 1), track.program, track.is_drum, offset)
        for start, pitch, end, velocity, offset in zip(
            *(column[order].tolist() for column in columns), strict=True
        )
    ]


def _chords(
    markers: Sequence[tuple[int, str]], length_steps: int, ticks_per_quarter: int
) -> tuple[Chord, ...]:
    """The markers on their steps, the last of each; none where one of them is no chord.

    Raises:
        MidiError: If there are too many chords.
    """
    chords: dict[int, Chord] = {}
    for tick, text in markers:
        said = None if len(text) > _MOST_SYMBOL else parse_symbol(text)
        if said is None:
            return ()
        step = (2 * tick * STEPS_PER_QUARTER + ticks_per_quarter) // (2 * ticks_per_quarter)
        if step < length_steps:
            chords[step] = Chord(step, said.root, said.quality, said.bass)
    if len(markers) > MOST_CHORDS:
        raise smf.too_much(f"more than {MOST_CHORDS} chords", f"{MOST_CHORDS} chords")
    return tuple(chords.values())


# Writing


def _ticks(sequence: NoteSequence, steps: float) -> int:
    return round(steps * TICKS_PER_QUARTER / sequence.steps_per_quarter)


def _head(
    sequence: NoteSequence, name: str, provenance: Mapping[str, object] | None
) -> list[tuple[int, bytes]]:
    mspq = round(60e6 / sequence.qpm)
    if not 60 <= mspq < 1 << 24:
        raise MidiError(
            f"a tempo of {sequence.qpm:g} quarter notes a minute",
            expected="4 to 1,000,000",
            action="Choose a tempo that MIDI can hold.",
            field="qpm",
        )
    meter = sequence.meter
    events = [smf.meta(smf.NAME, name.encode())]
    if provenance is not None:
        text = json.dumps({_PROVENANCE: provenance}, sort_keys=True, separators=(",", ":"))
        events.append(smf.meta(smf.TEXT, text.encode()))
    events.append(smf.meta(smf.TEMPO, mspq.to_bytes(3, "big")))
    # 24 MIDI clocks a click of the metronome, 8 thirty-second notes a quarter: the usual.
    power = meter.denominator.bit_length() - 1
    events.append(smf.meta(smf.METER, bytes([meter.numerator, power, 24, 8])))
    if sequence.key is not None:
        fifths = 7 * (sequence.key.tonic + 3 * sequence.key.is_minor) % 12
        sharps = fifths - 12 if fifths > 6 else fifths
        events.append(smf.meta(smf.KEY, struct.pack("bB", sharps, sequence.key.is_minor)))
    chords = [
        (_ticks(sequence, float(chord.start_step)), smf.meta(smf.MARKER, symbol(chord).encode()))
        for chord in sequence.chords
    ]
    return [*((0, event) for event in events), *chords]


def _note_events(
    sequence: NoteSequence, notes: Iterable[Note], channel: int
) -> list[tuple[int, bytes]]:
    spans: list[tuple[int, int, int, int]] = []  # start, end, pitch, velocity
    for note in notes:
        start = max(0, _ticks(sequence, note.start_step + note.offset))
        spans.append((start, _ticks(sequence, float(note.end_step)), note.pitch, note.velocity))
    events: list[tuple[int, int, int, bytes]] = []
    next_start: dict[int, int] = {}
    for start, end, pitch, velocity in sorted(spans, reverse=True):
        if next_start.get(pitch) == start:
            continue
        end = min(end, next_start.get(pitch, end))  # noqa: PLW2901
        next_start[pitch] = start
        # Ends come before onsets, so that a repeated note is heard again.
        events.append((end, 0, pitch, bytes([0x80 | channel, pitch, 0])))
        events.append((start, 1, pitch, bytes([0x90 | channel, pitch, velocity])))
    return [(tick, message) for tick, _, _, message in sorted(events)]
