"""Threads that read requests: small requests never wait for large requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import ParamSpec, TypeVar

from musicvae.errors import BusyError

SMALL_BYTES = 64 * 1024
"""Reading so few bytes takes at most some 20 ms (measured on files of key signatures)."""

Given = ParamSpec("Given")
Read = TypeVar("Read")


class Readers:
    """Reads small requests in a thread of their own, and large requests in another thread.

    Not semaphores: a thread goes on reading after its call is cancelled.

    Args:
        max_waiting_bytes: The limit of all large requests together that wait or are being read.
    """

    def __init__(self, max_waiting_bytes: int) -> None:
        self._small = ThreadPoolExecutor(1, thread_name_prefix="small-reader")
        self._large = ThreadPoolExecutor(1, thread_name_prefix="large-reader")
        self._most = max_waiting_bytes
        self._waiting_bytes = 0
        self._lock = Lock()

    async def read(
        self, size: int, read: Callable[Given, Read], *args: Given.args, **how: Given.kwargs
    ) -> Read:
        """Reads a request of `size` bytes in a thread.

        Raises:
            BusyError: If the request is large, and too many bytes wait.
        """
        if size <= SMALL_BYTES:
            return await asyncio.wrap_future(self._small.submit(read, *args, **how))
        self._admit(size)
        future = self._large.submit(read, *args, **how)
        future.add_done_callback(lambda _: self._release(size))
        return await asyncio.wrap_future(future)

    @property
    def waiting_bytes(self) -> int:
        """The bytes of large requests that wait or are being read."""
        return self._waiting_bytes

    def close(self) -> None:
        """Ends the threads after the requests in progress."""
        for pool in (self._small, self._large):
            pool.shutdown(wait=True, cancel_futures=True)

    def _admit(self, size: int) -> None:
        with self._lock:
            if self._waiting_bytes + size > self._most:
                raise BusyError(
                    f"{self._waiting_bytes} bytes of requests to read, and {size} more",
                    expected=f"at most {self._most}",
                    action="Ask again in a while, or send less music.",
                )
            self._waiting_bytes += size

    def _release(self, size: int) -> None:
        with self._lock:
            self._waiting_bytes -= size
