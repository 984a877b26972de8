"""Reads MIDI files: the notes by their ticks, the bars by the time signatures.

Decisions: a bar starts at every change of meter, and a signature that says again what holds already
changes nothing. A piece may begin with a pickup that only its accents show. A file without a time
signature is in 4/4 only where its onsets agree, and a file whose onsets keep no grid at all has no
meter, whatever it says. The patterns of a file of format 2 follow each other, each from a bar line
on and as parts of its own, since nothing says that they belong together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, islice, pairwise

import numpy as np
from jaxtyping import Float64

from musicvae import midi_parser, smf
from musicvae.data_pipeline.piece import KeyChange, MeterChange, Part, ReadPiece, TempoChange
from musicvae.midi_parser import DEFAULT_LIMITS, ParsedMidi, ParsedTrack
from musicvae.notes import DEFAULT_QPM, Meter

from .bar_lines import Bars, MeterMark, accented_quarters, draw_bars
from .meter_evidence import doubt_common_time, doubt_grid, is_grid_doubtful

_MOST_CHANGES = 100_000
"""Of meter, key or tempo in one file: a tempo curve of an hour at 25 points a second."""

_SHORTEST = 1 / 4096
"""Of a quarter note: a note that ends where it starts is still a note."""

NO_BARS = Bars(bar_lines=np.zeros(0), meters=())
"""Those of a piece whose meter is not known."""


def read_midi(data: bytes) -> ReadPiece:
    """Reads a MIDI file of any format.

    Raises:
        MidiError: If it is none, is damaged or past the limits.
    """
    return make_pieces([parse_midi(data)])[0]


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """A MIDI file that was parsed, and has nothing left that could be wrong with it.

    Attributes:
        patterns: The patterns of a file of format 2; of any other file the one that it is.
        style: What its corpus calls its style; may be empty.
    """

    patterns: tuple[ParsedMidi, ...]
    style: str = ""


def parse_midi(data: bytes) -> ParsedFile:
    """Parses a MIDI file of any format: the first half of `read_midi`.

    Raises:
        MidiError: If it is none, is damaged or past the limits.
    """
    if smf.read_header(data).format != 2:
        return ParsedFile((_parse(data),))
    patterns = smf.split_patterns(data, max_tracks=DEFAULT_LIMITS.max_tracks)
    return ParsedFile(tuple(map(_parse, patterns)))


def _parse(data: bytes) -> ParsedMidi:
    parsed = midi_parser.parse(data)
    for found in (parsed.tempos, parsed.meters, parsed.keys):
        if len(found) > _MOST_CHANGES:
            raise smf.too_much(f"{len(found)} changes of tempo, meter or key", str(_MOST_CHANGES))
    return parsed


def make_pieces(files: Sequence[ParsedFile]) -> list[ReadPiece]:
    """Makes pieces of files: the second half of `read_midi`, the notes of all of them in one go."""
    pieces = iter(_make_pieces([pattern for file in files for pattern in file.patterns]))
    made = []
    for file in files:
        patterns = list(islice(pieces, len(file.patterns)))
        if len(patterns) > 1:
            patterns = [pattern for pattern in patterns if pattern.parts] or patterns[:1]
        piece = patterns[0] if len(patterns) == 1 else _follow(patterns)
        made.append(replace(piece, style=file.style) if file.style else piece)
    return made


def make_part(
    track: ParsedTrack, onsets: Float64[np.ndarray, " note"], ends: Float64[np.ndarray, " note"]
) -> Part:
    """A part of a track's notes, put in order, from their times in quarter notes."""
    return _make_parts([track], onsets, ends)[0]


def _make_parts(
    tracks: Sequence[ParsedTrack],
    onsets: Float64[np.ndarray, " note"],
    ends: Float64[np.ndarray, " note"],
) -> list[Part]:
    """A part of each track; the times are those of one track after the other."""
    bounds = [0, *accumulate(len(track.starts) for track in tracks)]
    pitches = np.concatenate([track.pitches for track in tracks]).astype(np.int16)
    velocities = np.concatenate([track.velocities for track in tracks]).astype(np.int16)
    # MIDI's own order is by onset alone; most files have a note at a time and are in order.
    is_out = onsets[1:] <= onsets[:-1]
    is_out[np.array(bounds[1:-1], np.int64) - 1] = False
    if is_out.any():
        numbers = np.repeat(np.arange(len(tracks)), np.diff(bounds))
        has_disorder = np.zeros(len(tracks), bool)
        has_disorder[numbers[1:][is_out]] = True
        at = np.flatnonzero(has_disorder[numbers])
        order = np.arange(len(onsets))
        order[at] = at[np.lexsort((velocities[at], ends[at], pitches[at], onsets[at], numbers[at]))]
        onsets, ends = onsets[order], ends[order]
        pitches, velocities = pitches[order], velocities[order]
    ends = np.maximum(ends, onsets + _SHORTEST)
    velocities = np.maximum(velocities, 1)
    return [
        Part(
            name=track.name,
            program=track.program,
            is_drum=track.is_drum,
            onsets=onsets[low:high],
            ends=ends[low:high],
            pitches=pitches[low:high],
            velocities=velocities[low:high],
        )
        for track, (low, high) in zip(tracks, pairwise(bounds), strict=True)
    ]


