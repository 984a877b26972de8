"""Fits music to a model: cuts it at its bar lines, fills it with silence, and reduces it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from musicvae.errors import RepresentationError, SettingError
from musicvae.generation.inputs import Excerpt
from musicvae.generation.requests import HIGHEST_QPM, LOWEST_QPM
from musicvae.music.bars import bars_to_join
from musicvae.music.meters import parse_meter
from musicvae.music.notes import Bar, Meter, Note, NoteSequence, TimeGrid
from musicvae.representation import Representation


def fit(
    excerpt: Excerpt, representation: Representation, path: str, grids: Sequence[TimeGrid] = ()
) -> NoteSequence:
    """Cuts, fills and reduces music to what a representation holds, as far as the caller allows.

    Bars are the music's own, as `musicvae inspect` shows them; two bars of 2/4, or four of 1/4, are
    read as one of 4/4. If the excerpt has a meter, bars of that meter follow each other from the
    first bar on, whatever the music says. The result is in the meter of the excerpt, or else of the
    first bar used, as far as the model has it; otherwise in the first meter of the model that is on
    the music's grid.

    Silence after the last note does not count: only notes make music too long. A drum counts only
    at its hit; a hit before the last bar line that is early for the next bar is left out.

    Args:
        excerpt: The music, and what the caller allows.
        representation: The model's representation.
        path: The excerpt's path in the request, for errors.
        grids: The grids of the model; without them, only the representation's.

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
    start = bars[first - 1].start_step if bars else 0
    every = grids or (representation.grid,)
    grids = _on_steps(notes.steps_per_quarter, every, path)
    own = bars[first - 1].meter if bars else notes.meter
    representation = representation.on_grid(
        _find_grid(own if excerpt.meter is None else parse_meter(excerpt.meter), grids)
    )
    if excerpt.meter is None:
        count, used = len(bars), _count_used(bars, first, representation, grids, path)
    else:
        _check_meter(excerpt.meter, grids, path)
        count, used = len(range(start, end, representation.steps_per_bar)), representation.bars
    cut = replace(
        notes.window(start, representation.length_steps),
        qpm=min(max(notes.qpm, LOWEST_QPM), HIGHEST_QPM),
        meter=representation.meter,
        bar_changes=(),
    )
    if error := representation.check(cut):
        raise _advised(error, cut, representation, path, every)
    if excerpt.start_bar is None and count > used:
        joined = f", {used} of these" if used > representation.bars else ""
        raise RepresentationError(
            f"{count} bars of music",
            cause="wrong_length",
            expected=f"at most the {representation.bars} bars of the model{joined}",
            action="Choose the first bar to use with `start_bar`, or cut the music.",
            field=path,
        )
    if not cut.notes:
        raise RepresentationError(
            f"no note that starts in the {representation.bars} bars from bar {first} on",
            cause="empty",
            expected="music" if reduction is None or not excerpt.reduce else reduction.keeps,
            action="Choose other bars with `start_bar`, or another track.",
            field=path,
        )
    return cut


def _on_steps(steps: int, grids: Sequence[TimeGrid], path: str) -> list[TimeGrid]:
    """The grids of a model with so many steps a quarter note.

    Raises:
        RepresentationError: If there is none; `cause` is `wrong_resolution`.
    """
    found = [grid for grid in grids if grid.steps_per_quarter == steps]
    if not found:
        known = " or ".join(map(str, dict.fromkeys(grid.steps_per_quarter for grid in grids)))
        raise RepresentationError(
            f"music on a grid of {steps} steps a quarter note",
            cause="wrong_resolution",
            expected=f"a grid of {known} steps, which the model plays",
            action=f"Read the music on {known} steps with `steps_per_quarter`, or choose another "
            "model.",
            field=f"{path}.steps_per_quarter",
        )
    return found


def _find_grid(found: Meter, grids: Sequence[TimeGrid]) -> TimeGrid:
    """The grid of a model on which music of the meter found is read; the first if none fits."""
    counts = [bars_to_join(found, grid.meter) for grid in grids]
    fewest = min(filter(None, counts), default=counts[0])
    return grids[counts.index(fewest)]


