"""Tells plain files, which symusic reads rightly, from files whose events need a repair.

Every event has one byte under 128 that ends its time, and a message has one or two for its data.
So the messages that symusic read account for every such byte of a plain file. symusic drops stray
note-offs, and controls on a channel without notes: where bytes are left, `_read_all` has it read a
copy of the file in which no message is dropped.

Source: Standard MIDI Files 1.0 (RP-001).
"""

import re
from collections.abc import Sequence

import numpy as np
import symusic

from musicvae.music.midi import smf
from musicvae.music.midi.patterns import META, TIME

_SYSEX = re.compile(rb"\xf0([\x00-\x7f])([\x00-\x7f]*\xf7)%b(?=[\x80-\xff])" % TIME)
"""A system exclusive message in one piece with the time after it, if its length is right."""

_SHORT = re.compile(rb"[\xc0-\xdf][\x00-\x7f](?![\x80-\xbf\xe0-\xef][\x00-\x7f]{2}|\Z)")
"""A message of one data byte: a time that looks like it stands before a status and its data."""

_PAIR = re.compile(rb"(?:[\xc0-\xdf][\x00-\x7f]){2}(?=(?:%b)?[\x80-\xff])" % TIME)
"""A message of one data byte and a time that looks like one, in either order."""

_RUN = re.compile(rb"(?:%b[\x00-\x7f])*+" % TIME)
"""More such messages under running status, or a run of other messages behind a time."""

_WRONG_META = re.compile(
    rb"\xff(?:\x58(?:[^\x04]|\x04\x00|\x04.[\x07-\xff])|\x51[^\x03]|\x59[^\x02])", re.DOTALL
)
"""A time signature, tempo or key signature of a wrong length, or an impossible time signature."""

_FEW_BYTES = 4_096
"""Below this number of bytes Python counts quicker than numpy."""

_HIGH = bytes(range(0x80, 0x100))
_COUNTED = bytes(
    0xE0 if kind == 9 else 0xB0 if kind in (8, 10, 11, 14) else 0xD0 if kind == 12 else byte
    for byte in range(256)
    for kind in (byte >> 4,)
)
"""Turns note-ons into pitch bends, other messages of two data bytes into controls, and programs
into pressures, all on channel 1. A time may change, but not its length."""

_ANY_NOTE = b"\x00\x90\x00\x01\x01\x80\x00\x00"
"""Goes before the events of a track: symusic drops the controls of a channel without notes."""


def is_plain(tracks: Sequence[bytes], score: symusic.core.ScoreTick) -> bool:
    """Whether tracks hold plain events alone, and each of their note-ons became a note.

    Args:
        tracks: The events of each track.
        score: The notes, controls and pitch bends that symusic read of the tracks.
    """
    joined = tracks[0] if len(tracks) == 1 else b"".join(tracks)
    rest = META.sub(b"", joined)
    # A wrong meta event has no other length in `META`: so its first byte is still there.
    if b"\xff" in rest and _WRONG_META.search(joined):
        return False
    expected = _count_bytes(score)
    if _count_low(rest) == expected:
        return True
    rest = _SYSEX.sub(_drop_whole, rest)
    least, most = _count_short(rest)
    found = _count_low(rest)
    if least == most and found == expected + 2 * least:
        return True
    note_ons, messages = _read_all(tracks)
    short, is_odd = divmod(found - 3 * messages, 2)
    return note_ons == score.note_num() and not is_odd and least <= short <= most


def _count_low(rest: bytes) -> int:
    """The bytes under 128, without the time before the last end of track."""
    if len(rest) < _FEW_BYTES:
        return len(rest.translate(None, _HIGH)) - 1
    return int(np.count_nonzero(np.frombuffer(rest, np.int8) >= 0)) - 1


def _drop_whole(sysex: re.Match[bytes]) -> bytes:
    return b"" if sysex[1][0] == len(sysex[2]) else sysex[0]


def _count_short(rest: bytes) -> tuple[int, int]:
    """The least and the greatest number of messages of one data byte.

    A long time looks like such a message where running status or a program follows.
    """
    least = most = end = 0
    for start in np.flatnonzero(np.frombuffer(rest, np.uint8) & 0xE0 == 0xC0).tolist():
        if start < end:
            continue
        if (pair := _PAIR.match(rest, start)) is not None:
            # Between two messages stands a time, so either of the two is the time.
            least, most, end = least + 1, most + 1, pair.end()
        elif found := _SHORT.match(rest, start):
            run = _RUN.match(rest, found.end())
            more = len(run[0].translate(None, _HIGH)) // 2 if run else 0
            least += not more and rest[found.end()] & 0xE0 != 0xC0
            most += 1 + more
    return least, most


def _count_bytes(score: symusic.core.ScoreTick) -> int:
    """The bytes under 128 of the messages that symusic read, with their times."""
    notes = others = 0
    tracks = score.tracks
    for index in range(len(tracks)):  # symusic's iteration takes over a microsecond to begin
        track = tracks[index]
        notes += track.note_num()
        others += len(track.controls) + len(track.pitch_bends)
    # Each message has three such bytes with its time, and a note has two messages.
    return 6 * notes + 3 * others


def _read_all(tracks: Sequence[bytes]) -> tuple[int, int]:
    """The number of note-ons, and of all messages of two data bytes, as symusic reads tracks."""
    copies = [_ANY_NOTE + track.translate(_COUNTED) for track in tracks]
    try:
        score = symusic.core.ScoreTick.from_midi(smf.write_file(copies, ticks_per_quarter=480))
    except (RuntimeError, ValueError, LookupError, OverflowError, MemoryError):
        return -1, 0
    bends = [track.pitch_bends.numpy()["value"] for track in score.tracks]
    note_ons = sum(int(np.count_nonzero(each >= 128 - 8192)) for each in bends)
    # Each track has a note and a bend of `_ANY_NOTE`.
    return note_ons, _count_bytes(score) // 3 - 2 * score.note_num()
