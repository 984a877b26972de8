"""Describes our own faults, exceptions that are no `MusicVAEError`, in one line."""

import traceback
from pathlib import Path


def describe_fault(error: Exception) -> str:
    """The exception with the last line of our own code that it passed, without folders."""
    places = list(traceback.walk_tb(error.__traceback__))
    ours = [
        place for place in places if place[0].f_globals.get("__name__", "").startswith("musicvae.")
    ]
    frame, line = (ours or places)[-1]
    place = f"{Path(frame.f_code.co_filename).name}:{line}"
    return f"{type(error).__name__} at {place}: {error}"
