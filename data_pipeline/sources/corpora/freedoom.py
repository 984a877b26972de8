"""Freedoom: the music of a free game, for several instruments and drums."""

import re

from .recipe import Corpus, Facts

_NAME = re.compile(r"(^|/)d_[0-9a-z]+\.mid$")


def _level(path: str) -> Facts | None:
    """A file is named by where it is played in the game: no title."""
    return Facts(title="", style="game") if _NAME.search(path) else None


FREEDOOM = Corpus(
    name="freedoom",
    about="Freedoom: 112 pieces of game music, General MIDI",
    licence="BSD 3-clause",
    homepage="https://github.com/freedoom/freedoom",
    mark=re.compile(r"(^|/)CREDITS-MUSIC$"),
    mark_holds=b"E1M1:",
    facts=_level,
)
