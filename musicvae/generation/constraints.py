"""The key, scale and range that a request asks for, beside what a model can keep to."""

from collections.abc import Mapping

import numpy as np

from musicvae.bundle.format import Bundle
from musicvae.errors import SettingError
from musicvae.generation.requests import DrawingRequest
from musicvae.music.constraint import PITCHES, Constraint
from musicvae.music.instruments import HIGHEST_PITCH, LOWEST_PITCH


def asked_of(request: DrawingRequest) -> dict[str, str]:
    """The parts of a constraint in the words of the request, by field."""
    given = {name: getattr(request, name, None) for name in ("key", "scale", "range")}
    return {name: text for name, text in given.items() if text is not None}


def check_constraint(
    bundle: Bundle, constraint: Constraint | None, asked: Mapping[str, str]
) -> None:
    """Checks that a model can keep to a constraint, which the request `asked` for.

    Raises:
        SettingError: If its music has no pitches that could keep to anything, or none is left.
    """
    if constraint is None:
        return
    representation, no_pitches = bundle.representation, np.zeros(PITCHES, np.bool_)
    allowed = representation.allowed_events(constraint.classes, constraint.within_range)
    silent = representation.allowed_events(no_pitches, no_pitches)
    if all(events.all() for events in silent):
        raise SettingError(
            f"a key, scale or range for {bundle.name}",
            expected="none: its music has no pitches to keep to them",
            action="Leave them out, or choose a model of melodies.",
            field=next(iter(asked)),
        )
    if (allowed[0] == silent[0]).all():
        raise SettingError(
            f"a range without a note that {bundle.name} can play",
            expected=f"a range with notes from {LOWEST_PITCH} to {HIGHEST_PITCH}, the piano's keys",
            action="Give a wider range, such as C3-C6.",
            field="range",
        )
