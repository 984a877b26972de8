"""The bytes of a Standard MIDI File: reads its header and meta events, and writes tracks.

Conventions: a file is a header chunk and track chunks; a track is events, each after a number of
ticks. Numbers are written with the high byte first, or in a variable length of seven bits a byte.

Source: Standard MIDI Files 1.0 (RP-001).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from musicvae.errors import MidiError

TEXT, NAME, MARKER, END_OF_TRACK, TEMPO, METER, KEY = 0x01, 0x03, 0x06, 0x2F, 0x51, 0x58, 0x59
"""The kinds of meta events that are read or written."""

HEADER_BYTES = 14
MOST_HEAD_EVENTS = 10_000
"""The number of events of the first track that are searched for text: enough for a tempo on every
beat of a long piece."""

_FRAMES_PER_SECOND = {24: 24.0, 25: 25.0, 29: 30 / 1.001, 30: 30.0}
"""Frames a second by their number in the header; 29 stands for the 30 of colour television."""


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of the header chunk.

    Attributes:
        format: 0 for one track, 1 for tracks that sound together, 2 for independent patterns.
        claimed_tracks: The number of tracks that it claims.
        ticks_per_quarter: 1 or more; 0 where the file counts in parts of a second.
        ticks_per_second: None where the file counts in parts of a quarter note.
    """

    format: int
    claimed_tracks: int
    ticks_per_quarter: int
    ticks_per_second: float | None


@dataclass(frozen=True, slots=True)
class Head:
    """The meta events of the first track before its first note or control.

    Attributes:
        texts: The text events; bytes in no known encoding become replacement signs.
        end_tick: The end of the track if it holds only meta events, otherwise 0.
    """

    texts: tuple[str, ...] = ()
    end_tick: int = 0


def damaged(found: str) -> MidiError:
    """The error for bytes that start as a MIDI file, but can't be read further."""
    return MidiError(
        f"damaged MIDI data ({found})",
        expected="a Standard MIDI File",
        action="Export the music again from the program that made it.",
    )


def too_much(found: str, most: str) -> MidiError:
    """The error for a file past a limit."""
    return MidiError(found, expected=f"at most {most}", action="Give a shorter piece of music.")


def read_header(data: bytes) -> Header:
    """Reads the header chunk.

    Raises:
        MidiError: If the bytes are no MIDI file of format 0, 1 or 2, or the time division is
            invalid.
    """
    if len(data) < HEADER_BYTES or not data.startswith(b"MThd"):
        raise MidiError(
            f"{len(data)} bytes that start with {data[:4]!r}" if data else "no bytes",
            expected="a Standard MIDI File, which starts with b'MThd'",
            action="Give the content of a .mid file.",
        )
    return _read_fields(data[8:HEADER_BYTES])


@lru_cache(maxsize=256)
def _read_fields(fields: bytes) -> Header:
    """Reads the fields of a header chunk; cached, as a corpus repeats few headers."""
    format_, claimed, division = struct.unpack(">HHh", fields)
    if format_ > 2:
        raise _other_format(format_)
    frames, ticks_per_frame = -(division >> 8), division & 0xFF
    if division == 0 or (
        division < 0 and (frames not in _FRAMES_PER_SECOND or not ticks_per_frame)
    ):
        raise MidiError(
            "a time division of 0" if division == 0 else f"a time division of {division}",
            expected="ticks a quarter note, at least 1",
            action="Export the music with ticks a quarter note (PPQ).",
        )
    if division < 0:
        return Header(format_, claimed, 0, _FRAMES_PER_SECOND[frames] * ticks_per_frame)
    return Header(format_, claimed, division, None)


def check_score(header: Header) -> None:
    """Checks that a file is one piece of music in ticks a quarter note.

    Raises:
        MidiError: If the file is of format 2 or counts in frames.
    """
    if header.format > 1:
        raise _other_format(header.format)
    if header.ticks_per_second is not None:
        raise MidiError(
            "a time division in frames a second",
            expected="ticks a quarter note, at least 1",
            action="Export the music with ticks a quarter note (PPQ).",
        )


def _other_format(found: int) -> MidiError:
    return MidiError(
        f"MIDI format {found}",
        expected="format 0 or 1",
        action="Export the music as one file of format 1.",
    )


def read_head(track: bytes) -> Head:
    """Reads the meta events at the beginning of a track."""
    texts: list[str] = []
    position = tick = 0
    for _ in range(MOST_HEAD_EVENTS):
        delta, position = read_number(track, position)
        tick += delta
        status = track[position : position + 2]
        if len(status) < 2 or status[0] != 0xFF:
            break
        if status[1] == END_OF_TRACK:
            return Head(tuple(texts), tick)
        size, position = read_number(track, position + 2)
        if status[1] == TEXT:
            texts.append(track[position : position + size].decode("utf-8", errors="replace"))
        position += size
    return Head(tuple(texts))


def write_file(tracks: Iterable[bytes], *, ticks_per_quarter: int) -> bytes:
    """A file of format 1 with these tracks."""
    chunks = [chunk(track) for track in tracks]
    header = struct.pack(">4sIHHH", b"MThd", 6, 1, len(chunks), ticks_per_quarter)
    return header + b"".join(chunks)


def chunk(track: bytes) -> bytes:
    """The chunk of a track."""
    return b"MTrk" + struct.pack(">I", len(track)) + track


def write_track(events: Iterable[tuple[int, bytes]], end_tick: int) -> bytes:
    """A track of events, each with its tick from the start, in order; ends at `end_tick`."""
    track = bytearray()
    now = 0
    for tick, event in (*events, (end_tick, meta(END_OF_TRACK, b""))):
        track += _write_number(tick - now) + event
        now = tick
    return bytes(track)


def meta(kind: int, payload: bytes) -> bytes:
    """A meta event."""
    return bytes([0xFF, kind]) + _write_number(len(payload)) + payload


def read_number(data: bytes, position: int) -> tuple[int, int]:
    """A number of variable length, and the position after it; the number ends with the data."""
    value = 0
    for byte in data[position : position + 4]:
        value = value << 7 | byte & 0x7F
        position += 1
        if byte < 0x80:
            break
    return value, position


def _write_number(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))
