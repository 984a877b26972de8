"""Bounds of waiting for callers: for the body of a call, for its reader, and for a free place."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from musicvae.errors import BusyError, ServiceError

Result = TypeVar("Result")


class Places:
    """Counts calls of one kind, and refuses a call where no place is free.

    Args:
        most: The number of places.
        kind: The calls in a message, such as "calls in progress".
    """

    def __init__(self, most: int, kind: str) -> None:
        self._most = most
        self._kind = kind
        self._taken = 0

    @property
    def taken(self) -> int:
        """The number of places that are taken."""
        return self._taken

    @contextmanager
    def take(self) -> Iterator[None]:
        """Holds a place during a block.

        Raises:
            BusyError: If no place is free.
        """
        if self._taken >= self._most:
            raise BusyError(
                f"{self._taken} {self._kind}",
                expected=f"at most {self._most}",
                action="Ask again in a while.",
            )
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    def lend(self) -> None:
        """Frees the place of a call that waits for its reader; it counts again after `retake`."""
        self._taken -= 1

    def retake(self) -> None:
        """Counts the call again, even if no place is free."""
        self._taken += 1


class Waits:
    """Bounds how long and how many calls wait for their callers.

    If too many calls wait, the longest wait ends: callers that send and read at once hardly wait,
    so that calls of idle callers end first.

    Args:
        most: The number of calls that may wait.
        seconds: The time that a call may wait.
        missing: The part that the caller owes, such as "the body of a call".
    """

    def __init__(self, most: int, seconds: float, missing: str) -> None:
        self._most = most
        self._seconds = seconds
        self._missing = missing
        self._limits: dict[asyncio.Timeout, None] = {}  # the longest wait first

    @property
    def waiting(self) -> int:
        """The number of calls that wait."""
        return len(self._limits)

    async def wait(self, work: Awaitable[Result]) -> Result:
        """Awaits the caller's part.

        Raises:
            ServiceError: If it does not come in time, or too many calls wait.
        """
        limit = asyncio.timeout(self._seconds)
        try:
            async with limit:
                self._limits[limit] = None
                if len(self._limits) > self._most:
                    self._end_longest()
                return await work
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise ServiceError(
                f"a wait of {self._seconds:g} s, or among {self._most} others, for {self._missing}",
                expected=f"{self._missing} within that time",
                action="Send each request whole, and read the replies as they arrive.",
            ) from error
        finally:
            self._limits.pop(limit, None)

    def _end_longest(self) -> None:
        longest = next(iter(self._limits))
        del self._limits[longest]
        if not longest.expired():
            longest.reschedule(0)


@contextmanager
def lending(after_s: float, lend: Callable[[], None], retake: Callable[[], None]) -> Iterator[None]:
    """Calls `lend` if a block takes longer than `after_s`, and then `retake` at its end."""
    is_lent = False

    def give() -> None:
        nonlocal is_lent
        is_lent = True
        lend()

    timer = asyncio.get_running_loop().call_later(after_s, give)
    try:
        yield
    finally:
        timer.cancel()
        if is_lent:
            retake()
