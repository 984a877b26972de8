"""The content of a parsed MIDI file: columns of numbers in the file's own ticks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int8, Int32, Int64, Integer

from musicvae.music.midi import smf
from musicvae.music.midi.remarks import Remark
from musicvae.music.notes import DEFAULT_QPM, Key, Meter

RECORD = np.dtype(
    {
        "names": ["time", "duration", "pitch", "velocity"],
        "formats": ["=i4", "=i4", "i1", "i1"],
        "offsets": [0, 4, 8, 9],
        "itemsize": 12,
    }
)
"""A note as it lies in symusic's memory, and in its pickles."""


class ParsedTrack(NamedTuple):
    """The notes of one program of a track as they stand in the file.

    Attributes:
        name: The track's name as the file gives it; may be empty.
        program: The program; 0 for drums.
        is_drum: Whether the track is on the drum channel.
        size: The number of notes, at least 1.
        records: The notes as `NoteColumns` reads them.
    """

    name: str
    program: int
    is_drum: bool
    size: int
    records: bytes


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class NoteColumns:
    """The notes of some tracks, one track after the other.

    Attributes:
        sizes: The number of notes of each track.
        starts: Onsets in ticks, 0 or more.
        durations: Lengths in ticks, 0 or more.
        ends: Ends in ticks.
        pitches: 0 to 127.
        velocities: 0 to 127.
    """

    sizes: Int64[np.ndarray, " _"]
    starts: Int32[np.ndarray, " note"]
    durations: Int32[np.ndarray, " note"]
    ends: Int32[np.ndarray, " note"]
    pitches: Int8[np.ndarray, " note"]
    velocities: Int8[np.ndarray, " note"]

    @classmethod
    def of(cls, tracks: Sequence[ParsedTrack]) -> "NoteColumns":
        """Lays the notes of tracks end to end."""
        records = np.frombuffer(b"".join([track.records for track in tracks]), RECORD)
        starts, durations = records["time"], records["duration"]
        return cls(
            sizes=np.array([track.size for track in tracks], np.int64),
            starts=starts,
            durations=durations,
            ends=starts + durations,
            pitches=records["pitch"],
            velocities=records["velocity"],
        )

    def are_within(self, last_ticks: float | Float64[np.ndarray, " note"]) -> bool:
        """Whether no note ends after its last tick, or starts or ends before tick 0."""
        # symusic counts ticks in 32 bits and lets them wrap to below 0, as their sum may here.
        lowest = (self.starts | self.durations | self.ends).min(initial=0)
        return bool(lowest >= 0 and (self.ends <= last_ticks).all())

    def are_midi(self) -> bool:
        """Whether all pitches and velocities are 0 to 127."""
        return bool((self.pitches | self.velocities).min(initial=0) >= 0)


class ParsedMidi(NamedTuple):
    """The content of a MIDI file.

    Attributes:
        header: The fields of the file's header.
        tracks: The tracks with notes, in the file's order; a track with several channels or
            programs is divided by them.
        ticks_per_quarter: At least 1 where the file counts in quarter notes, above 0 otherwise.
        ticks_per_second: None if the file counts in parts of a quarter note.
        tempos: Microseconds a quarter note by the tick of the tempo, in order.
        meters: Time signatures with their ticks, in order; repeated ones too.
        keys: Key signatures with their ticks, in order; repeated ones too.
        markers: The first `MOST_CHORDS` + 1 markers of all tracks with their ticks, in order.
        first_track: The bytes of the first track's events, which `smf.read_head` reads.
        remarks: The repairs, and the events passed over.
    """

    header: smf.Header
    tracks: tuple[ParsedTrack, ...]
    ticks_per_quarter: float
    ticks_per_second: float | None
    tempos: Mapping[int, int]
    meters: tuple[tuple[int, Meter], ...]
    keys: tuple[tuple[int, Key], ...]
    markers: tuple[tuple[int, str], ...]
    first_track: bytes
    remarks: tuple[Remark, ...] = ()

    @property
    def qpm(self) -> float:
        """The first tempo in quarter notes a minute, to two decimals; 120 if there is none."""
        return round(60e6 / next(iter(self.tempos.values())), 2) if self.tempos else DEFAULT_QPM

    def seconds(self, ticks: Integer[np.ndarray, "*note"]) -> Float64[np.ndarray, "*note"]:
        """The time of each tick in seconds; before the first tempo 120 quarter notes a minute."""
        if self.ticks_per_second is not None:
            return ticks / self.ticks_per_second
        tempos = {0: 500_000} | dict(self.tempos)
        if len(tempos) == 1:
            return ticks * (tempos[0] / (1e6 * self.ticks_per_quarter))
        changes = np.array(list(tempos), dtype=np.int64)
        seconds_per_tick = np.array(list(tempos.values())) / (1e6 * self.ticks_per_quarter)
        starts = np.concatenate([[0.0], np.cumsum(np.diff(changes) * seconds_per_tick[:-1])])
        index = np.searchsorted(changes, ticks, side="right") - 1
        times: Float64[np.ndarray, "*note"] = (
            starts[index] + (ticks - changes[index]) * seconds_per_tick[index]
        )
        return times
