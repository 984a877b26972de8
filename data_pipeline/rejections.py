"""Rejections: pieces, parts, bars, notes and excerpts that are left out, each with its reason."""

from collections.abc import Iterable
from dataclasses import dataclass

REPAIRED = "event"
"""The stage of repairs, so that nothing is lost: faults of a file that were mended while reading,
and short bars that were joined."""

STAGES = ("file", "piece", REPAIRED, "part", "bar", "note", "excerpt")
"""The kinds of things that are rejected or repaired, from the whole to its parts."""

INTERNAL_ERROR = "internal_error"
"""The reason of a piece on which our own code failed."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Things of one kind in one piece, rejected for one reason.

    Attributes:
        stage: The kind of thing: one of `STAGES`.
        reason: The reason's name, such as `off_grid`.
        found: What was found in the first rejected thing.
        count: How many things were rejected.
    """

    stage: str
    reason: str
    found: str
    count: int = 1


def merge_rejections(rejections: Iterable[Rejection]) -> tuple[Rejection, ...]:
    """Adds up the rejections of equal stage and reason, and keeps what was found first.

    >>> merge_rejections([Rejection("bar", "short", "1"), Rejection("bar", "short", "2", 3)])
    (Rejection(stage='bar', reason='short', found='1', count=4),)
    """
    merged: dict[tuple[str, str], Rejection] = {}
    for each in rejections:
        stage, reason = key = each.stage, each.reason
        if first := merged.get(key):
            merged[key] = Rejection(stage, reason, first.found, first.count + each.count)
        else:
            merged[key] = each
    return tuple(merged.values())
