"""MIDI bytes to notes and back: the only place, with `smf`, where there are ticks.

Conventions: bytes are a Standard MIDI File of format 0 or 1 with a time division in ticks a quarter
note. Reading puts every onset and end on the step grid by its tick, so a change of tempo moves
nothing; what is lost stays in `Note.offset`. Where a recording keeps no grid, `beats_s` gives the
times of its beats instead.

Bytes come from strangers: `MidiLimits` bounds what is read, and whatever is no MIDI file is a
`MidiError`, never a crash. What is odd but harmless is read: a time or key signature or a tempo
that cannot be is passed over; a note-on without its note-off is no note; a note-off ends the
earliest of the notes of its pitch that sound. Where a header claims another number of tracks than
there are, those there are are read.

Source: The Complete MIDI 1.0 Detailed Specification, Standard MIDI Files 1.0 (RP-001).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import cast

import numpy as np
import symusic

from musicvae import smf
from musicvae.errors import MidiError, SettingError
from musicvae.notes import (
    DEFAULT_QPM,
    STEPS_PER_QUARTER,
    Key,
    Meter,
    Note,
    NoteSequence,
)

TICKS_PER_QUARTER = 480
DRUM_CHANNEL = 9
MELODIC_CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)

_PROVENANCE = "musicvae"
"""The one key of the JSON object in a text event that says how a clip was made."""

PROGRAM_FAMILIES = (
    *("Piano", "Chromatic Percussion", "Organ", "Guitar", "Bass", "Strings", "Ensemble", "Brass"),
    *("Reed", "Pipe", "Synth Lead", "Synth Pad", "Synth Effects", "Ethnic", "Percussive"),
    "Sound Effects",
)
"""General MIDI's families of eight programs each: the names of the tracks we write."""


@dataclass(frozen=True, kw_only=True)
class MidiLimits:
    """How much of a file is read before it is refused.

    Attributes:
        max_bytes: Size of the file in bytes. The largest of a collection of 400 real files has
            half a megabyte; at 4 MiB symusic needs 50 ms and 40 MB.
        max_notes: Notes of all tracks. An hour of dense piano has 40,000; each takes 200 bytes.
        max_tracks: Tracks, counted after those that hold several channels are divided.
        max_program_changes: Bytes that could change a program (0xC0 to 0xCF). Each can start a part
            of its own, which takes symusic 5 kB: unbounded, 4 MiB of them would take 2 GB. Real
            files have up to 1,300.
        max_length_quarters: Where the last note may end, in quarter notes: two hours at 120 a
            minute. A file of a few bytes can claim a thousand times that, and whoever makes an
            array of steps from it would pay.
    """

    max_bytes: int = 4 * 1024 * 1024
    max_notes: int = 100_000
    max_tracks: int = 512
    max_program_changes: int = 8_192
    max_length_quarters: int = 16_384

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value < 1:
                raise SettingError(
                    f"{name}={value}",
                    expected="1 or more",
                    action="Give the largest that is still to be read.",
                    field=name,
                )


