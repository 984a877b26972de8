"""Remarks on repairs and on events passed over in a file, with a reason and a count."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Remark:
    """A kind of repair, or a kind of event that was passed over, in one file.

    Attributes:
        reason: The name of the kind, such as `lost_note_off`.
        count: The number of such repairs or events.
        found: The first of them, in words.
    """

    reason: str
    count: int
    found: str


class Remarks:
    """Counts remarks by their reason, and keeps the first finding of each."""

    def __init__(self) -> None:
        self._found: dict[str, Remark] = {}

    def add(self, reason: str, found: str) -> None:
        """Counts one repair."""
        remark = self._found.get(reason, Remark(reason, 0, found))
        self._found[reason] = replace(remark, count=remark.count + 1)

    def all(self) -> tuple[Remark, ...]:
        """The remarks, in the order in which their kinds were found first."""
        return tuple(self._found.values())
