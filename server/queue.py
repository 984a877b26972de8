"""A fair queue for the model: one thread works, and every caller gets one item at a time.

The queue knows neither music nor gRPC. Work is an iterator; each request asks the thread for one
item at a time, and callers take turns. The thread takes the steps of several items together, see
`Batcher`. So a long request delays a short request by single steps, and a caller with many requests
delays another caller by one item. The last item ends a stream: its end never waits for the thread.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from musicvae.errors import BusyError
from musicvae.runtime.batcher import Batcher

from .costs import Load
from .waits import lending

Item = TypeVar("Item")


@dataclass(eq=False)
class _Waiting:
    """A request that waits for its items.

    Attributes:
        caller: The name of its caller.
        load: Its work.
        left: The number of items left.
    """

    caller: str
    load: Load
    left: int

    def work_s(self, items: int) -> float:
        """The seconds of so many of its items, as far as it waits for so many."""
        return min(items, self.left) * self.load.whole_s / self.load.items


class FairQueue:
    """Shares one thread among all requests.

    Args:
        max_wait_s: Seconds that a request may wait for its first item, by the turns before it.
        lend_after_s: Seconds after which a stream whose items are not taken counts no more, until
            the next item is asked for.
        tell_batch: Gets the rows of each batch that ends, and the mean seconds of a step.
    """

    def __init__(
        self,
        max_wait_s: float,
        *,
        lend_after_s: float,
        tell_batch: Callable[[int, float], None] | None = None,
    ) -> None:
        self._max_wait_s = max_wait_s
        self._lend_after_s = lend_after_s
        self._waiting: set[_Waiting] = set()
        self._batcher = Batcher(tell_batch)

    async def stream(
        self, work: Iterator[Item], load: Load, *, caller: str = "", left_s: float = math.inf
    ) -> AsyncGenerator[Item, None]:
        """Yields the items of `work`, each as soon as it is ready.

        If the stream is cancelled or closed, the work ends after the item in progress.

        Args:
            work: The work, which runs only in the model's thread.
            load: The number of its items, and their cost.
            caller: The name of the caller.
            left_s: Seconds until the request's deadline.

        Raises:
            BusyError: If the request would wait too long, or not be done at its deadline.
        """
        own = self._admit(caller, load, left_s)
        try:
            for _ in range(load.items):
                item = await self._submit(lambda: next(work), caller)
                own.left -= 1
                with lending(
                    self._lend_after_s,
                    partial(self._waiting.discard, own),
                    partial(self._waiting.add, own),
                ):
                    yield item
        finally:
            self._waiting.discard(own)

    async def run(
        self,
        work: Callable[[], Item],
        load: Load,
        *,
        caller: str = "",
        left_s: float = math.inf,
    ) -> Item:
        """Does work of one item.

        Raises:
            BusyError: As `stream`.
        """
        own = self._admit(caller, load, left_s)
        try:
            return await self._submit(work, caller)
        finally:
            self._waiting.discard(own)

    @property
    def waiting_items(self) -> int:
        """The items that all requests wait for."""
        return sum(each.left for each in list(self._waiting))

    @property
    def wait_s(self) -> float:
        """The seconds of one turn of all requests that wait."""
        return sum((each.load.turn_s for each in list(self._waiting)), 0.0)

    def close(self) -> None:
        """Ends the thread after the items in progress."""
        self._batcher.close()

    async def _submit(self, work: Callable[[], Item], caller: str) -> Item:
        return await asyncio.wrap_future(self._batcher.submit(work, caller))

    def _admit(self, caller: str, load: Load, left_s: float) -> _Waiting:
        """Adds a request; on an idle machine any request may try."""
        own = [each for each in self._waiting if each.caller == caller]
        # In each round every caller has a turn; a caller's requests take turns in its own rounds.
        wait_s = sum(each.load.turn_s for each in own)
        wait_s += self._delay_s(caller, lambda each: (len(own) + 1) * each.load.turn_s)
        if self._waiting and wait_s > self._max_wait_s:
            raise BusyError(
                f"a wait of about {wait_s:.1f} s",
                expected=f"at most {self._max_wait_s:g} s",
                action="Ask again in a while.",
                retry_s=wait_s,
            )
        rounds = load.items + sum(min(load.items, each.left) for each in own)
        done_s = load.whole_s + sum(each.work_s(load.items) for each in own)
        done_s += self._delay_s(caller, lambda each: rounds * each.load.whole_s / each.load.items)
        if self._waiting and done_s > left_s:
            raise BusyError(
                f"about {done_s:.1f} s until the last clip, and {left_s:.1f} s to the deadline",
                expected="a deadline that can be kept",
                action="Ask for fewer clips, allow more time, or ask again in a while.",
                retry_s=wait_s,
            )
        waiting = _Waiting(caller, load, load.items)
        self._waiting.add(waiting)
        return waiting

    def _delay_s(self, caller: str, turns_s: Callable[[_Waiting], float]) -> float:
        """The seconds that all other callers take, each at most for all that it waits for.

        Args:
            caller: The caller who is delayed.
            turns_s: Tells the seconds of a caller's turns, if all are for this request.
        """
        longest: dict[str, float] = defaultdict(float)
        whole: dict[str, float] = defaultdict(float)
        for each in self._waiting:
            if each.caller != caller:
                longest[each.caller] = max(longest[each.caller], turns_s(each))
                whole[each.caller] += each.work_s(each.left)
        return math.fsum(min(longest[name], whole[name]) for name in longest)
