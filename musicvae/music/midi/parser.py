"""MIDI bytes to columns of numbers in the file's own ticks.

Conventions: a tick is the file's own unit of time, counted from its start; a quarter note has
`ticks_per_quarter` ticks. A column holds one number a note. If ticks are parts of a second (SMPTE),
the first tempo (else 120 a minute) gives the ticks of a quarter note; later tempos move nothing.

Files come from strangers: `MidiLimits` limits their size, and bytes that are no MIDI file are a
`MidiError`, never a crash. Harmless mistakes are read: an impossible time signature, key signature
or tempo is passed over; a note-on without its note-off is no note; a note-off ends the earliest
sounding note of its pitch. All tracks are read, whatever number the header claims.

Source: The Complete MIDI 1.0 Detailed Specification, Standard MIDI Files 1.0 (RP-001).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from operator import attrgetter, itemgetter
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import symusic
from jaxtyping import Float64, Int8, Int32, Int64, Integer

from musicvae.errors import SettingError
from musicvae.music.chords import MOST_CHORDS
from musicvae.music.midi import smf
from musicvae.music.midi.chunks import Chunks, read_chunks
from musicvae.music.midi.events import DRUM_CHANNEL, repair
from musicvae.music.midi.plain import is_plain
from musicvae.music.midi.remarks import Remark, Remarks
from musicvae.music.notes import DEFAULT_QPM, Key, Meter


@dataclass(frozen=True, kw_only=True)
class MidiLimits:
    """The limits past which a file is refused.

    Attributes:
        max_bytes: Size of the file in bytes. The largest of a collection of 400 real files has
            half a megabyte; at 4 MiB symusic needs 50 ms and 40 MB.
        max_notes: Notes of all tracks. An hour of dense piano has 40,000; each takes 200 bytes.
        max_tracks: Tracks, counted after tracks with several channels are divided.
        max_program_changes: Bytes that could change a program (0xC0 to 0xCF). Each can start a new
            part, which takes symusic 5 kB: without a limit, 4 MiB of program changes would take
            2 GB. Real files have up to 1,300.
        max_length_quarters: End of the last note in quarter notes: two hours at 120 a minute. A
            file of a few bytes can claim a thousand times that, and an array of its steps would
            fill the memory.
    """

    max_bytes: int = 4 * 1024 * 1024
    max_notes: int = 100_000
    max_tracks: int = 512
    max_program_changes: int = 8_192
    max_length_quarters: int = 16_384

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value < 1:
                raise SettingError(
                    f"{name}={value}",
                    expected="1 or more",
                    action="Give the largest that is still to be read.",
                    field=name,
                )


DEFAULT_LIMITS = MidiLimits()

_RECORD = np.dtype(
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
        records = np.frombuffer(b"".join([track.records for track in tracks]), _RECORD)
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
        changes = np.array(list(tempos), dtype=np.int64)
        seconds_per_tick = np.array(list(tempos.values())) / (1e6 * self.ticks_per_quarter)
        starts = np.concatenate([[0.0], np.cumsum(np.diff(changes) * seconds_per_tick[:-1])])
        index = np.searchsorted(changes, ticks, side="right") - 1
        times: Float64[np.ndarray, "*note"] = (
            starts[index] + (ticks - changes[index]) * seconds_per_tick[index]
        )
        return times


def parse(data: bytes, *, limits: MidiLimits = DEFAULT_LIMITS) -> ParsedMidi:
    """Parses a MIDI file of format 0, 1 or 2; the tracks of format 2 all start at tick 0.

    Raises:
        MidiError: If the bytes are no MIDI file, are damaged or past the limits.
    """
    parsed = parse_unjudged(data, limits=limits)
    judge_notes(parsed, limits=limits)
    return parsed


def parse_unjudged(
    data: bytes, *, limits: MidiLimits = DEFAULT_LIMITS, drum_channel: int | None = None
) -> ParsedMidi:
    """Parses a MIDI file as `parse`, without the checks of `judge_notes`.

    The notes of many files are checked quicker together.

    Args:
        data: The bytes of the file.
        limits: How much of it is read.
        drum_channel: A channel, from 0, whose notes are drums, beside channel 9.

    Raises:
        MidiError: As `parse`.
    """
    if len(data) > limits.max_bytes:
        raise smf.too_much(f"{len(data)} bytes", f"{limits.max_bytes} bytes")
    remarks = Remarks()
    chunks = read_chunks(data, remarks, max_tracks=limits.max_tracks)
    header = chunks.header
    _check_program_changes(data, limits)
    score = _read_score(chunks, remarks, limits, drum_channel)
    tempos = _tempos(score)
    ticks_per_quarter = float(header.ticks_per_quarter)
    if header.ticks_per_second is not None:
        ticks_per_quarter = header.ticks_per_second * next(iter(tempos.values()), 500_000) / 1e6
    return ParsedMidi(
        header=header,
        tracks=_tracks(score, limits),
        ticks_per_quarter=ticks_per_quarter,
        ticks_per_second=header.ticks_per_second,
        tempos=tempos,
        meters=_meters(score),
        keys=_keys(score),
        markers=_markers(score),
        first_track=chunks.tracks[0] if chunks.tracks else b"",
        remarks=remarks.all(),
    )


def _read_score(
    chunks: Chunks, remarks: Remarks, limits: MidiLimits, drum_channel: int | None
) -> symusic.core.ScoreTick:
    """Has symusic read a file; if events are damaged, reads it again after repairs."""
    if chunks.is_plain and drum_channel is None:
        score = _parse(chunks.for_symusic())
        if score is not None and is_plain(chunks.tracks, score):
            return score
    header = chunks.header
    if header.ticks_per_second is None:
        sixteenth = max(header.ticks_per_quarter // 4, 1)
    else:
        sixteenth = max(int(header.ticks_per_second / 8), 1)
    repaired = repair(
        chunks.tracks,
        remarks,
        sixteenth=sixteenth,
        most_notes=limits.max_notes,
        most_programs=limits.max_program_changes,
        drum_channel=DRUM_CHANNEL if drum_channel is None else drum_channel,
    )
    score = _parse(chunks.with_tracks(repaired))
    if score is None:
        raise smf.damaged("events that can't be read")
    return score


def _check_program_changes(data: bytes, limits: MidiLimits) -> None:
    if len(data) <= limits.max_program_changes:
        return
    changes = int(np.count_nonzero(np.frombuffer(data, dtype=np.uint8) & 0xF0 == 0xC0))
    if changes > limits.max_program_changes:
        raise smf.too_much(
            f"up to {changes} program changes", f"{limits.max_program_changes} program changes"
        )


def _parse(data: bytes) -> symusic.core.ScoreTick | None:
    """Has symusic read a file; None if it can't."""
    try:
        return symusic.core.ScoreTick.from_midi(data)
    except (RuntimeError, ValueError, LookupError, OverflowError, MemoryError):
        return None


