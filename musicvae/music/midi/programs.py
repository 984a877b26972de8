"""Lends programs to the tracks that set none, where another track sets them for their channel.

Decisions: see `events`, which does the same for every file. Here only programs at tick 0 are lent,
which is where nearly all stand: a track then takes them without a walk over its events.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from musicvae.music.midi.patterns import META, META_EVENT, TIME

DRUM_CHANNEL = 9

_DATA = rb"[\x00-\x7f]{2}"
_PROGRAM = re.compile(rb"[\xc0-\xcf][\x00-\x7f](?![\x80-\xbf\xe0-\xef][\x00-\x7f]{2}|\Z)")
_NO_PROGRAM = bytes(each for each in range(256) if each >> 4 != 0xC)
_HEAD_PROGRAM = re.compile(
    rb"(?:%b(?:%b|[\xb0-\xbf\xe0-\xef]%b(?:\x00%b)*+))*?%b[\xc0-\xcf]"
    % (TIME, META_EVENT, _DATA, _DATA, TIME),
    re.DOTALL,
)
"""A program before the first note of a track."""

_NOTE_ON = re.compile(rb"[\x90-\x98\x9a-\x9f]" + _DATA)  # drums have no program
_NO_NOTE_ON = bytes(each for each in range(256) if each >> 4 != 9 or each == 0x99)

_TIME = re.compile(TIME)
_META_EVENT = re.compile(META_EVENT, re.DOTALL)
_SHORT = re.compile(rb"[\xc0-\xdf][\x00-\x7f]")
_AT_ONCE = re.compile(
    rb"\x00(?:\xff.*|[\xc0-\xdf].|[\x80-\xbf\xe0-\xef]?%b(?:\x00[\x80-\xbf\xe0-\xef]?%b)*+)"
    % (_DATA, _DATA),
    re.DOTALL,
)
"""A meta event, or messages, before which no time passes."""


def may_lack_programs(tracks: Sequence[bytes]) -> bool:
    """Whether a track has notes and no program, and another track has a program."""
    if len(tracks) == 1:
        return False
    lack = [track for track in tracks if not _has_program(track)]
    return 0 < len(lack) < len(tracks) and any(
        track.translate(None, _NO_NOTE_ON) and _NOTE_ON.search(META.sub(b"", track))
        for track in lack
    )


def _has_program(track: bytes) -> bool:
    return bool(
        _HEAD_PROGRAM.match(track)
        or (track.translate(None, _NO_PROGRAM) and _PROGRAM.search(track))
    )


def lend_programs(tracks: Sequence[bytes]) -> tuple[list[bytes], list[str]] | None:
    """Gives the tracks the programs of other tracks, at their start.

    Returns:
        The tracks, and where programs were lent, in words; None if only `events.repair` can tell.
    """
    scans = [_scan(track) for track in tracks]
    programs: dict[int, list[bytes]] = {}
    for scan in scans:
        if scan is None:
            return None
        for channel, message in scan.programs:
            programs.setdefault(channel, []).append(b"\x00" + message)
    lent: list[bytes] = []
    found: list[str] = []
    for number, (scan, track) in enumerate(zip(scans, tracks, strict=True), 1):
        assert scan is not None
        own = {channel for channel, _ in scan.programs}
        borrowed = sorted((scan.sounding - own - {DRUM_CHANNEL}) & set(programs))
        found += [f"channel {channel + 1}, track {number}" for channel in borrowed]
        lent.append(b"".join([b"".join(programs[channel]) for channel in borrowed]) + track)
    return lent, found


@cache
def _patterns_of(channel: int) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Patterns of the messages of two data bytes on a channel, also without a status byte.

    The first takes all messages; the second those before the first note-on, and then that note-on
    as its group, if there is one.
    """
    note_on = b"\\x%02x" % (0x90 | channel)
    others = b"".join(b"\\x%02x" % (kind | channel) for kind in (0x80, 0xA0, 0xB0, 0xE0))
    off = rb"[\x00-\x7f]\x00"
    run = rb"%b[%b]%b(?:%b%b)*+"
    every = run % (TIME, note_on + others, _DATA, TIME, _DATA)
    silent = run % (TIME, others, _DATA, TIME, _DATA)
    offs = run % (TIME, note_on, off, TIME, off)
    first = rb"(%b%b?[\x00-\x7f][\x01-\x7f])?" % (TIME, note_on)
    return re.compile(rb"(?:%b)*+" % every), re.compile(rb"(?:%b|%b)*+%b" % (silent, offs, first))


@dataclass
class _Scan:
    """The channels of a track.

    Attributes:
        programs: The channel and the message of each program.
        sounding: The channels with notes.
    """

    programs: list[tuple[int, bytes]] = field(default_factory=list)
    sounding: set[int] = field(default_factory=set)


def _scan(track: bytes) -> _Scan | None:
    """Finds the programs and the notes of a track; None if it is odd, or sets a program later."""
    scan = _Scan()
    position, is_start = 0, True
    while (time := _TIME.match(track, position)) and time.end() < len(track):
        status = track[time.end()]
        channel = status & 0x0F
        if 0x80 <= status < 0xC0 or 0xE0 <= status < 0xF0:
            every, until_note = _patterns_of(channel)
            event, until = every.match(track, position), until_note.match(track, position)
            if until is not None and until[1]:
                scan.sounding.add(channel)
        elif status == 0xFF:
            event = _META_EVENT.match(track, time.end())
        else:
            event = _SHORT.match(track, time.end())
        if event is None or event.end() == position:
            return None
        if is_start:
            is_start = _AT_ONCE.fullmatch(track, position, event.end()) is not None
        if status & 0xF0 == 0xC0:
            if not is_start:
                return None
            scan.programs.append((channel, event[0]))
        position = event.end()
    return scan
