"""Hydrogen's patterns: bars for a drum machine, on the grid, one folder a style."""

import re

from .recipe import Corpus, Facts


def _pattern(path: str) -> Facts | None:
    """A file's name is its style and a number: no title."""
    if not HYDROGEN_PATTERNS.mark.search(path):
        return None
    return Facts(title="", style=path.split("/")[-2])


HYDROGEN_PATTERNS = Corpus(
    name="hydrogen_patterns",
    about="Hydrogen's pattern library: 267 drum-machine patterns after R.-P. Bardet's book",
    licence="CC BY-SA",
    homepage="https://github.com/hydrogen-music/patterns",
    mark=re.compile(r"(^|/)patterns/[\w-]+/[\w-]+\.h2pattern$"),
    mark_holds=b"260 Drum Machine Patterns",
    facts=_pattern,
)
