"""Normalises titles, so that a tune has one title in all collections.

Conventions: a normalised title is lower-case letters and figures without spaces; empty where the
title only names a kind of dance or a number. In doubt two tunes get one title.
"""

import re
import unicodedata

_DANCES = "reel|jig|hornpipe|polka|march|strathspey|waltz|mazurka|slide"
_NO_TITLE = re.compile(rf"the|{_DANCES}|quickstep|air")
"""Words that only some collections add to a tune's name."""

_MARKS = re.compile(r"[\u0300-\u036f'\u2018\u2019`]")
"""Accents, taken off their letters, and marks within a word."""

_COUNTED = frozenset({"no", "op", "bwv", "k", "kv"})
"""The number after one of these words is part of a work's name."""

_WORD = re.compile(r"[^\W\d_]+|\d+")
_GLUED_WORD = re.compile(r"(?:NO|OP|BWV|KV)(?=\d)|[A-Z]?[^\W\d_A-Z]+|[A-Z]|\d+")
_GLUED_KIND = re.compile(rf"(?<=..)({_DANCES})$")
_GLUED_ARTICLE = re.compile(r"(?<=..)the$")


def normalise_title(title: str) -> str:
    """The common form of a tune's titles and file names.

    >>> normalise_title("The Wind That Shakes The Barley -- Reel")
    'windthatshakesbarley'
    >>> normalise_title("WindThatShakestheBarleyreelThe")
    'windthatshakesbarley'
    >>> normalise_title("The Fair Maid's Father")
    'fairmaidsfather'
    >>> normalise_title("Sonata No. 5")
    'sonatano5'
    """
    plain = unicodedata.normalize("NFKD", title.split("--", maxsplit=1)[0]).strip(" .")
    plain = _MARKS.sub("", plain)
    words = _WORD.findall(plain) if re.search(r"[\W_]", plain) else _glued_words(plain)
    kept = [word for word in map(str.lower, words) if not _NO_TITLE.fullmatch(word)]
    while kept and kept[-1].isdigit() and _COUNTED.isdisjoint(kept[-2:-1]):
        kept.pop()
    return "" if len(kept) == 2 and kept[0] == "no" and kept[1].isdigit() else "".join(kept)


def _glued_words(name: str) -> list[str]:
    """The words of a name without spaces, whose small words cling to the one before."""
    words = _GLUED_WORD.findall(name)
    open_words = (_GLUED_ARTICLE.sub("", word) for word in words[:-1])
    return [_GLUED_KIND.sub("", word) for word in (*open_words, *words[-1:])]
