"""MIDI bytes to columns of numbers in the file's own ticks.

Conventions: a tick is the file's own unit of time, counted from its start; a quarter note has
`ticks_per_quarter` ticks. A column holds one number a note. If ticks are parts of a second (SMPTE),
the first tempo (else 120 a minute) gives the ticks of a quarter note; later tempos move nothing.

Files come from strangers: `MidiLimits` limits their size, and bytes that are no MIDI file are a
`MidiError`, never a crash. Harmless mistakes are read: an impossible time signature, key signature
or tempo is passed over, and `events.repair` mends what it can, with a remark. A note-off ends the
earliest sounding note of its pitch. All tracks are read, whatever number the header claims.

Source: The Complete MIDI 1.0 Detailed Specification, Standard MIDI Files 1.0 (RP-001).
"""

from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter, itemgetter
from typing import Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
import symusic

from musicvae.music.chords import MOST_CHORDS
from musicvae.music.midi import smf
from musicvae.music.midi.chunks import Chunks, read_chunks
from musicvae.music.midi.events import DRUM_CHANNEL, repair
from musicvae.music.midi.limits import DEFAULT_LIMITS, MidiLimits
from musicvae.music.midi.parsed import RECORD, NoteColumns, ParsedMidi, ParsedTrack
from musicvae.music.midi.plain import is_plain
from musicvae.music.midi.programs import lend_programs, may_lack_programs
from musicvae.music.midi.remarks import Remarks
from musicvae.music.notes import Key, Meter


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
    tempos = _read_tempos(score.tempos)
    ticks_per_quarter = float(header.ticks_per_quarter)
    if header.ticks_per_second is not None:
        ticks_per_quarter = header.ticks_per_second * next(iter(tempos.values()), 500_000) / 1e6
    return ParsedMidi(
        header=header,
        tracks=_tracks(score, limits),
        ticks_per_quarter=ticks_per_quarter,
        ticks_per_second=header.ticks_per_second,
        tempos=tempos,
        meters=_read_meters(score.time_signatures),
        keys=_read_keys(score.key_signatures),
        markers=_markers(score),
        first_track=chunks.tracks[0] if chunks.tracks else b"",
        remarks=remarks.all(),
    )


def _read_score(
    chunks: Chunks, remarks: Remarks, limits: MidiLimits, drum_channel: int | None
) -> symusic.core.ScoreTick:
    """Has symusic read a file; if events are damaged, reads it again after repairs."""
    if chunks.is_plain and drum_channel is None:
        score = _read_plain(chunks, remarks, limits)
        if score is not None:
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


def _read_plain(
    chunks: Chunks, remarks: Remarks, limits: MidiLimits
) -> symusic.core.ScoreTick | None:
    """Has symusic read a file of plain events; None if its events need a repair."""
    if not may_lack_programs(chunks.tracks):
        score = _parse(chunks.for_symusic())
        return score if score is not None and is_plain(chunks.tracks, score) else None
    lent = lend_programs(chunks.tracks)
    if lent is None:
        return None
    tracks, found = lent
    data = chunks.with_tracks(tracks)
    # Each program may start a part, as in `_check_program_changes`.
    score = _parse(data) if len(data) - len(chunks.data) < limits.max_program_changes else None
    if score is None or not is_plain(tracks, score):
        return None
    for each in found:
        remarks.add("program_of_other_track", each)
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
    records = np.zeros(len(notes), RECORD)
    for name in ("time", "duration", "pitch", "velocity"):
        records[name] = columns[name]
    return records.tobytes()


@cache
def _pickles_records() -> bool:
    """Whether this version of symusic pickles notes as records; symusic does not document it."""
    records = np.array([(1, 2, 3, 4), (50_000, 60_000, 70, 80)], RECORD)
    columns = (records[name].copy() for name in ("time", "duration", "pitch", "velocity"))
    pickled = _pickle(symusic.core.NoteTickList.from_numpy(*columns))
    return len(pickled) == records.nbytes and bool(
        (np.frombuffer(pickled, RECORD) == records).all()
    )


def judge_notes(parsed: ParsedMidi, *, limits: MidiLimits = DEFAULT_LIMITS) -> NoteColumns:
    """Checks that all notes are valid and within the limits, and gives them.

    Raises:
        MidiError: If a note is not.
    """
    last_tick = limits.max_length_quarters * parsed.ticks_per_quarter
    notes = NoteColumns.of(parsed.tracks)
    if not (notes.are_within(last_tick) and notes.are_midi()):
        for track in parsed.tracks:
            own = NoteColumns.of([track])
            if not own.are_within(last_tick):
                most = limits.max_length_quarters
                raise smf.too_much(f"a note past quarter note {most}", f"{most} quarter notes")
            if not own.are_midi():
                raise smf.damaged("a pitch or velocity past 127")
    return notes


@runtime_checkable
class _Events(Protocol):
    """A list of symusic."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> object: ...

    def __getstate__(self) -> bytes: ...


_Row = Callable[[object], tuple[int, ...]]

_METER_ROW: _Row = attrgetter("time", "numerator", "denominator")
_KEY_ROW: _Row = attrgetter("time", "key", "tonality")
_TEMPO_ROW: _Row = attrgetter("time", "mspq")

Read = TypeVar("Read")


class _Reader(Generic[Read]):
    """Reads lists of events, and keeps the results of short lists: a corpus repeats few of them.

    Equal lists have equal pickles. Making a pickle takes a fifth of the time of reading a list.
    """

    _MOST_KEPT = 1024
    _MOST_BYTES = 256

    def __init__(self, read: Callable[[_Events], Read]) -> None:
        self._read = read
        self._kept: dict[bytes, Read] = {}

    def __call__(self, events: _Events) -> Read:
        state = events.__getstate__()
        found = self._kept.get(state)
        if found is None:
            found = self._read(events)
            if len(state) <= self._MOST_BYTES:
                if len(self._kept) >= self._MOST_KEPT:
                    self._kept.clear()
                self._kept[state] = found
        return found


def _rows(events: _Events, row_of: _Row) -> list[tuple[int, ...]]:
    """The events from tick 0 on, in order of time; events of one tick keep the file's order."""
    # By index: starting and ending an iteration over a list of symusic takes over a microsecond.
    rows = [row_of(events[index]) for index in range(len(events))]
    if len(rows) > 1:
        rows.sort(key=itemgetter(0))
    return rows if not rows or rows[0][0] >= 0 else [row for row in rows if row[0] >= 0]


@_Reader
def _read_meters(events: _Events) -> tuple[tuple[int, Meter], ...]:
    return tuple(
        [
            (tick, Meter(numerator, denominator))
            for tick, numerator, denominator in _rows(events, _METER_ROW)
            # A file can hold any power of two: past 64 it is no music.
            if numerator >= 1 and denominator in (1, 2, 4, 8, 16, 32, 64)
        ]
    )


@_Reader
def _read_keys(events: _Events) -> tuple[tuple[int, Key], ...]:
    return tuple(
        [
            (tick, _key_of(sharps, is_minor))
            for tick, sharps, is_minor in _rows(events, _KEY_ROW)
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


def _key_of(sharps: int, is_minor: int) -> Key:
    # A sharp is a fifth up; the minor key stands a minor third below its major.
    return Key(tonic=(7 * sharps - 3 * is_minor) % 12, is_minor=bool(is_minor))


@_Reader
def _read_tempos(events: _Events) -> Mapping[int, int]:
    """Microseconds a quarter note by the tick of each change, in order."""
    return {tick: mspq for tick, mspq in _rows(events, _TEMPO_ROW) if mspq > 0}
