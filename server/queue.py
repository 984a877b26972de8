"""A fair queue for the model: one thread works, and every request gets one item at a time.

The queue knows neither music nor gRPC. Work is an iterator; the thread calls `next` once for each
waiting request, in a circle. So a long request delays a short request by one item, not by its whole
length, and no two requests work at the same time. The last item ends a stream: its end never waits
for the thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from musicvae.errors import BusyError

from .waits import lending

Item = TypeVar("Item")


class FairQueue:
    """Shares one thread among all requests.

    Args:
        max_steps: The limit of steps of music that all requests together wait for.
        lend_after_s: Seconds after which a stream whose items are not taken counts no more, until
            the next item is asked for.
    """

    def __init__(self, max_steps: int, *, lend_after_s: float) -> None:
        self._max_steps = max_steps
        self._lend_after_s = lend_after_s
        self._steps = 0
        # The one thread works in order of submission; each request submits one item at a time.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")

    async def stream(
        self, work: Iterator[Item], items: int, *, steps: int
    ) -> AsyncGenerator[Item, None]:
        """Yields the items of `work`, each as soon as it is ready.

        If the stream is cancelled or closed, the work ends after the item in progress.

        Args:
            work: The work, which runs only in the model's thread.
            items: The number of items that it yields.
            steps: The length of each item.

        Raises:
            BusyError: If too many steps wait.
        """
        waiting = items * steps
        self._admit(waiting)
        try:
            for _ in range(items):
                item = await self._submit(lambda: next(work))
                waiting -= steps
                self._steps -= steps
                with lending(
                    self._lend_after_s, partial(self._add, -waiting), partial(self._add, waiting)
                ):
                    yield item
        finally:
            self._steps -= waiting

    async def run(self, work: Callable[[], Item], *, steps: int) -> Item:
        """Does work of one item.

        Raises:
            BusyError: If too many steps wait.
        """
        self._admit(steps)
        try:
            return await self._submit(work)
        finally:
            self._steps -= steps

    def close(self) -> None:
        """Ends the thread after the item in progress."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def _submit(self, work: Callable[[], Item]) -> Item:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _admit(self, steps: int) -> None:
        if self._steps + steps > self._max_steps:
            raise BusyError(
                f"{self._steps} steps of music waiting, and {steps} more",
                expected=f"at most {self._max_steps}",
                action="Ask again in a while, or for fewer clips.",
            )
        self._steps += steps

    def _add(self, steps: int) -> None:
        self._steps += steps
