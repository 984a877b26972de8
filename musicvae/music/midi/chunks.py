"""The chunks of a MIDI file: its header and its tracks, also where their lengths are wrong.

Decisions: a file may lie in a RIFF envelope (RMID). A header chunk may be longer than six bytes.
Chunks of unknown kinds are passed over. A track whose length leads to no chunk ends at its
end-of-track event. The number of tracks that the header claims counts only where the file breaks
off: after that many tracks, the rest of the file is no part of the music.

Source: Standard MIDI Files 1.0 (RP-001); RIFF-based MIDI File Format (RP-029).
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from musicvae.errors import MidiError
from musicvae.music.midi import smf
from musicvae.music.midi.events import find_end
from musicvae.music.midi.patterns import END_OF_TRACK
from musicvae.music.midi.remarks import Remarks

_GUARD = b"GARD" + struct.pack(">I", 16) + bytes(16)
"""A chunk of an unknown kind, put behind the last chunk. symusic reads a tempo or a signature at
full length even if the file ends in the middle of it: symusic then reads bytes of this chunk."""


class Chunks(NamedTuple):
    """The chunks of a file.

    Attributes:
        data: The file without its envelope, with a header chunk of six bytes.
        header: The fields of the header chunk.
        tracks: The events of each track, as bytes.
        is_plain: Whether the file holds whole tracks and nothing else.
    """

    data: bytes
    header: smf.Header
    tracks: list[bytes]
    is_plain: bool

    def for_symusic(self) -> bytes:
        """The file in a form that is safe for symusic, which trusts headers and reads past ends.

        symusic knows no format 2 and no frames: such tracks become tracks of format 1 with equal
        ticks.
        """
        header = self.header
        is_score = header.format <= 1 and header.ticks_per_second is None
        if is_score and header.claimed_tracks == len(self.tracks):
            return self.data + _GUARD
        return self.with_tracks(self.tracks)

    def with_tracks(self, tracks: Sequence[bytes]) -> bytes:
        """A file with the header's time division and other tracks, for symusic."""
        division = self.header.ticks_per_quarter or 480
        return smf.write_file(tracks, ticks_per_quarter=division) + _GUARD


def read_chunks(data: bytes, remarks: Remarks, *, max_tracks: int) -> Chunks:
    """Reads the chunks of a file.

    Args:
        data: The bytes of the file.
        remarks: Takes a remark for each repair.
        max_tracks: The limit of tracks.

    Raises:
        MidiError: If the header can't be read, if there are too many tracks, or if a track ends
            nowhere.
    """
    if data.startswith(b"RIFF"):
        data = _open_envelope(data, remarks)
    header = smf.read_header(data)
    size = int.from_bytes(data[4:8], "big")
    if size != 6:
        if not 6 < size <= len(data) - 8:
            raise smf.damaged(f"a header chunk of {size} bytes")
        remarks.add("header_length", f"{size} bytes")
        data = data[:4] + struct.pack(">I", 6) + data[8:14] + data[8 + size :]
    tracks: list[bytes] = []
    position, is_plain = smf.HEADER_BYTES, True
    while position + 8 <= len(data):
        kind, size = struct.unpack_from(">4sI", data, position)
        start = position + 8
        position = start + size
        track = data[start:position]
        if kind != b"MTrk" or position > len(data) or not track.endswith(END_OF_TRACK):
            is_plain = False
            end = _mend(data, kind, start, size, tracks, header, remarks)
            if end is None:
                break
            position = end
            track = data[start:end]
        if kind == b"MTrk":
            tracks.append(track)
        if len(tracks) > max_tracks:
            raise smf.too_much(f"more than {max_tracks} tracks", f"{max_tracks} tracks")
    if not tracks and position < len(data):
        raise smf.damaged("it ends before its first track")
    return Chunks(data, header, tracks, is_plain and position == len(data))


def split_patterns(data: bytes, *, max_tracks: int) -> list[bytes]:
    """A file for each pattern of a file of format 2, which has one pattern in each track.

    Raises:
        MidiError: As `read_chunks`.
    """
    chunks = read_chunks(data, Remarks(), max_tracks=max_tracks)
    header = struct.pack(">4sIHH", b"MThd", 6, 0, 1) + chunks.data[12 : smf.HEADER_BYTES]
    return [header + smf.chunk(track) for track in chunks.tracks]


def _mend(
    data: bytes,
    kind: bytes,
    start: int,
    size: int,
    tracks: list[bytes],
    header: smf.Header,
    remarks: Remarks,
) -> int | None:
    """Where a chunk that is not a whole track ends; None where the music ends before it."""
    end = start + size
    if kind == b"MTrk":
        if _begins_chunk(data, end):
            return end
        found = find_end(data, start)
        if found is not None and _begins_chunk(data, found):
            remarks.add(
                "track_length", f"track {len(tracks) + 1} claims {size} bytes, has {found - start}"
            )
            return found
        if end <= len(data):
            return end
        if not tracks or len(tracks) < header.claimed_tracks:
            number, found_size = len(tracks) + 1, len(data) - start
            raise smf.damaged(
                f"track {number} claims {size} bytes and has {found_size} without an end"
            )
    elif end <= len(data) and _is_kind(kind):
        remarks.add("unknown_chunk", f"{kind!r}, {size} bytes")
        return end
    elif not tracks or len(tracks) < header.claimed_tracks:
        raise smf.damaged(f"{kind!r} where track {len(tracks) + 1} starts")
    remarks.add("after_last_track", f"{len(data) - start + 8} bytes")
    return None


def _begins_chunk(data: bytes, position: int) -> bool:
    return position == len(data) or (
        position + 8 <= len(data) and _is_kind(data[position : position + 4])
    )


def _is_kind(kind: bytes) -> bool:
    return kind.isascii() and kind.isalnum()


def _open_envelope(data: bytes, remarks: Remarks) -> bytes:
    """The MIDI file in a RIFF envelope.

    Raises:
        MidiError: If there is none.
    """
    position = 12
    while data[8:12] == b"RMID" and position + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, position)
        if kind == b"data":
            remarks.add("riff_envelope", "RMID")
            return data[position + 8 : position + 8 + size]
        position += 8 + size + size % 2
    raise MidiError(
        "a RIFF file without MIDI data in it",
        expected="a Standard MIDI File, or one in a RIFF envelope (RMID)",
        action="Give a .mid or .rmi file.",
    )
