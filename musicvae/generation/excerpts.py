"""Fits music to a model: cuts it at its bar lines, fills it with silence, and reduces it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from musicvae.errors import RepresentationError, SettingError
from musicvae.generation.inputs import Excerpt
from musicvae.generation.requests import HIGHEST_QPM, LOWEST_QPM
from musicvae.music.notes import Bar, Note, NoteSequence
from musicvae.representation import Representation


def fit(excerpt: Excerpt, representation: Representation, path: str) -> NoteSequence:
    """Cuts, fills and reduces music to what a representation holds, as far as the caller allows.

    Bars are the music's own, as `musicvae inspect` shows them. Silence after the last note does not
    count: only notes make music too long. A drum counts only at its hit; a hit before the last bar
    line that is early for the next bar is left out.

    Args:
        excerpt: The music, and what the caller allows.
        representation: The model's representation.
        path: The excerpt's path in the request, for errors.

    Raises:
        RepresentationError: If the representation can't hold the music; `cause` is `empty` or a
            cause of the representation.
        SettingError: If the music has no such bar.
    """
    reduction = representation.kind.reduction
    notes = excerpt.notes
    if reduction is not None and excerpt.reduce:
        notes = reduction.reduce(notes)
    end = max(map(_end_step, notes.notes), default=0)
    bars = [bar for bar in notes.bars if bar.start_step < end]
    first = 1 if excerpt.start_bar is None else excerpt.start_bar
    if first > max(len(bars), 1):
        raise SettingError(
            f"bar {first} of music whose last bar is {max(len(bars), 1)}",
            expected=f"1 to {max(len(bars), 1)}",
            action="Choose a bar that has music in it or after it.",
            field=f"{path}.start_bar",
        )
    _check_bars(bars, first, representation, path)
    start = bars[first - 1].start_step if bars else 0
    cut = replace(
        notes.window(start, representation.length_steps),
        qpm=min(max(notes.qpm, LOWEST_QPM), HIGHEST_QPM),
        bar_changes=(),
    )
    if error := representation.check(cut):
        raise _advised(error, cut, representation, path)
    if excerpt.start_bar is None and len(bars) > representation.bars:
        raise RepresentationError(
            f"{len(bars)} bars of music",
            cause="wrong_length",
            expected=f"at most the {representation.bars} bars of the model",
            action="Choose the first bar to use with `start_bar`, or cut the music.",
            field=path,
        )
    if not cut.notes:
        raise RepresentationError(
            f"no note that starts in bars {first} to {first + representation.bars - 1}",
            cause="empty",
            expected="music" if reduction is None or not excerpt.reduce else reduction.keeps,
            action="Choose other bars with `start_bar`, or another track.",
            field=path,
        )
    return cut


def _check_bars(bars: Sequence[Bar], first: int, representation: Representation, path: str) -> None:
    """Checks that the bars used, from number `first` on, are whole bars in the model's meter.

    Raises:
        RepresentationError: If a bar is not; `cause` is `wrong_meter`.
    """
    meter, count = representation.meter, representation.bars
    fits = [
        bar.meter == meter and bar.end_step - bar.start_step == representation.steps_per_bar
        for bar in bars
    ]
    if all(fits[first - 1 : first - 1 + count]):
        return
    number = fits.index(False, first - 1) + 1
    bar = bars[number - 1]
    quarters = (bar.end_step - bar.start_step) / representation.steps_per_quarter
    is_short = bar.meter == meter
    other = next((n + 1 for n in range(len(bars)) if all(fits[n : n + count])), None)
    raise RepresentationError(
        f"bar {number} of {quarters:g} quarter notes"
        if is_short
        else f"bar {number} in {bar.meter}",
        cause="wrong_meter",
        expected=f"whole bars in {meter}" if is_short else f"{meter}",
        action=f"Choose music in {meter}, or another model."
        if other is None
        else f"Choose bars that fit with `start_bar`, such as {other}.",
        field=path,
    )


def _end_step(note: Note) -> int:
    return math.floor(note.start_step + note.offset) + 1 if note.is_drum else note.end_step


def _advised(
    error: RepresentationError, cut: NoteSequence, representation: Representation, path: str
) -> RepresentationError:
    """The error with its path in the request, and with advice to reduce if that helps."""
    action = error.action
    reduction = representation.kind.reduction
    if reduction is not None:
        reduced = reduction.reduce(cut)
        if reduced.notes and representation.check(reduced) is None:
            action = f"Use `reduce` to keep {reduction.keeps}."
    return RepresentationError(
        error.found, cause=error.cause, expected=error.expected, action=action, field=path
    )
