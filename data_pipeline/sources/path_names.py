"""Gives each file of an input a path of its own that can be written and shown."""

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def readable(name: str) -> str:
    """A file's name as text, even where the name is in no known encoding."""
    if name.isascii() and name.isprintable():
        return name
    text = name.encode(errors="surrogateescape").decode(errors="replace")
    return _CONTROL.sub("\ufffd", text)


def tidy(path: str) -> str:
    """A path as text that leads nowhere else.

    >>> tidy("../tunes//./jig.mid")
    'tunes/jig.mid'
    """
    path = readable(path)
    *folders, name = path.split("/")
    if {"", ".", ".."}.isdisjoint((*folders, name)):
        return path
    kept = [folder for folder in folders if folder not in ("", ".", "..")]
    return "/".join([*kept, "unnamed" if name in ("", ".", "..") else name])


class PathNames:
    """The names of files whose paths may repeat, as in an archive; 8 bytes a file are held.

    Args:
        hashes: The `hash` of each file's tidy path.
    """

    def __init__(self, hashes: Iterable[int]) -> None:
        self._hashes = np.fromiter(hashes, np.int64)
        self._hashes.sort()
        is_repeat = self._hashes[1:] == self._hashes[:-1]
        self._repeated = frozenset(self._hashes[1:][is_repeat].tolist())

    def tell_apart(self, path: str, times: Counter[int]) -> str:
        """A name that no other file has: the path, or the path with a number where it repeats.

        Args:
            path: A tidy path of one of the files.
            times: How often each repeated path has come; counted here.
        """
        known = hash(path)
        if known not in self._repeated:
            return path
        times[known] += 1
        if times[known] == 1:
            return path
        while self._is_known(new := f"{path}~{times[known]}"):
            times[known] += 1
        return new

    def _is_known(self, path: str) -> bool:
        low, high = (np.searchsorted(self._hashes, hash(path), side) for side in ("left", "right"))
        return bool(low < high)
