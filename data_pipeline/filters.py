"""The third stage: each filter passes a piece, a part or an excerpt, or names a reason why not.

A filter is a function that returns what it found wrong, or None. Its reason is its name in one of
the three tables at the end, which are also the order in which filters run: the first reason counts.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from musicvae.notes import Meter, NoteSequence
from musicvae.representation.melody import MOST_OFFSET_STEPS

from .parts import Part, ReadPiece

FEWEST_NOTES = 3
"""Fewer are no melody, in an excerpt of any length."""

FEWEST_PITCHES = 2
"""A single repeated note is left out."""

MOST_OVERLAP_STEPS = 1
"""Notes played legato overlap a little: that much is cut from the earlier note."""

MOST_POLYPHONY = 0.1
"""A part in which more than this share of the onsets falls on a sounding note is no melody; below
it, only the excerpts that hold such an onset are left out."""

MELODY_NAME = "MELODY"
"""Where a file has a part of this name, that part alone is its melody."""

BASS_BELOW = 48
"""The C below the bass clef's middle line: where half of a part's notes are lower, and it does not
play alone, it is the bass."""

THRESHOLDS: dict[str, float] = {
    "fewest_notes": FEWEST_NOTES,
    "fewest_pitches": FEWEST_PITCHES,
    "most_overlap_steps": MOST_OVERLAP_STEPS,
    "most_polyphony": MOST_POLYPHONY,
    "bass_below": BASS_BELOW,
    "most_offset_steps": MOST_OFFSET_STEPS,
}
"""All of them by name, the representation's own too: the manifest says what was kept by."""

_CUT_TIME = {Meter(2, 2): Meter(4, 4), Meter(4, 4): Meter(2, 2)}
"""Cut time has the same bar and the same steps as common time: each stands for the other."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was left out: the reason's name, and what was found."""

    name: str
    found: str


def judge_piece(piece: ReadPiece, meter: Meter) -> Reason | None:
    """The first reason to leave a piece out, or None."""
    for name, find in _PIECE_FILTERS.items():
        if found := find(piece, meter):
            return Reason(name, found)
    return None


def judge_part(piece: ReadPiece, part: Part) -> Reason | None:
    """The first reason to leave a part out, or None."""
    for name, find in _PART_FILTERS.items():
        if found := find(piece, part):
            return Reason(name, found)
    return None


def judge_excerpt(excerpt: NoteSequence, steps_per_bar: int) -> Reason | None:
    """The first reason to leave an excerpt out, or None."""
    for name, find in _EXCERPT_FILTERS.items():
        if found := find(excerpt, steps_per_bar):
            return Reason(name, found)
    return None


def cut_overlaps(sequence: NoteSequence) -> NoteSequence:
    """Ends each note where the next starts, if it outlasts that by a step at most."""
    notes = list(sequence.notes)
    for index, (earlier, later) in enumerate(pairwise(notes)):
        overlap = earlier.end_step - later.start_step
        if 0 < overlap <= MOST_OVERLAP_STEPS and earlier.start_step < later.start_step:
            notes[index] = replace(earlier, end_step=later.start_step)
    return replace(sequence, notes=tuple(sorted(notes)))


def _find_no_notes(piece: ReadPiece, _: Meter) -> str | None:
    return None if piece.parts else "a piece without notes"


def _find_no_meter(piece: ReadPiece, _: Meter) -> str | None:
    return None if piece.meters else "no time signature"


def _find_meter_changes(piece: ReadPiece, meter: Meter) -> str | None:
    meters = dict.fromkeys(_unify(found, meter) for found in piece.meters)
    return f"the meters {', '.join(map(str, meters))}" if len(meters) > 1 else None


def _find_wrong_meter(piece: ReadPiece, meter: Meter) -> str | None:
    return None if _unify(piece.meters[0], meter) == meter else f"the meter {piece.meters[0]}"


def _unify(found: Meter, wanted: Meter) -> Meter:
    return wanted if _CUT_TIME.get(found) == wanted else found


def _find_drums(_: ReadPiece, part: Part) -> str | None:
    return f"drums in {part.name!r}" if part.is_drums else None


def _find_accompaniment(piece: ReadPiece, part: Part) -> str | None:
    has_melody = any(other.name == MELODY_NAME for other in piece.parts)
    return (
        f"{part.name!r} beside {MELODY_NAME}" if has_melody and part.name != MELODY_NAME else None
    )


def _find_bass(piece: ReadPiece, part: Part) -> str | None:
    median = float(np.median([note.pitch for note in part.notes.notes]))
    is_bass = median < BASS_BELOW and len(piece.parts) > 1
    return f"{part.name!r}, around pitch {median:g}" if is_bass else None


def _find_polyphonic_part(_: ReadPiece, part: Part) -> str | None:
    notes = part.notes.notes
    starts = np.array([note.start_step for note in notes])
    ends = np.maximum.accumulate([note.end_step for note in notes])
    share = float((starts[1:] < ends[:-1]).mean()) if len(notes) > 1 else 0.0
    return f"{share:.0%} of the onsets on a sounding note" if share > MOST_POLYPHONY else None


def _find_silence(excerpt: NoteSequence, _: int) -> str | None:
    return None if excerpt.notes else "no notes"


def _find_gap(excerpt: NoteSequence, steps_per_bar: int) -> str | None:
    ends = [0, *(note.end_step for note in excerpt.notes)]
    starts = [*(note.start_step for note in excerpt.notes), excerpt.length_steps]
    longest = max(start - end for start, end in zip(starts, ends, strict=True))
    return f"{longest} steps of silence" if longest >= steps_per_bar else None


def _find_few_notes(excerpt: NoteSequence, _: int) -> str | None:
    return f"{len(excerpt.notes)} notes" if len(excerpt.notes) < FEWEST_NOTES else None


def _find_few_pitches(excerpt: NoteSequence, _: int) -> str | None:
    pitches = {note.pitch for note in excerpt.notes}
    return f"{len(pitches)} pitch" if len(pitches) < FEWEST_PITCHES else None


_PIECE_FILTERS: dict[str, Callable[[ReadPiece, Meter], str | None]] = {
    "no_notes": _find_no_notes,
    "no_meter": _find_no_meter,
    "meter_changes": _find_meter_changes,
    "wrong_meter": _find_wrong_meter,
}
_PART_FILTERS: dict[str, Callable[[ReadPiece, Part], str | None]] = {
    "drums": _find_drums,
    "accompaniment": _find_accompaniment,
    "bass": _find_bass,
    "polyphonic": _find_polyphonic_part,
}
_EXCERPT_FILTERS: dict[str, Callable[[NoteSequence, int], str | None]] = {
    "silent": _find_silence,
    "long_gap": _find_gap,
    "few_notes": _find_few_notes,
    "few_pitches": _find_few_pitches,
}
