"""Batches: the items that a worker is given together, and the limits on each worker."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from musicvae.errors import SettingError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Failure(NamedTuple):
    """Why an item has no result: a worker died of it.

    Attributes:
        reason: `crashed` or `timed_out`.
        found: How the worker ended.
    """

    reason: str
    found: str


@dataclass(frozen=True, kw_only=True)
class Batch(Generic[Item]):
    """Some items in a row.

    Attributes:
        number: The batch's place among all batches, from 0.
        items: At least one item.
        failures: The items, by their number in the batch, that a worker died of. The work leaves
            them out.
        is_single: Whether the work takes the items one by one. The pool asks for it after a worker
            died while it did something for several items, to find the item that is to blame.
    """

    number: int
    items: tuple[Item, ...]
    failures: Mapping[int, Failure] = field(default_factory=dict)
    is_single: bool = False


Begin = Callable[[int], None]
"""The work calls it with the number of each item before it does anything for the item, and with
the number of items before it does something for several items."""

Work = Callable[[Batch[Item], Begin], Result]
"""A function that can be pickled; its result can be, too. It raises no error but `OSError`, where
it can't write: any other error ends the worker, and the item at hand is to blame."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits on each worker.

    Attributes:
        timeout_s: The seconds that one item may take.
        memory_bytes: The memory that a worker may take for one batch, beyond what it has before.

    Raises:
        SettingError: If a limit is not above 0.
    """

    timeout_s: float = 60.0
    memory_bytes: int = 256 * 1024**2

    def __post_init__(self) -> None:
        for name in ("timeout_s", "memory_bytes"):
            value = getattr(self, name)
            if not 0 < value < float("inf"):
                raise SettingError(
                    f"{name}={value}",
                    expected="a number above 0",
                    action="Give a positive number.",
                    field=name,
                )
