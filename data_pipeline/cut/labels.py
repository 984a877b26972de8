"""Labels excerpts with tempo, key, chords and musical measures.

Conventions: notes are columns of equal length, in steps, in order of onset and then pitch. An
excerpt is the window of `length_steps` from one of `first_steps`, which are ascending bar lines.
All windows are labelled at once, from sums over the notes of the part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int, Int16

from musicvae.data_pipeline.grid.grid import GridPiece
from musicvae.data_pipeline.readers.piece import ChordLine
from musicvae.identity import compare_by_identity
from musicvae.music.attributes import ATTRIBUTES, C_MAJOR_SCALE
from musicvae.music.chords import QUALITIES
from musicvae.music.keys import ChosenKeys
from musicvae.music.notes import DEFAULT_QPM

from .excerpts import Labels
from .inference import infer_excerpt_keys

_IS_WHITE = np.array([pitch % 12 in C_MAJOR_SCALE for pitch in range(128)])

_SLOTS_PER_BAR = 2
"""Chords are given at the start and at the middle of each bar."""

_ROUNDING = 1e-6


@compare_by_identity
class Stretch(NamedTuple):
    """The windows of one piece.

    Attributes:
        piece: The piece.
        first_steps: The first step of each window, in the piece's own steps: ascending bar lines.
        base: The step of the line at which the piece starts.
    """

    piece: GridPiece
    first_steps: Int[np.ndarray, " batch"]
    base: int = 0


def label(
    stretches: Sequence[Stretch],
    starts: Int[np.ndarray, " note"],
    pitches: Int[np.ndarray, " note"],
    *,
    is_drum: bool | Bool[np.ndarray, " note"],
    length_steps: int,
) -> Labels:
    """Labels windows of one piece, or of several pieces end to end on one line.

    Args:
        stretches: The pieces with their windows, in order; at least one piece, and all pieces of
            one meter and resolution.
        starts: The onsets of the notes that the windows are cut from, in steps of the line.
        pitches: The MIDI number of each note.
        is_drum: Whether the notes are drums: one value for each note, or one for all.
        length_steps: The length of every window: whole bars.
    """
    sizes = [len(stretch.first_steps) for stretch in stretches]
    first_steps = np.concatenate([stretch.first_steps for stretch in stretches])
    slots = length_steps // stretches[0].piece.steps_per_bar * _SLOTS_PER_BAR
    reads = [stretch.piece.piece for stretch in stretches]
    # Most pieces have one tempo and no chords; only other pieces need more work.
    first_qpms = [read.tempos[0].qpm if read.tempos else DEFAULT_QPM for read in reads]
    qpms = np.repeat(np.array(first_qpms, np.float32), sizes)
    keys = (
        _no_keys(len(qpms))
        if is_drum is True
        else _find_keys(stretches, sizes, first_steps, length_steps)
    )
    chords = np.full((len(qpms), slots), -1, np.int16)
    high = 0
    for stretch, read, size in zip(stretches, reads, sizes, strict=True):
        rows = slice(high, high + size)
        high += size
        if len(read.tempos) > 1:
            qpms[rows] = stretch.piece.qpms(stretch.first_steps)
        if read.chords is not None and len(read.chords.onsets):
            chords[rows] = _find_chords(stretch.piece, read.chords, stretch.first_steps, slots)
    return Labels(
        qpms=qpms,
        tonics=keys.tonics.astype(np.int8),
        are_minor=keys.are_minor.astype(np.int8),
        key_confidences=keys.confidences.astype(np.float32),
        attributes=_measure(
            _Line(
                starts=starts,
                pitches=pitches,
                is_drum=is_drum,
                first_steps=first_steps + np.repeat([each.base for each in stretches], sizes),
            ),
            stretches[0].piece,
            length_steps,
        ),
        chords=chords,
    )


def _find_keys(
    stretches: Sequence[Stretch],
    sizes: Sequence[int],
    first_steps: Int[np.ndarray, " batch"],
    length_steps: int,
) -> ChosenKeys:
    distinct = {id(stretch.piece): stretch.piece for stretch in stretches}
    number_of = {key: number for number, key in enumerate(distinct)}
    return infer_excerpt_keys(
        list(distinct.values()),
        np.repeat([number_of[id(stretch.piece)] for stretch in stretches], sizes),
        first_steps,
        length_steps,
    )


def _no_keys(count: int) -> ChosenKeys:
    unknown = np.full(count, -1)
    return ChosenKeys(tonics=unknown, are_minor=unknown, confidences=np.full(count, np.nan))


def _find_chords(
    piece: GridPiece, chords: ChordLine, first_steps: Int[np.ndarray, " batch"], slots: int
) -> Int16[np.ndarray, "batch slot"]:
    events = np.where(
        chords.roots < 0, 0, 1 + chords.roots.astype(np.int16) * len(QUALITIES) + chords.qualities
    )
    steps = first_steps[:, None] + np.arange(slots) * piece.steps_per_bar // _SLOTS_PER_BAR
    times = piece.quarters(steps.ravel()) + _ROUNDING
    at = np.searchsorted(chords.onsets, times, side="right") - 1
    events = np.append(events, -1).astype(np.int16)  # before the first chord: not known
    labelled: Int16[np.ndarray, "batch slot"] = events[at].reshape(steps.shape)
    return labelled


@dataclass(frozen=True, kw_only=True, eq=False)
class _Onsets:
    """The different onsets of notes, and the onsets of each window.

    Attributes:
        steps: The step of each onset, ascending.
        notes: The index of the first note of each onset, and the number of notes.
        low: The index of the first onset of each window.
        high: The index of the first onset after each window.
    """

    steps: Int[np.ndarray, " note"]
    notes: Int[np.ndarray, " _"]
    low: Int[np.ndarray, " batch"]
    high: Int[np.ndarray, " batch"]


def _find_onsets(
    starts: Int[np.ndarray, " note"], first_steps: Int[np.ndarray, " batch"], length_steps: int
) -> _Onsets:
    is_first = np.ones(len(starts) + 1, bool)
    np.not_equal(starts[1:], starts[:-1], out=is_first[1:-1])
    notes = is_first.nonzero()[0]
    steps = starts[notes[:-1]]
    low = steps.searchsorted(first_steps.astype(steps.dtype))
    high = steps.searchsorted((first_steps + length_steps).astype(steps.dtype))
    return _Onsets(steps=steps, notes=notes, low=low, high=high)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Line:
    """The notes that are measured, and the windows, in steps of the line."""

    starts: Int[np.ndarray, " note"]
    pitches: Int[np.ndarray, " note"]
    is_drum: bool | Bool[np.ndarray, " note"]
    first_steps: Int[np.ndarray, " batch"]


def _measure(
    line: _Line, piece: GridPiece, length_steps: int
) -> Float32[np.ndarray, "batch attribute"]:
    """The measures of `musicvae.music.attributes`, in the order of `ATTRIBUTES`."""
    first_steps = line.first_steps
    if not len(first_steps):
        return np.zeros((0, len(ATTRIBUTES)), np.float32)
    onsets = _find_onsets(line.starts, first_steps, length_steps)
    measured = _measure_rhythm(line, piece, onsets, length_steps)
    if line.is_drum is True:
        measured |= dict.fromkeys(
            ("c_diatonic", "average_interval"), np.full(len(first_steps), np.nan)
        )
    elif line.is_drum is False:
        measured |= _measure_pitch(onsets, line.pitches)
    else:
        is_pitched = ~np.asarray(line.is_drum)
        onsets = _find_onsets(line.starts[is_pitched], first_steps, length_steps)
        measured |= _measure_pitch(onsets, line.pitches[is_pitched])
    values = np.empty((len(first_steps), len(ATTRIBUTES)), np.float32)
    for column, name in enumerate(ATTRIBUTES):
        values[:, column] = measured[name]
    return values


def _measure_rhythm(
    line: _Line, piece: GridPiece, onsets: _Onsets, length_steps: int
) -> dict[str, Float64[np.ndarray, " batch"]]:
    steps, first_steps = onsets.steps, line.first_steps
    sixteenth = piece.steps_per_quarter // 4
    counts = onsets.high - onsets.low
    # Windows overlap only within a run of bars, so any window around an onset tells its step in the
    # bar: here the last window that begins before the onset. Earlier onsets are in no window.
    origins = np.repeat(
        np.append(0, first_steps).astype(steps.dtype),
        np.diff(onsets.low, prepend=0, append=len(steps)),
    )
    places = steps - origins
    # Quicker than %.
    places -= places // piece.steps_per_bar * piece.steps_per_bar
    # Silent steps before the first step.
    sounds = np.zeros(int(steps.max(initial=0)) + 1 + 2 * sixteenth, bool)
    sounds[steps + 2 * sixteenth] = True
    is_late = np.zeros((2, len(steps) + 1), np.int32)
    is_weak = _weak_places(piece.steps_per_bar, sixteenth).take(places, axis=1)
    is_late[0, 1:] = is_weak[0] & ~sounds.take(steps + sixteenth)
    is_late[1, 1:] = is_weak[1] & ~sounds.take(steps)
    sums = is_late.cumsum(axis=1, dtype=np.int32)
    shares = (sums[:, onsets.high] - sums[:, onsets.low]) / np.maximum(counts, 1)
    return {
        "note_density": counts * piece.steps_per_quarter / (length_steps * 4),
        "syncopation_16th": shares[0],
        "syncopation_8th": shares[1],
    }


@lru_cache(maxsize=16)
def _weak_places(steps_per_bar: int, sixteenth: int) -> Bool[np.ndarray, "2 step"]:
    """Marks the steps of a bar between two eighths, and those halfway between two quarters."""
    steps = np.arange(steps_per_bar)
    return np.stack(
        [steps % (2 * sixteenth) == sixteenth, steps % (4 * sixteenth) == 2 * sixteenth]
    )


def _measure_pitch(
    onsets: _Onsets, pitches: Int[np.ndarray, " note"]
) -> dict[str, Float64[np.ndarray, " batch"]]:
    low, high, notes = onsets.low, onsets.high, onsets.notes
    white = np.zeros(len(pitches) + 1, np.int32)
    np.cumsum(_IS_WHITE.take(pitches), dtype=np.int32, out=white[1:])
    first, end = notes[low], notes[high]
    tops = pitches[notes[1:] - 1]
    # leaps[i] is the sum of the intervals up to onset i; the last entry stands for no onset.
    leaps = np.zeros(len(tops) + 1, np.int64)
    np.cumsum(np.abs(tops[1:] - tops[:-1]), out=leaps[1:-1])
    return {
        "c_diatonic": (white[end] - white[first]) / np.maximum(end - first, 1),
        "average_interval": (leaps[np.maximum(high - 1, low)] - leaps[low])
        / np.maximum(high - low - 1, 1),
    }
