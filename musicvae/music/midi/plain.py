"""Tells plain files, which symusic reads rightly, from files whose events need a repair.

Every event has one byte under 128 that ends its time, and a message has one or two for its data.
So the messages that symusic read account for every such byte of a plain file. symusic drops stray
note-offs, and controls on a channel without notes: where bytes are left, `_count_note_ons` finds
the messages by those bytes.

Source: Standard MIDI Files 1.0 (RP-001).
"""

import re
from collections.abc import Sequence

import numpy as np
import symusic

from musicvae.music.midi.patterns import END_OF_TRACK, HEAD, META, TIME

_SYSEX = re.compile(rb"\xf0([\x00-\x7f])([\x00-\x7f]*\xf7)%b(?=[\x80-\xff])" % TIME)
"""A system exclusive message in one piece with the time after it, if its length is right."""

_WRONG_META = re.compile(
    rb"\xff(?:\x58(?:[^\x04]|\x04\x00|\x04.[\x07-\xff])|\x51[^\x03]|\x59[^\x02])", re.DOTALL
)
"""A time signature, tempo or key signature of a wrong length, or an impossible time signature."""

_FEW_BYTES = 4_096
"""Below this number of bytes Python counts quicker than numpy."""

_HIGH = bytes(range(0x80, 0x100))

_AFTER = np.array([[1], [2], [3], [4], [5]])
_END = b"\x80" * 5


def is_plain(tracks: Sequence[bytes], score: symusic.core.ScoreTick) -> bool:
    """Whether tracks hold plain events alone, and each of their note-ons became a note.

    Args:
        tracks: The events of each track.
        score: The notes, controls and pitch bends that symusic read of the tracks.
    """
    expected = _count_bytes(score)
    # Most tracks have all their meta events before the first note, and the end of the track.
    rest = b"\0" + b"".join([_drop_head(track) for track in tracks])
    if b"\xff" in rest:
        joined = b"".join(tracks)
        rest = META.sub(b"", joined)
        # A wrong meta event has no other length in `META`: so its first byte is still there.
        if b"\xff" in rest and _WRONG_META.search(joined):
            return False
    if _count_low(rest) == expected:
        return True
    if b"\xf0" in rest:
        rest = _SYSEX.sub(_drop_whole, rest)
    if _count_low(rest) == expected + 2 * _count_short(rest):
        return True
    return _count_note_ons(rest) == score.note_num()


def _drop_head(track: bytes) -> bytes:
    """The events after the head of a track, up to its end."""
    head = HEAD.match(track)
    return track[head.end() if head else 0 : -len(END_OF_TRACK)]


def _count_low(rest: bytes) -> int:
    """The bytes under 128, without the time before the last end of track."""
    if len(rest) < _FEW_BYTES:
        return len(rest.translate(None, _HIGH)) - 1
    return int(np.count_nonzero(np.frombuffer(rest, np.int8) >= 0)) - 1


def _drop_whole(sysex: re.Match[bytes]) -> bytes:
    return b"" if sysex[1][0] == len(sysex[2]) else sysex[0]


def _count_short(rest: bytes) -> int:
    """The messages of one data byte before a time of up to three bytes and a status byte."""
    data = np.frombuffer(rest + _END, np.uint8)
    starts = np.flatnonzero(data[: -len(_END)] & 0xE0 == 0xC0)
    if not len(starts):
        return 0
    low = data.take(starts + _AFTER) < 0x80
    is_short = np.where(low[1], ~low[2], np.where(low[2], ~low[3], low[3] & ~low[4]))
    is_short &= low[0]
    # Of two that follow each other at once, one is a time.
    is_short[1:] &= ~is_short[:-1] | (starts[1:] - starts[:-1] != 2)
    return int(np.count_nonzero(is_short))


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


def _count_note_ons(rest: bytes) -> int | None:
    """The note-ons among plain events, by their places; None if there is any other byte.

    Each message has three bytes under 128: the end of its time, and two of data. Messages of one
    data byte are found by their status bytes, and left out.
    """
    data = np.frombuffer(rest, np.uint8)
    is_high = data >= 0x80
    if (is_high[:-3] & is_high[1:-2] & is_high[2:-1] & is_high[3:]).any():
        return None  # a time has up to three such bytes
    lows = np.flatnonzero(~is_high)
    short: list[int] = []
    for start in np.searchsorted(lows, np.flatnonzero(data & 0xE0 == 0xC0)).tolist():
        low, is_running = start, (start + len(short)) % 3 == 1  # otherwise a time begins here
        while is_running:
            short.append(low)
            low += 2
            is_running = low < len(lows) and lows[low] == lows[low - 1] + 1
    lows = np.delete(lows, [*short, *(low - 1 for low in short)])
    if len(lows) % 3 != 1:
        return None
    times, first, last = lows[:-1].reshape(-1, 3).T
    heads = first - times
    statuses = data.take(first - 1)
    if heads.min(initial=2) < 2:
        own = np.where(heads == 2, np.arange(len(heads)), 0)
        statuses = statuses[np.maximum.accumulate(own)]
    is_plain = heads.max(initial=2) == 2 and (last - first).max(initial=1) == 1
    if not is_plain or statuses.min(initial=0x80) < 0x80 or statuses.max(initial=0x80) >= 0xF0:
        return None
    return int(np.count_nonzero((statuses >> 4 == 9) & (data.take(last) > 0)))
