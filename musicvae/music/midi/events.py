"""Repairs the events of a damaged file before symusic reads them.

Only a file that is not plain (see `plain`), or that symusic refuses, goes through `repair`, which
reads event by event and writes plain tracks: notes, programs, and the meta events that are read.

Conventions: a repair is a `Remark`. Decisions: running status goes on after a system exclusive or
meta event, though the standard ends it there. A data byte over 127 is clipped, but a note of such a
pitch is left out. A note that is still open where its pitch is struck again on its channel ends
there, if its note-off never comes; a note-on that nothing ends is no note, but the last one of a
track ends with the track. Drums need no note-off: a hit without one lasts a 16th. A track that sets
no program on a channel plays the programs that other tracks set on it. System exclusive messages
are passed over, in one piece or in packets.

Source: The Complete MIDI 1.0 Detailed Specification; Standard MIDI Files 1.0 (RP-001).
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from operator import itemgetter

from musicvae.errors import MidiError
from musicvae.music.midi import smf
from musicvae.music.midi.remarks import Remarks

DRUM_CHANNEL = 9

_MOST_BAD_BYTES = 4
_MOST_BAD_SHARE = 0.1
"""A file is refused if it has more than `_MOST_BAD_BYTES` data bytes over 127, and more than this
share of its number of events."""

_DATA_BYTES = (2, 2, 2, 2, 1, 1, 2)
"""The number of data bytes of a channel message, by its status byte: 0x80, 0x90 up to 0xE0."""

_SYSTEM_DATA_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0} | dict.fromkeys(range(0xF8, 0xFF), 0)
"""The number of data bytes of each system message, which belongs on a cable, not in a file."""

_KEPT_META = (smf.TEXT, smf.NAME, smf.MARKER, smf.TEMPO, smf.METER, smf.KEY)
_META_LENGTHS = {smf.TEMPO: 3, smf.METER: 4, smf.KEY: 2}


def find_end(data: bytes, start: int) -> int | None:
    """The position after the end-of-track event of a track; None if the track has no such event."""
    walk = _Walk(data, 0, Remarks(), most_notes=len(data), drum_channel=DRUM_CHANNEL)
    try:
        walk.run(start)
    except MidiError:
        return None
    return walk.end if walk.has_end and b"MTrk" not in data[start : walk.end] else None


def repair(
    tracks: Sequence[bytes],
    remarks: Remarks,
    *,
    sixteenth: int,
    most_notes: int,
    most_programs: int,
    drum_channel: int = DRUM_CHANNEL,
) -> list[bytes]:
    """Writes tracks again, with plain events.

    Args:
        tracks: The events of each track.
        remarks: Takes a remark for each repair.
        sixteenth: The length of a 16th in ticks, which a drum hit without a note-off lasts.
        most_notes: The limit of notes in all tracks.
        most_programs: The limit of programs in all tracks.
        drum_channel: A channel, from 0, whose events are written on the channel of drums.

    Raises:
        MidiError: If a track can't be read as events, or there are too many notes.
    """
    walks: list[_Walk] = []
    for number, track in enumerate(tracks, 1):
        notes = sum(walk.notes for walk in walks)
        walk = _Walk(
            track, number, remarks, most_notes=most_notes - notes, drum_channel=drum_channel
        )
        walk.run()
        walks.append(walk)
    bad_bytes, events = (
        sum(getattr(walk, name) for walk in walks) for name in ("bad_bytes", "events")
    )
    if bad_bytes > max(_MOST_BAD_BYTES, _MOST_BAD_SHARE * events):
        raise smf.damaged(f"{bad_bytes} data bytes over 127 in {events} events")
    programs: dict[int, list[tuple[int, bytes]]] = {}
    for walk in walks:
        walk.end_notes(sixteenth)
        for channel, found in walk.programs.items():
            programs.setdefault(channel, []).extend(found)
    taken = sum(walk.take_programs(programs) for walk in walks)
    if taken > most_programs:
        raise smf.too_much(f"{taken} program changes", f"{most_programs} program changes")
    return [walk.write() for walk in walks]


class _Key:
    """The notes of one pitch on one channel.

    Attributes:
        open: The number of notes that wait for their note-off.
        events: The indices of the events since no note was open; a note-off's index is inverted.
    """

    def __init__(self) -> None:
        self.open = 0
        self.events: list[int] = []


class _Walk:
    """Reads the events of one track, one by one."""

    def __init__(
        self, track: bytes, number: int, remarks: Remarks, *, most_notes: int, drum_channel: int
    ) -> None:
        self._track = track
        self._place = f"track {number}"
        self._remarks = remarks
        self._most_notes = most_notes
        self._keys: dict[tuple[int, int], _Key] = {}
        self._channels: set[int] = set()
        self._kept: list[tuple[int, bytes]] = []
        self._late: list[tuple[int, bytes]] = []
        self._taken: list[list[tuple[int, bytes]]] = []
        self.programs: dict[int, list[tuple[int, bytes]]] = {}
        self.tick = self.end = self.notes = self.events = self.bad_bytes = 0
        self.has_end = False
        self._last_onset = 0
        self._drum_channel = drum_channel
        self._status = 0
        self._is_interrupted = False  # after an event that ends running status

    def run(self, start: int = 0) -> None:
        """Reads all events from a byte on, up to the end of the track.

        Raises:
            MidiError: If the bytes are no events, or there are too many notes.
        """
        track, size = self._track, len(self._track)
        position = start
        while True:
            position = self._read_time(position)
            if position >= size:
                self._remarks.add("no_end_of_track", self._place)
                return
            self.events += 1
            if track[position] < 0xF0:
                position = self._read_channel_event(position)
                continue
            self._is_interrupted = True
            if track[position] == 0xFF:
                position = self._read_meta(position)
            else:
                position = self._read_system_event(position)
            if self.has_end:
                self.end = position
                if position < size:
                    found = f"{size - position} bytes in {self._place}"
                    self._remarks.add("after_end_of_track", found)
                return

    def _read_time(self, position: int) -> int:
        value = 0
        for byte in self._track[position : position + 4]:
            value = value << 7 | byte & 0x7F
            position += 1
            if byte < 0x80:
                break
        self.tick += value
        return position

    def _read_channel_event(self, position: int) -> int:
        byte = self._track[position]
        if byte >= 0x80:
            self._status = byte
            position += 1
        elif not self._status:
            raise smf.damaged(f"no running status for a data byte, {self._at()}")
        elif self._is_interrupted:
            self._remarks.add("running_status", self._at())
        self._is_interrupted = False
        return self._read_message(self._status, position)

    def _read_system_event(self, position: int) -> int:
        byte = self._track[position]
        if byte in _SYSTEM_DATA_BYTES:
            self._remarks.add("system_event", f"0x{byte:02X}, {self._at()}")
            return position + 1 + _SYSTEM_DATA_BYTES[byte]
        if byte not in (0xF0, 0xF7):
            raise smf.damaged(f"an event of kind 0x{byte:02X}, {self._at()}")
        if byte == 0xF7:
            self._remarks.add("system_exclusive_packet", self._at())
        return self._read_payload(position + 1)[1]

    def _at(self, tick: int | None = None) -> str:
        return f"{self._place}, tick {self.tick if tick is None else tick}"

    def _read_payload(self, position: int) -> tuple[bytes, int]:
        length, start = smf.read_number(self._track, position)
        if start + length > len(self._track):
            raise smf.damaged(f"an event of {length} bytes that ends after its track, {self._at()}")
        return self._track[start : start + length], start + length

    def _read_meta(self, position: int) -> int:
        kind = self._track[position + 1] if position + 1 < len(self._track) else -1
        payload, after = self._read_payload(position + 2)
        if kind == smf.END_OF_TRACK:
            self.has_end = True
        elif kind in _KEPT_META:
            if _META_LENGTHS.get(kind, len(payload)) != len(payload):
                self._remarks.add(
                    "meta_event", f"{len(payload)} bytes of kind 0x{kind:02X}, {self._at()}"
                )
            elif kind == smf.METER and (payload[0] == 0 or payload[1] > 6):
                self._remarks.add("time_signature", f"{payload[0]}/2^{payload[1]}, {self._at()}")
            else:
                self._kept.append((self.tick, smf.meta(kind, payload)))
        return after

    def _read_message(self, status: int, position: int) -> int:
        count = _DATA_BYTES[(status >> 4) - 8]
        data = self._track[position : position + count]
        if len(data) < count:
            raise smf.damaged(f"an event that ends after its track, {self._at()}")
        kind, channel = status & 0xF0, status & 0x0F
        if channel == self._drum_channel:
            channel = DRUM_CHANNEL
        if max(data) > 0x7F:
            self.bad_bytes += 1
            self._remarks.add("data_byte", f"{max(data)} at {self._at()}")
            if kind <= 0x90 and data[0] > 0x7F:
                return position + count
            data = bytes(min(each, 0x7F) for each in data)
        if kind <= 0x90:
            self._read_note(channel, data[0], data[1] if kind == 0x90 else 0)
        elif kind == 0xC0:
            message = self.tick, bytes([kind | channel]) + data
            self._kept.append(message)
            self.programs.setdefault(channel, []).append(message)
        return position + count

    def _read_note(self, channel: int, pitch: int, velocity: int) -> None:
        key = self._keys.setdefault((channel, pitch), _Key())
        if velocity:
            self.notes += 1
            if self.notes > self._most_notes:
                raise smf.too_much(
                    f"more than {self._most_notes} notes", f"{self._most_notes} notes"
                )
            self._channels.add(channel)
            self._last_onset = self.tick
            key.open += 1
            key.events.append(len(self._kept))
            self._kept.append((self.tick, bytes([0x90 | channel, pitch, velocity])))
        elif key.open:
            key.open -= 1
            key.events.append(~len(self._kept))
            self._kept.append((self.tick, bytes([0x80 | channel, pitch, 0])))
            if not key.open:
                key.events.clear()

    def end_notes(self, sixteenth: int) -> None:
        """Ends the notes that lost their note-off, or leaves them out (see the module)."""
        for (channel, pitch), key in self._keys.items():
            off = bytes([0x80 | channel, pitch, 0])
            strike: int | None = None
            for index in key.events:
                tick = self._kept[index if index >= 0 else ~index][0]
                if index < 0:
                    if strike is None:
                        self._kept[~index] = tick, b""
                    strike = None
                    continue
                if strike is not None:
                    self._end_at_strike(strike, index, off, sixteenth)
                strike = index
            if strike is None:
                continue
            tick = self._kept[strike][0]
            if channel == DRUM_CHANNEL:
                self._remarks.add("drum_without_note_off", self._at(tick))
                self._late.append((tick + sixteenth, off))
            else:
                self._remarks.add("note_without_end", f"pitch {pitch}, {self._at(tick)}")
                if tick == self._last_onset:
                    self._late.append((max(self.tick, tick + sixteenth), off))
                else:
                    self._kept[strike] = tick, b""

    def _end_at_strike(self, strike: int, after: int, off: bytes, sixteenth: int) -> None:
        """Ends a note at the next strike of its pitch; a drum hit after a 16th, if sooner."""
        (start, _), (tick, message) = self._kept[strike], self._kept[after]
        if off[0] == 0x80 | DRUM_CHANNEL:
            self._remarks.add("drum_without_note_off", self._at(start))
            if start + sixteenth < tick:
                self._late.append((start + sixteenth, off))
                return
        else:
            self._remarks.add("lost_note_off", f"pitch {off[1]}, {self._at(start)}")
        # No time passes between the two messages.
        self._kept[after] = tick, off + b"\x00" + message

    def take_programs(self, programs: Mapping[int, list[tuple[int, bytes]]]) -> int:
        """Takes other tracks' programs for channels without a program here; counts them."""
        for channel in sorted(self._channels - set(self.programs) - {DRUM_CHANNEL}):
            if channel in programs:
                self._remarks.add("program_of_other_track", f"channel {channel + 1}, {self._place}")
                self._taken.append(programs[channel])
        return sum(map(len, self._taken))

    def write(self) -> bytes:
        """The events of the track as bytes."""
        events = [*chain(*self._taken), *(each for each in self._kept if each[1]), *self._late]
        events.sort(key=itemgetter(0))
        return smf.write_track(events, max(self.tick, *(tick for tick, _ in events[-1:]), 0))
