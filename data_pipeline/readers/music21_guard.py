"""The one door to music21: what goes wrong behind it is the score's fault, never ours."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from musicvae.errors import ScoreError

_MOST_LETTERS = 200


@contextmanager
def asking_music21(kind: str) -> Iterator[None]:
    """Turns whatever music21 raises into a ScoreError; wraps a call to music21 and nothing else.

    music21 is made for scores that are right: on others it raises its own errors, but as often
    AttributeError, IndexError or AssertionError, so that any exception has to count.

    Raises:
        ScoreError: If music21 raises; MemoryError alone is let through.
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
