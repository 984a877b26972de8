"""Standard MIDI Files byte by byte, right or wrong."""

import struct

END = b"\x00\xff\x2f\x00"
NOTE = b"\x00\x90\x3c\x40\x83\x60\x80\x3c\x40"  # middle C, one quarter note at 480 a quarter


def chunk(events, kind=b"MTrk"):
    return kind + struct.pack(">I", len(events)) + events


def smf(*tracks, format_=1, division=480, header_size=6, count=None):
    header = struct.pack(">4sI", b"MThd", header_size)
    numbers = struct.pack(">HHH", format_, len(tracks) if count is None else count, division)
    return header + numbers + b"".join(chunk(track) for track in tracks)
