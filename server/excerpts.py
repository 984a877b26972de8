"""The caller's music, made to fit a model: cut to its bars, filled with silence, reduced."""

from __future__ import annotations

from dataclasses import replace

from musicvae.errors import MusicVAEError, RepresentationError, SettingError
from musicvae.notes import NoteSequence
from musicvae.representation import Representation, on_grid, top_line
from musicvae.requests import HIGHEST_QPM, LOWEST_QPM, Excerpt


def fit(excerpt: Excerpt, representation: Representation, path: str) -> NoteSequence:
    """Cuts, fills and reduces music to what a representation holds, as far as the caller allows.

    Silence after the last note counts for nothing: music is too long only by its notes.

    Args:
        excerpt: The music, and what the caller allows.
        representation: The model's.
        path: Where the excerpt stands in the request, for the errors.

    Raises:
        RepresentationError: If it can't be held; beside the representation's own causes, `empty`.
        SettingError: If it has no such bar.
    """
    notes = on_grid(top_line(excerpt.notes)) if excerpt.reduce else excerpt.notes
    bar_steps, most = representation.steps_per_bar, representation.length_steps
    end = max((note.end_step for note in notes.notes), default=0)
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
    error: MusicVAEError | None
    if error := representation.check(cut):
        error.field = path
        raise error
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
            expected="music",
            action="Choose other bars with start_bar, or another track.",
            field=path,
        )
    return cut
