"""Where the bars of a part lie, and which of them may be cut into excerpts.

Conventions: a bar line is a step. Written music and tracked beats both have bars of the wrong
length: pickups, first endings, a beat that was missed. A span is a run of bars of the right length;
excerpts are cut within spans, so that each starts at a bar line and holds none that is off.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musicvae.notes import NoteSequence


@dataclass(frozen=True, slots=True)
class Span:
    """A run of regular bars.

    Attributes:
        start_step: The first bar line.
        bars: The number of bars.
        first_bar: The number of its first bar in the piece, from 0.
    """

    start_step: int
    bars: int
    first_bar: int


def regular_spans(bar_lines: Sequence[int], steps_per_bar: int) -> tuple[Span, ...]:
    """Finds the runs of bars that have `steps_per_bar` steps each.

    Short bars that follow each other and make up one bar count as one: the last bar of a strain
    and the pickup to the next, on either side of a repeat. The last of the ascending `bar_lines`
    is the end of the last bar.

    >>> regular_spans([0, 4, 20, 36, 48, 52, 68], 16)
    (Span(start_step=4, bars=4, first_bar=1),)
    """
    spans: list[Span] = []
    start = count = 0
    first_bar = bar = 0
    index = 0
    while index + 1 < len(bar_lines):
        after = index + 1
        while after + 1 < len(bar_lines) and bar_lines[after] - bar_lines[index] < steps_per_bar:
            after += 1
        if bar_lines[after] - bar_lines[index] == steps_per_bar:
            if not count:
                start, first_bar = bar_lines[index], bar
            count += 1
            index = after
        else:
            if count:
                spans.append(Span(start, count, first_bar))
            count = 0
            index += 1
        bar += 1
    if count:
        spans.append(Span(start, count, first_bar))
    return tuple(spans)


def grid_lines(start_step: int, length_steps: int, steps_per_bar: int) -> tuple[int, ...]:
    """Bar lines at an even distance from `start_step` on, to the end of the last bar begun."""
    end = length_steps + -(length_steps - start_step) % steps_per_bar
    return (*([0] if start_step else []), *range(start_step, end + 1, steps_per_bar))


_LEAST_ACCENTS = 8
_LEAST_SHARE = 0.9


def accented_step(sequence: NoteSequence, steps_per_bar: int) -> int:
    """The step within a bar on which the accents say that bars begin; 0 unless they are clear.

    Programs that turn written tunes into MIDI let a file begin with the pickup and play the first
    note of each bar louder. The accents are clear where there are eight or more notes of the
    loudest velocity, and nine of ten notes on one step of the bar, and no more than one of ten
    elsewhere, have it.
    """
    if not sequence.notes:
        return 0
    steps = np.array([note.start_step for note in sequence.notes]) % steps_per_bar
    velocities = np.array([note.velocity for note in sequence.notes])
    is_loud = velocities == velocities.max()
    loud = np.bincount(steps[is_loud], minlength=steps_per_bar)
    found = np.bincount(steps, minlength=steps_per_bar)
    step = int(np.argmax(loud))
    elsewhere = is_loud.sum() - loud[step]
    is_clear = (
        is_loud.sum() >= _LEAST_ACCENTS
        and loud[step] >= _LEAST_SHARE * found[step]
        and elsewhere <= (1 - _LEAST_SHARE) * (len(steps) - found[step])
    )
    return step if is_clear else 0