def _tracks(score: symusic.core.ScoreTick, limits: MidiLimits) -> tuple[ParsedTrack, ...]:
    """The tracks that have notes."""
    found = score.tracks
    if len(found) > limits.max_tracks:
        raise smf.too_much(f"{len(found)} tracks", f"{limits.max_tracks} tracks")
    note_count = score.note_num()
    if note_count > limits.max_notes:
        raise smf.too_much(f"{note_count} notes", f"{limits.max_notes} notes")
    tracks = []
    for index in range(len(found)):  # as in `_rows`
        track = found[index]
        size = track.note_num()
        if not size:
            continue
        is_drum = track.is_drum
        tracks.append(
            ParsedTrack(
                name=track.name.strip("\0 "),
                program=0 if is_drum else track.program,
                is_drum=is_drum,
                size=size,
                records=_pack(track.notes),
            )
        )
    return tuple(tracks)


def _pack(notes: symusic.core.NoteTickList) -> bytes:
    """The notes as records: on freedoom 22 us a file by symusic's pickle, 70 us by a copy."""
    return _pickle(notes) if _pickles_records() else _copy(notes)


def _pickle(notes: symusic.core.NoteTickList) -> bytes:
    """The content of symusic's pickle of notes after their number."""
    state: bytes = notes.__getstate__()
    return state[4:]