def _check_meter(text: str, grids: Sequence[TimeGrid], path: str) -> None:
    """Checks that the model has the meter in which the caller wants music to be read.

    Raises:
        RepresentationError: If it has not; `cause` is `wrong_meter`.
    """
    if all(bars_to_join(parse_meter(text), grid.meter) != 1 for grid in grids):
        few = "the meter" if len(grids) == 1 else "a meter"
        raise RepresentationError(
            f"`meter` {text}",
            cause="wrong_meter",
            expected=f"{_list_meters(grids)}, {few} of the model",
            action=f"Read the music in {_list_meters(grids)}, or choose another model.",
            field=f"{path}.meter",
        )


def _list_meters(grids: Sequence[TimeGrid]) -> str:
    meters = [str(grid.meter) for grid in grids]
    return " or ".join(filter(None, (", ".join(meters[:-1]), meters[-1])))


def _count_used(
    bars: Sequence[Bar],
    first: int,
    representation: Representation,
    grids: Sequence[TimeGrid],
    path: str,
) -> int:
    """How many of the music's bars, from number `first` on, the bars of the model take.

    Raises:
        RepresentationError: If one is no whole bar in a meter that fits; `cause` is `wrong_meter`.
    """
    used, fits = _take(bars, first - 1, representation)
    if fits:
        return used
    bar = bars[first - 1 + used]
    number = first + used
    meter = representation.meter
    length = bar.end_step - bar.start_step
    is_short = bars_to_join(bar.meter, meter) > 0 and length != bar.meter.steps_per_bar(
        representation.steps_per_quarter
    )
    other = next((n + 1 for n in range(len(bars)) if _take(bars, n, representation)[1]), None)
    choice = f"Choose bars that fit with `start_bar`, such as {other}"
    if other is None:
        choice = "Choose another model"
    raise RepresentationError(
        f"bar {number} of {length / representation.steps_per_quarter:g} quarter notes"
        if is_short
        else f"bar {number} in {bar.meter}",
        cause="wrong_meter",
        expected=f"whole bars in {bar.meter}" if is_short else _list_meters(grids),
        action=f"{choice}, or read the music in {meter} with `meter`.",
        field=path,
    )


def _take(bars: Sequence[Bar], at: int, representation: Representation) -> tuple[int, bool]:
    """Takes bars from index `at` on for the bars of a model, as far as they fit.

    Returns:
        How many bars are taken, and whether that is all that the model or the music has.
    """
    end = at
    for _ in range(representation.bars):
        if end >= len(bars):
            break
        meter = bars[end].meter
        count = bars_to_join(meter, representation.meter)
        joined = bars[end : end + count]  # fewer at the end of the music, where silence follows
        lengths = {count * (bar.end_step - bar.start_step) for bar in joined}
        if lengths != {representation.steps_per_bar} or any(bar.meter != meter for bar in joined):
            return end - at, False
        end += len(joined)
    return end - at, True


def _end_step(note: Note) -> int:
    return math.floor(note.start_step + note.offset) + 1 if note.is_drum else note.end_step


def _advised(
    error: RepresentationError,
    cut: NoteSequence,
    representation: Representation,
    path: str,
    grids: Sequence[TimeGrid],
) -> RepresentationError:
    """The error with its path in the request, and with the advice to reduce or to take a grid."""
    action = error.action
    reduction = representation.kind.reduction
    finest = max(each.steps_per_quarter for each in grids if each.meter == cut.meter)
    if error.cause == "off_grid" and finest > cut.steps_per_quarter:
        action = (
            f"Read triplets and swing with `steps_per_quarter` {finest}, or quantise the music."
        )
    elif reduction is not None:
        reduced = reduction.reduce(cut)
        if reduced.notes and representation.check(reduced) is None:
            action = f"Use `reduce` to keep {reduction.keeps}."
    return RepresentationError(
        error.found, cause=error.cause, expected=error.expected, action=action, field=path
    )
