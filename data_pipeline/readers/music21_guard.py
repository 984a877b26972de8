"""Turns every error of music21 into an error of the score."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from musicvae.errors import ScoreError

_MOST_LETTERS = 200


@contextmanager
def asking_music21(kind: str) -> Iterator[None]:
    """Turns any error of music21 into a ScoreError; wraps only calls to music21.

    music21 expects correct scores: on damaged scores it raises its own errors, but as often
    AttributeError, IndexError or AssertionError, so that any exception counts.

    Raises:
        ScoreError: If music21 raises an error other than MemoryError.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (MemoryError, ScoreError):
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {error}"[:_MOST_LETTERS]
        raise ScoreError(
            f"{kind} that music21 can't read ({text})",
            expected=f"{kind} as its standard has it",
            action="Mend the file, or leave it out.",
        ) from error
