"""The seconds that clips of each model take, so that waiting is bounded in seconds.

A clip of sixteen bars takes twenty times as long as a clip of two, and machines differ; so the
server measures its own work, from the first clip of each model on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from musicvae.generation.decoding import group_rows
from musicvae.runtime.batcher import own_s

_NEW_SHARE = 0.3
"""The share of a new measurement in the mean; one stall of the machine is soon forgotten."""

Item = TypeVar("Item")


class Kind(NamedTuple):
    """Work that takes about the same time: the model, the method, and the steps of a clip."""

    model: str
    method: str
    steps: int


@dataclass(frozen=True, kw_only=True)
class Load:
    """The work of one request.

    Attributes:
        items: The number of its items.
        whole_s: Seconds for all of them.
        turn_s: Seconds that one turn of the request takes at most: a group of clips is made at
            once, when its first clip is asked for.
    """

    items: int
    whole_s: float
    turn_s: float


class Costs:
    """Learns the seconds of a group of clips, by the kind of work and the group's size.

    Args:
        tell_group: Gets the model, the number of clips, and the seconds of each group.
    """

    def __init__(self, tell_group: Callable[[str, int, float], None] | None = None) -> None:
        self._tell_group = tell_group
        self._seconds: dict[Kind, dict[int, float]] = {}

    def load(self, kind: Kind, rows: int) -> Load:
        """The work of a request for so many clips."""
        most = group_rows(kind.steps)
        full, rest = divmod(rows, most)
        full_s = self._group_s(kind, most) if full else 0.0
        rest_s = self._group_s(kind, rest) if rest else 0.0
        return Load(items=rows, whole_s=full * full_s + rest_s, turn_s=max(full_s, rest_s))

    def timed(self, work: Iterator[Item], kind: Kind, rows: int) -> Iterator[Item]:
        """Yields the clips of a request, and measures each group."""
        most = group_rows(kind.steps)
        for first in range(0, rows, most):
            group = min(most, rows - first)
            spent_s = 0.0
            for number in range(group):
                start_s = own_s()
                item = next(work)
                spent_s += own_s() - start_s
                if number == group - 1:
                    self.learn(kind, group, spent_s)
                    if self._tell_group is not None:
                        self._tell_group(kind.model, group, spent_s)
                yield item

    def learn(self, kind: Kind, group: int, seconds: float) -> None:
        """Takes a measurement of a group of clips."""
        known = self._seconds.setdefault(kind, {})
        known[group] = seconds + (1 - _NEW_SHARE) * (known.get(group, seconds) - seconds)

    def _group_s(self, kind: Kind, group: int) -> float:
        """The seconds of a group: of the nearest size that is known, of any method if need be."""
        others = (known for each, known in self._seconds.items() if each.model == kind.model)
        known = self._seconds.get(kind) or next(others, {0: 0.0})
        return known[min(known, key=lambda size: abs(size - group))]
