"""Checks that several representations share: of the grid, and of drums."""

from musicvae.music.instruments import CLASS_OF_PITCH
from musicvae.music.notes import NoteSequence
from musicvae.representation.representation import Check, Representation

MOST_OFFSET_QUARTERS = 1 / 16
"""The largest distance of an onset from its step, in quarter notes.

At 4 steps a quarter note this is a quarter of a step: triplets are a third of a step off or more,
and human timing at a steady tempo is seldom off by a quarter. At 12 steps it is more than half a
step, so that every onset passes.
"""


def _find_resolution(grid: Representation, excerpt: NoteSequence) -> str | None:
    if excerpt.steps_per_quarter == grid.steps_per_quarter:
        return None
    return f"a grid of {excerpt.steps_per_quarter} steps a quarter note"


def _find_meter(grid: Representation, excerpt: NoteSequence) -> str | None:
    return None if excerpt.meter == grid.meter else f"the meter {excerpt.meter}"


def _find_length(grid: Representation, excerpt: NoteSequence) -> str | None:
    if excerpt.length_steps == grid.length_steps:
        return None
    return f"{excerpt.length_steps} steps where {grid.bars} bars have {grid.length_steps}"


def _find_offset(grid: Representation, excerpt: NoteSequence) -> str | None:
    most = MOST_OFFSET_QUARTERS * grid.steps_per_quarter
    for note in excerpt.notes:
        if abs(note.offset) > most:
            return f"an onset {note.offset:+.2f} steps off the grid at step {note.start_step}"
    return None


def _find_pitched(_: Representation, excerpt: NoteSequence) -> str | None:
    for note in excerpt.notes:
        if not note.is_drum:
            return f"pitch {note.pitch} at step {note.start_step}, which is no drum"
    return None


def _find_unknown_drum(_: Representation, excerpt: NoteSequence) -> str | None:
    for note in excerpt.notes:
        if note.is_drum and CLASS_OF_PITCH[note.pitch] < 0:
            return f"the drum {note.pitch} at step {note.start_step}"
    return None


SAME_GRID = (
    Check(
        cause="wrong_resolution",
        find=_find_resolution,
        expected="{grid.steps_per_quarter} steps",
        action="Read the music on that grid.",
    ),
    Check(
        cause="wrong_meter",
        find=_find_meter,
        expected="{grid.meter}",
        action="Give music in that meter.",
    ),
    Check(
        cause="wrong_length",
        find=_find_length,
        expected="an excerpt of that length",
        action="Cut the music to whole bars.",
    ),
)
"""The excerpt has the resolution, the meter and the length of the representation."""

ON_STEPS = Check(
    cause="off_grid",
    find=_find_offset,
    expected=f"onsets within {MOST_OFFSET_QUARTERS:g} quarter notes of a step"
    " (no triplets on a grid of 16th notes)",
    action="Quantise the music, or leave the triplets out.",
)
"""The onsets are near their steps."""

ONLY_DRUMS = Check(
    cause="no_drums",
    find=_find_pitched,
    expected="drums alone",
    action="Leave the pitched tracks out, or use another model.",
)
"""All notes are drums."""

KNOWN_DRUMS = Check(
    cause="out_of_range",
    find=_find_unknown_drum,
    expected="General MIDI drums (27 to 87, and 22 and 26)",
    action="Map it to one of them, or leave it out.",
)
"""All drums have a class."""