def _make_pieces(files: Sequence[ParsedMidi]) -> list[ReadPiece]:
    tracks = [track for parsed in files for track in parsed.tracks]
    parts: Iterator[Part] = iter(())
    if tracks:
        units = np.repeat(
            [parsed.ticks_per_quarter for parsed in files for _ in parsed.tracks],
            [len(track.starts) for track in tracks],
        )
        onsets = np.concatenate([track.starts for track in tracks]) / units
        ends = np.concatenate([track.ends for track in tracks]) / units
        parts = iter(_make_parts(tracks, onsets, ends))
    seen = [_Seen.of(parsed, tuple(islice(parts, len(parsed.tracks)))) for parsed in files]
    bars = _find_bars(seen)
    return [
        ReadPiece(
            parts=each.parts,
            bar_lines=own.bars.bar_lines,
            meters=own.bars.meters,
            tempos=_tempos(parsed),
            keys=_keys(parsed),
            missing_meter=own.missing_meter,
        )
        for parsed, each, own in zip(files, seen, bars, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is seen of a piece before its bars: its parts, and the meters that its file writes."""

    parts: tuple[Part, ...]
    marks: list[MeterMark]

    @staticmethod
    def of(parsed: ParsedMidi, parts: tuple[Part, ...]) -> "_Seen":
        unit = parsed.ticks_per_quarter
        return _Seen(parts, [MeterMark(tick / unit, meter) for tick, meter in parsed.meters])


@dataclass(frozen=True, slots=True)
class _FoundBars:
    """The bars of a piece, or none and why its meter is not known."""

    bars: Bars
    missing_meter: str = ""


def _find_bars(pieces: Sequence[_Seen]) -> list[_FoundBars]:
    found = [_FoundBars(NO_BARS)] * len(pieces)
    numbers = [number for number, piece in enumerate(pieces) if piece.parts]
    if not numbers:
        return found
    parts = [part for number in numbers for part in pieces[number].parts]
    sizes = np.array([sum(len(p.onsets) for p in pieces[number].parts) for number in numbers])
    onsets = np.concatenate([part.onsets for part in parts])
    firsts = np.cumsum(sizes) - sizes
    ends = np.maximum.reduceat(np.concatenate([part.ends for part in parts]), firsts)
    may_keep_no_grid = is_grid_doubtful(onsets, sizes)
    is_pitched = np.repeat([not part.is_drum for part in parts], [len(p.onsets) for p in parts])
    meters = [_only_meter(pieces[number].marks) for number in numbers]
    pickups = accented_quarters(
        onsets[is_pitched],
        np.concatenate([part.velocities for part in parts])[is_pitched],
        np.add.reduceat(is_pitched, firsts, dtype=np.int64),
        meters,
    )
    for row, (number, end, pickup) in enumerate(
        zip(numbers, ends.tolist(), pickups.tolist(), strict=True)
    ):
        marks = pieces[number].marks
        own = onsets[firsts[row] : firsts[row] + sizes[row]]
        doubt = ""
        if not marks:
            doubt = doubt_common_time(own)
        elif may_keep_no_grid[row]:
            doubt = doubt_grid(own)
        found[number] = (
            _FoundBars(NO_BARS, doubt)
            if doubt
            else _FoundBars(draw_bars(marks, end, pickup=pickup))
        )
    return found


def _only_meter(marks: list[MeterMark]) -> Meter | None:
    """The meter of a piece that has one for all of it, or None."""
    meters = {mark.meter for mark in marks}
    return next(iter(meters), Meter()) if len(meters) <= 1 else None


def _tempos(parsed: ParsedMidi) -> tuple[TempoChange, ...]:
    if parsed.ticks_per_second is not None:
        return (TempoChange(0.0, parsed.qpm),)
    changes: list[TempoChange] = []
    for tick, mspq in parsed.tempos.items():
        qpm = round(60e6 / mspq, 2)
        if not changes and tick > 0:
            changes.append(TempoChange(0.0, DEFAULT_QPM))
        if not changes or changes[-1].qpm != qpm:
            changes.append(TempoChange(tick / parsed.ticks_per_quarter, qpm))
    return tuple(changes)


def _keys(parsed: ParsedMidi) -> tuple[KeyChange, ...]:
    changes: list[KeyChange] = []
    for tick, key in parsed.keys:
        quarter = tick / parsed.ticks_per_quarter
        if changes and changes[-1].quarter == quarter:
            changes.pop()
        if not changes or changes[-1].key != key:
            changes.append(KeyChange(quarter, key))
    return tuple(changes)


def _follow(patterns: list[ReadPiece]) -> ReadPiece:
    """One piece of several that follow each other."""
    doubts = [pattern.missing_meter for pattern in patterns if pattern.missing_meter]
    if len(patterns) == 1 or doubts:
        # Without its bars, nothing says where the pattern behind one would start.
        return replace(patterns[0], missing_meter=(*doubts, "")[0])
    now, bar = 0.0, 0
    parts: list[Part] = []
    lines: list[Float64[np.ndarray, " bar"]] = []
    meters: list[MeterChange] = []
    tempos: list[TempoChange] = []
    keys: list[KeyChange] = []
    for pattern in patterns:
        parts += [
            replace(part, onsets=part.onsets + now, ends=part.ends + now) for part in pattern.parts
        ]
        meters += [replace(change, bar=change.bar + bar) for change in pattern.meters]
        tempos += [
            replace(change, quarter=change.quarter + now)
            for change in pattern.tempos or (TempoChange(0.0, DEFAULT_QPM),)
        ]
        keys += [replace(change, quarter=change.quarter + now) for change in pattern.keys]
        lines.append(pattern.bar_lines[:-1] + now)
        now += float(pattern.bar_lines[-1])
        bar += len(pattern.bar_lines) - 1
    return ReadPiece(
        parts=tuple(parts),
        bar_lines=np.concatenate([*lines, [now]]),
        meters=tuple(meters),
        tempos=tuple(tempos),
        keys=tuple(keys),
    )
