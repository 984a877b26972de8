"""Turns at the model: one thread works, and everyone who waits gets one piece of work in turn.

It knows neither music nor gRPC. Work is an iterator; each `next` on it is one turn. A long request
so delays a short one by one turn, not by its whole length, and no two requests ever work at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from musicvae.errors import BusyError

Item = TypeVar("Item")


class Turns:
    """Shares one thread among all who ask.

    Args:
        max_rows: Rows (items asked for and not yet made) that may wait over all requests.
    """

    def __init__(self, max_rows: int) -> None:
        self._max_rows = max_rows
        self._rows = 0
        # One worker takes what is submitted in order; each request submits one turn at a time.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")

    async def stream(self, work: Iterator[Item], rows: int) -> AsyncGenerator[Item, None]:
        """Yields what `work` makes, each item as it is ready.

        Cancelled, or closed, it ends the work at the next turn.

        Args:
            work: Is only ever touched by the model's thread; must not yield None.
            rows: The number of items it will make.

        Raises:
            BusyError: If too many rows wait.
        """
        self._admit(rows)
        left = rows
        try:
            while (item := await self._turn(lambda: next(work, None))) is not None:
                left -= 1
                self._rows -= 1
                yield item
        finally:
            self._rows -= left

    async def run(self, work: Callable[[], Item], rows: int) -> Item:
        """Does one piece of work in one turn.

        Raises:
            BusyError: If too many rows wait.
        """
        self._admit(rows)
        try:
            return await self._turn(work)
        finally:
            self._rows -= rows

    def close(self) -> None:
        """Ends the thread, after the turn that it is at."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def _turn(self, work: Callable[[], Item]) -> Item:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _admit(self, rows: int) -> None:
        if self._rows + rows > self._max_rows:
            raise BusyError(
                f"{self._rows} clips that wait, and {rows} more",
                expected=f"at most {self._max_rows}",
                action="Ask again in a while, or for fewer clips.",
            )
        self._rows += rows
