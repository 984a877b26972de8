"""The grid of an excerpt, which all representations share: bars of one meter, in steps.

An excerpt stands on the grid of its representation where it has the same resolution, meter and
length, and where its onsets, as they were played, are near enough to their steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from musicvae.errors import RepresentationError, SettingError
from musicvae.music.notes import Meter, NoteSequence
from musicvae.representation.representation import Representation

RESOLUTIONS = (4, 12)
"""Steps to a quarter note: 16th notes, or the grid that holds triplets as well."""

MOST_OFFSET_QUARTERS = 1 / 16
"""An onset further from the grid than this, in quarter notes, is refused where notes are on steps.

At 4 steps it is a quarter of a step: triplets stand a third of a step off or more, and human timing
at a steady tempo seldom reaches a quarter. At 12 it is more than half a step, which refuses
nothing.
"""


def check_settings(bars: int, meter: Meter, steps_per_quarter: int) -> None:
    """Makes sure that excerpts can be so many bars of this meter on this grid.

    Raises:
        SettingError: If `bars` is below 1, `steps_per_quarter` is none of `RESOLUTIONS`, or the
            meter's bar is no whole number of steps.
    """
    if bars < 1:
        raise SettingError(
            f"bars={bars}",
            expected="1 or more",
            action="Give the number of bars of one excerpt, such as 2.",
            field="bars",
        )
    if steps_per_quarter not in RESOLUTIONS:
        raise SettingError(
            f"steps_per_quarter={steps_per_quarter}",
            expected=" or ".join(map(str, RESOLUTIONS)),
            action="Choose 4, or 12 to hold triplets.",
            field="steps_per_quarter",
        )
    if meter.steps_per_bar(steps_per_quarter) is None:
        raise SettingError(
            f"meter {meter}",
            expected=f"a meter whose bar is a whole number of {steps_per_quarter * 4}th notes",
            action="Choose a meter such as 4/4, 3/4 or 6/8.",
            field="meter",
        )


def steps_per_bar(meter: Meter, steps_per_quarter: int) -> int:
    """The length of a bar that `check_settings` passed."""
    steps = meter.steps_per_bar(steps_per_quarter)
    assert steps is not None
    return steps


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that an excerpt must be like to be held.

    Attributes:
        cause: The name of what is wrong otherwise.
        find: Says what was found that is wrong, or None.
        expected: What would be right; `{grid}` stands for the representation.
        action: What to do about it.
    """

    cause: str
    find: Callable[[Representation, NoteSequence], str | None]
    expected: str
    action: str


def find_error(
    checks: Sequence[Check], representation: Representation, excerpt: NoteSequence
) -> RepresentationError | None:
    """The first thing that is wrong with an excerpt, or None."""
    for check in checks:
        if found := check.find(representation, excerpt):
            return RepresentationError(
                found,
                cause=check.cause,
                expected=check.expected.format(grid=representation),
                action=check.action,
            )
    return None


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
