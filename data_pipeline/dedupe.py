"""The sixth stage: keeps one of each excerpt, counting transpositions of it as the same.

Within a split the first is kept. Across splits the training split gives way, so that nothing that
is measured on was trained on, and every split keeps as much as it can to be measured on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .split import TRAIN


@dataclass(frozen=True, slots=True)
class Kept:
    """The excerpts of one list that are kept, by index, and how many were not.

    Attributes:
        indices: Those kept, ascending.
        duplicates: The number that stands in the same split already.
        leaks: The number that stands in another split.
    """

    indices: tuple[int, ...]
    duplicates: int
    leaks: int


def order_of_splits(names: Iterable[str]) -> list[str]:
    """The order in which splits may keep an excerpt: training last."""
    return sorted(names, key=lambda name: name == TRAIN)


class Deduper:
    """Remembers every excerpt that was kept; splits are to come in `order_of_splits`."""

    def __init__(self) -> None:
        self._split_of: dict[bytes, str] = {}

    def keep(self, shapes: Sequence[bytes], split: str) -> Kept:
        """Decides for the excerpts of one part which are kept."""
        duplicates = leaks = 0
        indices: list[int] = []
        for index, shape in enumerate(shapes):
            holder = self._split_of.get(shape)
            if holder is None:
                self._split_of[shape] = split
                indices.append(index)
            elif holder == split:
                duplicates += 1
            else:
                leaks += 1
        return Kept(tuple(indices), duplicates, leaks)
