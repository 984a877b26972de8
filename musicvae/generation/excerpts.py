"""The caller's music, made to fit a model: cut to its bars, filled with silence, reduced."""

from __future__ import annotations

import math
from dataclasses import replace

from musicvae.errors import RepresentationError, SettingError
from musicvae.generation.requests import HIGHEST_QPM, LOWEST_QPM, Excerpt
from musicvae.music.notes import Note, NoteSequence
from musicvae.representation import Representation


def fit(excerpt: Excerpt, representation: Representation, path: str) -> NoteSequence:
    """Cuts, fills and reduces music to what a representation holds, as far as the caller allows.

    Silence after the last note counts for nothing: music is too long only by its notes. Of drums
    only where they are hit counts; a hit before the last bar line that is early for the next bar
    is left out.

    Args:
        excerpt: The music, and what the caller allows.
        representation: The model's.
        path: Where the excerpt stands in the request, for the errors.

    Raises:
        RepresentationError: If it can't be held; beside the representation's own causes, `empty`.
        SettingError: If it has no such bar.
    """
    reduction = representation.kind.reduction
    notes = excerpt.notes
    if reduction is not None and excerpt.reduce:
        notes = reduction.reduce(notes)
    bar_steps, most = representation.steps_per_bar, representation.length_steps
    end = max(map(_end_step, notes.notes), default=0)
    first = 1 if excerpt.start_bar is None else excerpt.start_bar
    start = (first - 1) * bar_steps
    if first > 1 and start >= end:
        last = max(1, -(-end // bar_steps))
        raise SettingError(
            f"bar {first} of music whose last bar is {last}",
            expected=f"1 to {last}",
            action="Choose a bar that has music in it or after it.",
            field=f"{path}.start_bar",
        )
    cut = notes.window(start, most)
    cut = replace(cut, qpm=min(max(notes.qpm, LOWEST_QPM), HIGHEST_QPM))
    if error := representation.check(cut):
        raise _advised(error, cut, representation, path)
    if excerpt.start_bar is None and end > most:
        raise RepresentationError(
            f"{-(-end // bar_steps)} bars of music",
            cause="wrong_length",
            expected=f"at most the {representation.bars} bars of the model",
            action="Say with start_bar which bar to begin at, or cut the music.",
            field=path,
        )
    if not cut.notes:
        raise RepresentationError(
            f"no note that starts in bars {first} to {first + representation.bars - 1}",
            cause="empty",
            expected="music" if reduction is None or not excerpt.reduce else reduction.keeps,
            action="Choose other bars with start_bar, or another track.",
            field=path,
        )
    return cut


def _end_step(note: Note) -> int:
    return math.floor(note.start_step + note.offset) + 1 if note.is_drum else note.end_step


def _advised(
    error: RepresentationError, cut: NoteSequence, representation: Representation, path: str
) -> RepresentationError:
    """The same error at its place in the request; where reducing would help, it says so."""
    action = error.action
    reduction = representation.kind.reduction
    if reduction is not None:
        reduced = reduction.reduce(cut)
        if reduced.notes and representation.check(reduced) is None:
            action = f"Set reduce to keep {reduction.keeps}."
    return RepresentationError(
        error.found, cause=error.cause, expected=error.expected, action=action, field=path
    )
