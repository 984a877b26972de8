"""Patterns of bytes: times and meta events, as they stand in the track of a MIDI file."""

import re

TIME = rb"[\x80-\xff]{0,3}[\x00-\x7f]"
"""The time before an event."""

_LENGTHS = [0, 3, 4, 2, 1, *range(5, 128)]
_PAYLOADS = [b"\\x%02x.{%d}" % (n, n) for n in _LENGTHS]
_PAYLOADS += [b"\\x81\\x%02x.{%d}" % (n, n + 128) for n in range(128)]

META_EVENT = (
    rb"\xff(?:\x51\x03.{3}|\x58\x04[^\x00][\x00-\x06]..|\x59\x02.."
    rb"|[\x00-\x0f\x20\x21\x2f\x54\x7f](?:%b))" % b"|".join(_PAYLOADS)
)
"""A meta event of a known kind: a long time can look like one of another kind. A tempo, time
signature or key signature has its right length, and a time signature is possible. Needs DOTALL."""

_META = rb"%b(?:%b(?:[\xc0-\xdf][\x00-\x7f]%b)*(?=[\x80-\xff])|\Z)" % (META_EVENT, TIME, TIME)

META = re.compile(_META, re.DOTALL)
"""A meta event with the time after it, and the programs that often follow, before a status byte."""

HEAD = re.compile(rb"%b(?:%b)*+" % (TIME, _META), re.DOTALL)
"""The time at the start of a track, and the meta events before its first other event."""

END_OF_TRACK = b"\xff\x2f\x00"
