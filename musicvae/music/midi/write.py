"""Writes notes as MIDI bytes; here steps become ticks.

Conventions: a file is a Standard MIDI File of format 1 with 480 ticks a quarter note. Equal music
gives equal bytes.

Source: The Complete MIDI 1.0 Detailed Specification, Standard MIDI Files 1.0 (RP-001).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from operator import itemgetter

from musicvae.errors import MidiError
from musicvae.music.chords import symbol
from musicvae.music.midi import smf
from musicvae.music.midi.provenance import provenance_event
from musicvae.music.notes import BarChange, Meter, Note, NoteSequence
from musicvae.music.spelling import count_sharps, spell

TICKS_PER_QUARTER = 480
DRUM_CHANNEL = 9
MELODIC_CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)

PROGRAM_FAMILIES = (
    *("Piano", "Chromatic Percussion", "Organ", "Guitar", "Bass", "Strings", "Ensemble", "Brass"),
    *("Reed", "Pipe", "Synth Lead", "Synth Pad", "Synth Effects", "Ethnic", "Percussive"),
    "Sound Effects",
)
"""General MIDI's families of eight programs each: the names of the tracks that are written."""


def write(
    sequence: NoteSequence, *, name: str = "", provenance: Mapping[str, object] | None = None
) -> bytes:
    """Writes a sequence as a MIDI file of format 1 at 480 ticks a quarter note.

    Track 0 holds the name, the provenance, the tempo, the meters, the key, and the chords as
    markers; one track for each program follows, then the drums, each on its own channel. Every
    track ends exactly at `length_steps`. Onsets are written as played, with their `offset`.

    A channel can sound a pitch once at a time: a note is cut short where the next note of its
    pitch in its part starts, and of two notes that start together the longer stays.

    Args:
        sequence: The music.
        name: The name of the sequence.
        provenance: What makes the clip again (model, seed, recipe), as JSON values, for
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
    events = [smf.meta(smf.NAME, name.encode())]
    if provenance is not None:
        events.append(provenance_event(provenance))
    events.append(smf.meta(smf.TEMPO, mspq.to_bytes(3, "big")))
    changes = sequence.bar_changes or (BarChange(0, sequence.meter),)
    events.append(_meter(changes[0].meter))
    if sequence.key is not None:
        signature = struct.pack("bB", count_sharps(sequence.key), sequence.key.is_minor)
        events.append(smf.meta(smf.KEY, signature))
    later = [(change.start_step, _meter(change.meter)) for change in changes[1:]]
    names = spell(sequence.key)
    later += [
        (chord.start_step, smf.meta(smf.MARKER, symbol(chord, names).encode()))
        for chord in sequence.chords
    ]
    later.sort(key=itemgetter(0))
    return [
        *((0, event) for event in events),
        *((_ticks(sequence, float(step)), event) for step, event in later),
    ]


def _meter(meter: Meter) -> bytes:
    # 24 MIDI clocks a click of the metronome, 8 thirty-second notes a quarter: the usual values.
    power = meter.denominator.bit_length() - 1
    return smf.meta(smf.METER, bytes([meter.numerator, power, 24, 8]))


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
        # Ends come before onsets, so that a repeated note sounds again.
        events.append((end, 0, pitch, bytes([0x80 | channel, pitch, 0])))
        events.append((start, 1, pitch, bytes([0x90 | channel, pitch, velocity])))
    return [(tick, message) for tick, _, _, message in sorted(events)]
