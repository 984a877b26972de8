"""Remarks: what was repaired or passed over in a file, with a reason and a count."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Remark:
    """A kind of repair, or a kind of thing that was passed over, in one file.

    Attributes:
        reason: The name of the kind, such as `lost_note_off`.
        count: How often it was met.
        found: The first of them.
    """

    reason: str
    count: int
    found: str


class Remarks:
    """Counts remarks, and keeps what was found first."""

    def __init__(self) -> None:
        self._found: dict[str, Remark] = {}

    def add(self, reason: str, found: str) -> None:
        """Counts one repair."""
        remark = self._found.get(reason, Remark(reason, 0, found))
        self._found[reason] = replace(remark, count=remark.count + 1)

    def all(self) -> tuple[Remark, ...]:
        """The remarks, in order of the first of each kind."""
        return tuple(self._found.values())