DEFAULT_LIMITS = MidiLimits()


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
    """

    tracks: tuple[MidiTrack, ...]
    length_steps: int
    meters: tuple[Meter, ...] = ()
    qpm: float = DEFAULT_QPM
    key: Key | None = None
    text: tuple[str, ...] = ()


def read_tracks(
    data: bytes,
    *,
    limits: MidiLimits = DEFAULT_LIMITS,
    beats_s: Sequence[float] | None = None,
) -> MidiFile:
    """Reads the tracks of a MIDI file onto the step grid.

    All sequences have the same length: up to the end of the last note, or of the first track where
    that is later and holds no notes (so that silence at the end is kept), and on to the end of the
    bar in the first meter (of the quarter note where a bar is no whole number of steps). A note
    shorter than half a step gets one step.

    Args:
        data: The bytes of the file.
        limits: How much of it is read.
        beats_s: Times of the beats in seconds, ascending, in place of the file's own grid: beat k
            falls on step `4 * k`, and time between two beats is divided evenly. Notes that start
            outside the beats are left out. The sequences are then in 4/4, whatever the file says
            of a grid that it does not keep, and at the tempo of the median beat.

    Raises:
        MidiError: If the bytes are no MIDI file of format 0 or 1, are damaged or past the limits,
            or if the beats are not at least two ascending times.
    """
    tracks = _check_bytes(data, limits)
    score = _parse(data, len(tracks))
    found = _check_parts(score, limits)
    head = smf.read_head((*tracks, b"")[0])
    tempos, meters, key = _tempos(score), tuple(_meters(score)), _key(score)
    file_qpm = round(60e6 / next(iter(tempos.values())), 2) if tempos else DEFAULT_QPM
    if beats_s is None:
        qpm, meter = file_qpm, (*meters, Meter())[0]
        parts = [(part.name, _notes_by_ticks(part, score.tpq)) for part in found]
    else:
        beats = _check_beats(beats_s)
        qpm, meter = 60 / float(np.median(np.diff(beats))), Meter()
        parts = [(p.name, _notes_by_beats(p, tempos, score.tpq, beats)) for p in found]

    last = max((note.end_step for _, notes in parts for note in notes), default=0)
    if beats_s is None and head.end_tick <= limits.max_length_quarters * score.tpq:
        last = max(last, head.end_tick * STEPS_PER_QUARTER // score.tpq)
    bar_steps = meter.steps_per_bar(STEPS_PER_QUARTER) or STEPS_PER_QUARTER
    length_steps = -(-last // bar_steps) * bar_steps
    return MidiFile(
        tracks=tuple(
            MidiTrack(name, NoteSequence(tuple(notes), length_steps, qpm, meter, key))
            for name, notes in parts
            if notes
        ),
        length_steps=length_steps,
        meters=meters,
        qpm=file_qpm,
        key=key,
        text=head.texts,
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

    Track 0 holds the name, the provenance, tempo, meter and key; then comes one track for each
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


def _parse(data: bytes, track_count: int) -> symusic.core.ScoreTick:
    data = smf.with_true_header(data, track_count)
    try:
        return cast("symusic.core.ScoreTick", symusic.Score.from_midi(data))
    except (RuntimeError, ValueError, LookupError, OverflowError, MemoryError) as error:
        raise smf.damaged(str(error).split(": iostream")[0]) from error


def _check_bytes(data: bytes, limits: MidiLimits) -> list[bytes]:
    """Judges the file before it is parsed; the bytes of its tracks."""
    if len(data) > limits.max_bytes:
        raise smf.too_much(f"{len(data)} bytes", f"{limits.max_bytes} bytes")
    tracks = smf.read_tracks(data, max_tracks=limits.max_tracks)
    changes = int(np.count_nonzero(np.frombuffer(data, dtype=np.uint8) & 0xF0 == 0xC0))
    if changes > limits.max_program_changes:
        raise smf.too_much(
            f"up to {changes} program changes", f"{limits.max_program_changes} program changes"
        )
    return tracks


@dataclass(frozen=True, kw_only=True)
class _Part:
    """The notes of a track as they stand in the file.

    Attributes:
        name: The track's name.
        program: Its program; 0 for drums.
        is_drum: Whether it is on the drum channel.
        ticks: Onsets in the first row, ends in the second.
        pitches: One for each column.
        velocities: One for each column.
    """

    name: str
    program: int
    is_drum: bool
    ticks: np.ndarray
    pitches: np.ndarray
    velocities: np.ndarray


def _check_parts(score: symusic.core.ScoreTick, limits: MidiLimits) -> list[_Part]:
    """Judges what was parsed; the tracks that have notes."""
    if len(score.tracks) > limits.max_tracks:
        raise smf.too_much(f"{len(score.tracks)} tracks", f"{limits.max_tracks} tracks")
    if score.note_num() > limits.max_notes:
        raise smf.too_much(f"{score.note_num()} notes", f"{limits.max_notes} notes")
    parts = []
    for track in score.tracks:
        if not track.note_num():
            continue
        notes = track.notes.numpy()
        starts, durations = notes["time"].astype(np.int64), notes["duration"].astype(np.int64)
        ticks = np.stack([starts, starts + durations])
        # symusic counts ticks in 32 bits and lets them wrap to below 0.
        last_tick = limits.max_length_quarters * score.tpq
        if ticks.min() < 0 or durations.min() < 0 or ticks.max() > last_tick:
            most = limits.max_length_quarters
            raise smf.too_much(f"a note past quarter note {most}", f"{most} quarter notes")
        if notes["pitch"].min() < 0 or notes["velocity"].min() < 0:
            raise smf.damaged("a pitch or velocity past 127")
        part = _Part(
            name=track.name,
            program=0 if track.is_drum else int(track.program),
            is_drum=bool(track.is_drum),
            ticks=ticks,
            pitches=notes["pitch"],
            velocities=notes["velocity"],
        )
        parts.append(part)
    return parts


def _meters(score: symusic.core.ScoreTick) -> Iterator[Meter]:
    found = score.time_signatures.numpy()
    order = np.argsort(found["time"], kind="stable")
    pairs = zip(
        found["numerator"][order].tolist(), found["denominator"][order].tolist(), strict=True
    )
    for numerator, denominator in dict.fromkeys(pairs):
        # The file holds a power of two of any size: those past 64 are no music.
        if numerator >= 1 and denominator in (1, 2, 4, 8, 16, 32, 64):
            yield Meter(numerator, denominator)


def _key(score: symusic.core.ScoreTick) -> Key | None:
    found = score.key_signatures.numpy()
    order = np.argsort(found["time"], kind="stable")
    pairs = zip(found["key"][order].tolist(), found["tonality"][order].tolist(), strict=True)
    for sharps, is_minor in pairs:
        if -7 <= sharps <= 7 and is_minor in (0, 1):
            # A sharp is a fifth up; the minor key stands a minor third below its major.
            return Key(tonic=(7 * sharps - 3 * is_minor) % 12, is_minor=bool(is_minor))
    return None


def _tempos(score: symusic.core.ScoreTick) -> dict[int, int]:
    """Microseconds a quarter note from each tick on where they change, in order."""
    found = score.tempos.numpy()
    chosen = np.flatnonzero((found["mspq"] > 0) & (found["time"] >= 0))
    chosen = chosen[np.argsort(found["time"][chosen], kind="stable")]
    ticks, mspq = found["time"][chosen].tolist(), found["mspq"][chosen].tolist()
    return dict(zip(ticks, mspq, strict=True))


def _check_beats(beats_s: Sequence[float]) -> np.ndarray:
    beats = np.asarray(beats_s, dtype=np.float64)
    if len(beats) < 2 or not np.isfinite(beats).all() or not (np.diff(beats) > 0).all():
        raise MidiError(
            f"{len(beats)} beat times that do not ascend" if len(beats) > 1 else "too few beats",
            expected="at least two ascending times in seconds",
            action="Mend the list of beats.",
            field="beats_s",
        )
    return beats


def _seconds(tempos: dict[int, int], tpq: int, ticks: np.ndarray) -> np.ndarray:
    """The times of ticks: at 120 quarter notes a minute before the first tempo."""
    tempos = {0: 500_000} | tempos
    changes = np.array(list(tempos), dtype=np.int64)
    seconds_per_tick = np.array(list(tempos.values())) / (1e6 * tpq)
    starts = np.concatenate([[0.0], np.cumsum(np.diff(changes) * seconds_per_tick[:-1])])
    index = np.searchsorted(changes, ticks, side="right") - 1
    times: np.ndarray = starts[index] + (ticks - changes[index]) * seconds_per_tick[index]
    return times


def _notes_by_ticks(part: _Part, tpq: int) -> list[Note]:
    return _notes(part, part.ticks * STEPS_PER_QUARTER, tpq)


def _notes_by_beats(
    part: _Part, tempos: dict[int, int], tpq: int, beats_s: np.ndarray
) -> list[Note]:
    times = _seconds(tempos, tpq, part.ticks)
    inside = np.flatnonzero((times[0] >= beats_s[0]) & (times[0] < beats_s[-1]))
    chosen = replace(part, pitches=part.pitches[inside], velocities=part.velocities[inside])
    steps = np.arange(len(beats_s)) * STEPS_PER_QUARTER
    return _notes(chosen, np.interp(times[:, inside], beats_s, steps), 1)


def _notes(part: _Part, times: np.ndarray, step: int) -> list[Note]:
    """The notes in order, from onsets and ends in a unit of which a step has `step`.

    With ticks as the unit all is counted in whole numbers, and written music reads back equal.
    """
    starts, ends = np.floor(times / step + 0.5).astype(np.int64)
    ends = np.maximum(ends, starts + 1)
    offsets = (times[0] - starts * step) / step
    order = np.lexsort((offsets, part.velocities, ends, part.pitches, starts))
    columns = (starts, part.pitches, ends, part.velocities, offsets)
    return [
        Note(start, pitch, end, max(velocity, 1), part.program, part.is_drum, offset)
        for start, pitch, end, velocity, offset in zip(
            *(column[order].tolist() for column in columns), strict=True
        )
    ]


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
    return [(0, event) for event in events]


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
