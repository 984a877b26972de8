"""The worker process of a pool: takes batches, sends results, and ends with its parent."""

import multiprocessing
import multiprocessing.sharedctypes
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from .batch import Batch, Work

IDLE = -1.0
"""The item's number in shared memory while a worker waits for its next batch."""


@dataclass(frozen=True)
class Ready:
    """The worker has started."""


@dataclass(frozen=True)
class Done:
    """The worker has finished its batch."""

    result: Any


def serve(
    connection: Connection,
    at: "multiprocessing.sharedctypes.SynchronizedArray[float]",
    work: Work[Any, Any],
    memory_bytes: int,
) -> None:
    """Runs a worker.

    Args:
        connection: Receives batches; sends `Ready`, then a `Done` or an `OSError` for each batch.
        at: Shared memory: the time when the worker began its item, and the item's number.
        work: The function for each batch.
        memory_bytes: The limit on memory for a batch.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    memory = _MemoryLimit(memory_bytes)

    def begin(item: int) -> None:
        memory.allow_for_imports()
        # In this order: the parent reads first the number, then a time that is not earlier.
        at[0] = time.monotonic()
        at[1] = item

    def do(batch: Batch[Any]) -> Done | OSError:
        memory.set()
        try:
            return Done(work(batch, begin))
        except OSError as error:
            return error

    # Only errors of the pipe mean that the parent has ended.
    with suppress(EOFError, OSError):
        connection.send(Ready())
        while True:
            connection.send(do(connection.recv()))


def _end_with_parent() -> None:
    """Ends this process with its parent, even if the parent is killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


class _MemoryLimit:
    """A limit on the memory of this process; without effect on a system without limits."""

    def __init__(self, memory_bytes: int) -> None:
        self._memory_bytes = memory_bytes
        self._modules = 0

    def set(self) -> None:
        """Limits the process to its current memory and `memory_bytes` more."""
        self._modules = len(sys.modules)
        try:
            import resource  # noqa: PLC0415  # not on Windows
        except ImportError:
            return
        with suppress(ValueError, OSError):
            pages = int(Path("/proc/self/statm").read_text().split()[5])
            limit = pages * resource.getpagesize() + self._memory_bytes
            hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
            resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))

    def allow_for_imports(self) -> None:
        """Sets the limit anew after imports: music21 alone takes 100 MB."""
        if len(sys.modules) != self._modules:
            self.set()