def _copy(notes: symusic.core.NoteTickList) -> bytes:
    columns = notes.numpy()
    records = np.zeros(len(notes), _RECORD)
    for name in ("time", "duration", "pitch", "velocity"):
        records[name] = columns[name]
    return records.tobytes()


@cache
def _pickles_records() -> bool:
    """Whether this version of symusic pickles notes as records; symusic does not document it."""
    records = np.array([(1, 2, 3, 4), (50_000, 60_000, 70, 80)], _RECORD)
    columns = (records[name].copy() for name in ("time", "duration", "pitch", "velocity"))
    pickled = _pickle(symusic.core.NoteTickList.from_numpy(*columns))
    return len(pickled) == records.nbytes and bool(
        (np.frombuffer(pickled, _RECORD) == records).all()
    )


def judge_notes(parsed: ParsedMidi, *, limits: MidiLimits = DEFAULT_LIMITS) -> None:
    """Checks that all notes are valid and within the limits.

    Raises:
        MidiError: If a note is not.
    """
    last_tick = limits.max_length_quarters * parsed.ticks_per_quarter
    notes = NoteColumns.of(parsed.tracks)
    if notes.are_within(last_tick) and notes.are_midi():
        return
    for track in parsed.tracks:
        notes = NoteColumns.of([track])
        if not notes.are_within(last_tick):
            most = limits.max_length_quarters
            raise smf.too_much(f"a note past quarter note {most}", f"{most} quarter notes")
        if not notes.are_midi():
            raise smf.damaged("a pitch or velocity past 127")


@runtime_checkable
class _Events(Protocol):
    """A list of symusic."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> object: ...


_Row = Callable[[object], tuple[int, ...]]

_METER_ROW: _Row = attrgetter("time", "numerator", "denominator")
_KEY_ROW: _Row = attrgetter("time", "key", "tonality")
_TEMPO_ROW: _Row = attrgetter("time", "mspq")


def _rows(events: _Events, row_of: _Row) -> list[tuple[int, ...]]:
    """The events from tick 0 on, in order of time; events of one tick keep the file's order."""
    # By index: starting and ending an iteration over a list of symusic takes over a microsecond.
    rows = [row_of(events[index]) for index in range(len(events))]
    if len(rows) > 1:
        rows.sort(key=itemgetter(0))
    return rows if not rows or rows[0][0] >= 0 else [row for row in rows if row[0] >= 0]


def _meters(score: symusic.core.ScoreTick) -> tuple[tuple[int, Meter], ...]:
    return tuple(
        [
            (tick, _meter_of(numerator, denominator))
            for tick, numerator, denominator in _rows(score.time_signatures, _METER_ROW)
            # A file can hold any power of two: past 64 it is no music.
            if numerator >= 1 and denominator in (1, 2, 4, 8, 16, 32, 64)
        ]
    )


def _keys(score: symusic.core.ScoreTick) -> tuple[tuple[int, Key], ...]:
    return tuple(
        [
            (tick, _key_of(sharps, is_minor))
            for tick, sharps, is_minor in _rows(score.key_signatures, _KEY_ROW)
            if -7 <= sharps <= 7 and is_minor in (0, 1)
        ]
    )


def _markers(score: symusic.core.ScoreTick) -> tuple[tuple[int, str], ...]:
    events = score.markers
    if not len(events):
        return ()
    read = [events[index] for index in range(min(len(events), MOST_CHORDS + 1))]
    markers = [(int(each.time), str(each.text)) for each in read if each.time >= 0]
    return tuple(sorted(markers, key=itemgetter(0)))


@cache
def _meter_of(numerator: int, denominator: int) -> Meter:
    return Meter(numerator, denominator)


@cache
def _key_of(sharps: int, is_minor: int) -> Key:
    # A sharp is a fifth up; the minor key stands a minor third below its major.
    return Key(tonic=(7 * sharps - 3 * is_minor) % 12, is_minor=bool(is_minor))


def _tempos(score: symusic.core.ScoreTick) -> dict[int, int]:
    """Microseconds a quarter note by the tick of each change, in order."""
    return {tick: mspq for tick, mspq in _rows(score.tempos, _TEMPO_ROW) if mspq > 0}
