"""The frame of a Standard MIDI File: its header, its chunks and its meta events.

Conventions: a file is a header chunk and track chunks; a track is events, each after a number of
ticks. Numbers are written with the high byte first, or in a variable length of seven bits a byte.
Nothing here knows a note: `midi` has symusic read the notes, and this reads what symusic leaves out
or believes too easily.

Source: Standard MIDI Files 1.0 (RP-001).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from musicvae.errors import MidiError

TEXT, NAME, MARKER, END_OF_TRACK, TEMPO, METER, KEY = 0x01, 0x03, 0x06, 0x2F, 0x51, 0x58, 0x59
"""The kinds of meta events that we read or write."""

HEADER_BYTES = 14
MOST_HEAD_EVENTS = 10_000
"""Events of the first track that are searched for text: a tempo on every beat of a long piece."""

_FRAMES_PER_SECOND = {24: 24.0, 25: 25.0, 29: 30 / 1.001, 30: 30.0}
"""By the number that stands for them in the header; 29 is 30 of colour television."""

_GUARD = b"GARD" + struct.pack(">I", 16) + bytes(16)
"""A chunk of no known kind. symusic reads a tempo or a signature at its full length even where the
file ends in the middle of it: behind the last chunk, this is what it then reads."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the header chunk says.

    Attributes:
        format: 0 for one track, 1 for tracks that sound together, 2 for patterns of their own.
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
    """What the first track says before its first note or control.

    Attributes:
        texts: Its text events; bytes in no known encoding become replacement signs.
        end_tick: Where the track ends if that is all it holds, otherwise 0.
    """

    texts: tuple[str, ...] = ()
    end_tick: int = 0


def damaged(found: str) -> MidiError:
    """The error for bytes that began as a MIDI file and do not go on as one."""
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
        MidiError: If the bytes are no MIDI file of format 0, 1 or 2, or their time division is
            none.
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
    """Reads what stands in a header chunk; the files of a corpus have the same few."""
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
    """Lets a file pass that is one piece of music in ticks a quarter note.

    Raises:
        MidiError: If it is of format 2 or counts in frames.
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


def read_tracks(data: bytes, *, max_tracks: int) -> list[bytes]:
    """The events of each track of a file, as bytes.

    The header's number of tracks is believed only where the file breaks off: with that many tracks
    read, what follows is no part of the music.

    Raises:
        MidiError: If the header can't be read, if there are more than `max_tracks` tracks, or if
            the file ends within a chunk.
    """
    claimed = read_header(data).claimed_tracks
    tracks: list[bytes] = []
    position = HEADER_BYTES
    while position + 8 <= len(data):
        kind, size = struct.unpack_from(">4sI", data, position)
        position += 8 + size
        if position > len(data):
            if tracks and len(tracks) >= claimed:
                break
            raise damaged(f"chunk {kind!r} of {size} bytes ends after the file")
        if kind == b"MTrk":
            tracks.append(data[position - size : position])
        if len(tracks) > max_tracks:
            raise too_much(f"more than {max_tracks} tracks", f"{max_tracks} tracks")
    if not tracks and position < len(data):
        raise damaged("it ends before its first track")
    return tracks


def with_true_header(data: bytes, track_count: int) -> bytes:
    """The same file, safe for a reader that believes the header and reads past the end.

    It knows no format 2 and no frames: the tracks are then those of format 1, with equal ticks.
    """
    format_, claimed, division = struct.unpack_from(">HHh", data, 8)
    if format_ <= 1 and claimed == track_count and division > 0:
        return data + _GUARD
    header = struct.pack(">HHh", min(format_, 1), track_count, division if division > 0 else 480)
    return data[:8] + header + data[14:] + _GUARD


def split_patterns(data: bytes, *, max_tracks: int) -> list[bytes]:
    """A file for each pattern of a file of format 2, which has one in each track.

    Raises:
        MidiError: As `read_tracks`.
    """
    header = struct.pack(">4sIHH", b"MThd", 6, 0, 1) + data[12:HEADER_BYTES]
    return [header + _chunk(track) for track in read_tracks(data, max_tracks=max_tracks)]


def read_head(track: bytes) -> Head:
    """Reads the meta events at the beginning of a track."""
    texts: list[str] = []
    position = tick = 0
    for _ in range(MOST_HEAD_EVENTS):
        delta, position = _read_number(track, position)
        tick += delta
        status = track[position : position + 2]
        if len(status) < 2 or status[0] != 0xFF:
            break
        if status[1] == END_OF_TRACK:
            return Head(tuple(texts), tick)
        size, position = _read_number(track, position + 2)
        if status[1] == TEXT:
            texts.append(track[position : position + size].decode("utf-8", errors="replace"))
        position += size
    return Head(tuple(texts))


def write_file(tracks: Iterable[bytes], *, ticks_per_quarter: int) -> bytes:
    """A file of format 1 with these tracks."""
    chunks = [_chunk(track) for track in tracks]
    header = struct.pack(">4sIHHH", b"MThd", 6, 1, len(chunks), ticks_per_quarter)
    return header + b"".join(chunks)


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


def _chunk(track: bytes) -> bytes:
    return b"MTrk" + struct.pack(">I", len(track)) + track


def _read_number(data: bytes, position: int) -> tuple[int, int]:
    """A number of variable length, and the position after it; ends where the data end."""
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
