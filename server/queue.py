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
        max_steps: Steps of music that may wait over all requests: asked for and not yet made.
    """

    def __init__(self, max_steps: int) -> None:
        self._max_steps = max_steps
        self._steps = 0
        # One worker takes what is submitted in order; each request submits one turn at a time.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")

    async def stream(
        self, work: Iterator[Item], items: int, *, steps: int
    ) -> AsyncGenerator[Item, None]:
        """Yields what `work` makes, each item as it is ready.

        Cancelled, or closed, it ends the work at the next turn.

        Args:
            work: Is only ever touched by the model's thread; must not yield None.
            items: The number of items it will make.
            steps: The length of each.

        Raises:
            BusyError: If too many steps wait.
        """
        left = items * steps
        self._admit(left)
        try:
            while (item := await self._turn(lambda: next(work, None))) is not None:
                left -= steps
                self._steps -= steps
                yield item
        finally:
            self._steps -= left

    async def run(self, work: Callable[[], Item], *, steps: int) -> Item:
        """Does one piece of work in one turn.

        Raises:
            BusyError: If too many steps wait.
        """
        self._admit(steps)
        try:
            return await self._turn(work)
        finally:
            self._steps -= steps

    def close(self) -> None:
        """Ends the thread, after the turn that it is at."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def _turn(self, work: Callable[[], Item]) -> Item:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _admit(self, steps: int) -> None:
        if self._steps + steps > self._max_steps:
            raise BusyError(
                f"{self._steps} steps of music that wait, and {steps} more",
                expected=f"at most {self._max_steps}",
                action="Ask again in a while, or for fewer clips.",
            )
        self._steps += steps
