"""Batches: the items that a worker gets together, and the limits on each worker."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from musicvae.errors import SettingError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Failure(NamedTuple):
    """The reason why an item has no result: a worker died on it.

    Attributes:
        reason: `crashed` or `timed_out`.
        found: The end of the worker, in words.
    """

    reason: str
    found: str


@dataclass(frozen=True, kw_only=True)
class Batch(Generic[Item]):
    """Consecutive items.

    Attributes:
        number: The number of the batch, from 0.
        items: The items, at least one.
        failures: The items that a worker died on, by their number in the batch. The work leaves
            them out.
        is_single: Whether the work takes the items one by one. The pool sets it after a worker died
            during work on several items, to find the item to blame.
    """

    number: int
    items: tuple[Item, ...]
    failures: Mapping[int, Failure] = field(default_factory=dict)
    is_single: bool = False


Begin = Callable[[int], None]
"""The work calls it with the number of an item before any work on the item, and with the number of
items before work on several items."""

Work = Callable[[Batch[Item], Begin], Result]
"""A function; it and its result can be pickled. It raises only `OSError`, if it can't write: any
other error ends the worker, and the current item is to blame."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits on each worker.

    Attributes:
        timeout_s: The seconds that one item may take.
        memory_bytes: The memory that a worker may add for one batch.

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
