"""A pool of worker processes that survives items which crash or hang their worker.

A file from a stranger may crash a parser, hang it or fill the memory. A worker writes the number of
its current item and the time of its start to shared memory. If a worker dies or takes too long over
an item, the pool ends the worker and gives the batch to a new worker, with the item marked as
failed. If a worker dies during work on several items, the batch's items are retried singly. So
every batch has a result, and an item harms no other item.

Not the library pebble: its time limit is for a whole batch, it can't name the item that a worker
died on, and its workers go on when the parent is killed.
"""

import multiprocessing
import signal
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Generic

from .batch import Batch, Failure, Item, Limits, Result, Work
from .worker import IDLE, Done, Ready, serve

START_TIMEOUT_S = 120.0
"""A worker that takes longer than this to start and import counts as hung."""

WRITE_TIMEOUT_S = 120.0
"""A disk that takes longer than this to write some MiB counts as hung."""

_LOOK_S = 0.2
"""The time between two checks whether an item takes too long."""

_MOST_ATTEMPTS = 3
"""If workers die this often outside any item of one batch, the fault is ours."""


class Pool(Generic[Item, Result]):
    """Worker processes that run one function; a context that ends them.

    Args:
        work: The function for each batch.
        limits: The limits on each worker.
        workers: The number of processes, 1 or more; each starts with its first batch.
    """

    def __init__(self, work: Work[Item, Result], limits: Limits, *, workers: int) -> None:
        self._workers = [_Worker(work, limits) for _ in range(workers)]

    def __enter__(self) -> "Pool[Item, Result]":  # the checker of shapes knows no Self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.stop()

    def run(
        self, batches: Iterable[Batch[Item]]
    ) -> Generator[tuple[Batch[Item], Result], None, None]:
        """Yields each batch with its result, in the order of the batches.

        Raises:
            OSError: If the work can't write.
            RuntimeError: If a worker can't start, or dies outside any item again and again.
        """
        waiting = iter(batches)
        given: deque[Batch[Item]] = deque()
        results: dict[int, Result] = {}
        for worker in self._workers:
            if (batch := next(waiting, None)) is not None:
                given.append(batch)
                worker.give(batch)
        # The next batch is made while the workers are busy.
        following = next(waiting, None)
        while busy := [worker for worker in self._workers if worker.batch is not None]:
            wait([worker.connection for worker in busy], timeout=_LOOK_S)
            for worker in busy:
                batch, done = worker.batch, worker.look()
                if done is None:
                    continue
                assert batch is not None, "only a busy worker has a result"
                results[batch.number] = done.result
                if following is not None:
                    given.append(following)
                    worker.give(following)
                    following = next(waiting, None)
            while given and given[0].number in results:
                batch = given.popleft()
                yield batch, results.pop(batch.number)


class _Worker(Generic[Item, Result]):
    """One process, started anew after it was ended.

    Attributes:
        batch: The current batch, or None.
        connection: Our end of the process's pipe, while there is a process.
    """

    def __init__(self, work: Work[Item, Result], limits: Limits) -> None:
        self._work = work
        self._limits = limits
        self._process: Any = None
        self.batch: Batch[Item] | None = None
        self.connection: Connection
        self._attempts = 0

    def give(self, batch: Batch[Item]) -> None:
        """Sends a batch, to a starting process once it is ready.

        Sending a batch larger than the pipe earlier would block until then.
        """
        self.batch = batch
        if self._process is None:
            self._start()
        else:
            self._send()

    def _send(self) -> None:
        self._at[:] = [time.monotonic(), IDLE]
        # `look` notices a process that died while idle.
        with suppress(OSError):
            self.connection.send(self.batch)

    def look(self) -> Done | None:
        """The batch's result, or None while the worker is busy.

        Raises:
            OSError: If the work can't write.
            RuntimeError: If the process can't start, or dies outside any item again and again.
        """
        try:
            has_message = self.connection.poll()
            message = self.connection.recv() if has_message else None
        except (EOFError, OSError):
            self._process.join()
            self._retry(Failure("crashed", f"a process that ended with {self._process.exitcode}"))
            return None
        if isinstance(message, OSError):
            raise message
        if isinstance(message, Done):
            self.batch, self._attempts = None, 0
            return message
        if isinstance(message, Ready):
            self._is_ready = True
            self._send()
        elif self._is_overdue():
            self._process.kill()
            self._process.join()
            found = f"more than {self._limit_s():g} s of reading"
            # The worker may have begun the next item just before its end.
            if self._is_overdue():
                self._retry(Failure("timed_out", found))
            else:
                self._at[1] = IDLE
                self._retry(Failure("crashed", found))
        return None

    def stop(self) -> None:
        """Ends the process at once."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self.connection.close()
            self._process = None

    def _start(self) -> None:
        # Spawned, not forked: a fork would inherit the threads' locks and the other pipes.
        context = multiprocessing.get_context("spawn")
        self._at = context.RawArray("d", [time.monotonic(), IDLE])
        self.connection, theirs = context.Pipe()
        self._process = context.Process(
            target=serve,
            args=(theirs, self._at, self._work, self._limits.memory_bytes),
            daemon=True,
        )
        with _without_sigint():
            self._process.start()
        theirs.close()
        self._is_ready = False

    def _is_overdue(self) -> bool:
        if self._is_ready and self._at[1] == IDLE:
            return False
        return time.monotonic() - float(self._at[0]) > self._limit_s()

    def _limit_s(self) -> float:
        """The seconds that the process's current step may take."""
        if not self._is_ready:
            return START_TIMEOUT_S
        assert self.batch is not None
        # In a single batch, the only work on several items is writing.
        is_writing = self.batch.is_single and self._at[1] == len(self.batch.items)
        return WRITE_TIMEOUT_S if is_writing else self._limits.timeout_s

    def _retry(self, failure: Failure) -> None:
        """Gives the batch of an ended process to a new process, without the item to blame."""
        batch, item, is_ready = self.batch, int(self._at[1]), self._is_ready
        assert batch is not None
        self.stop()
        if not is_ready:
            raise RuntimeError(f"{failure.found} before its first item")
        if 0 <= item < len(batch.items):
            batch = replace(batch, failures={**batch.failures, item: failure})
        else:
            self._attempts += 1
            if self._attempts == _MOST_ATTEMPTS:
                raise RuntimeError(f"{failure.found}, {self._attempts} times, at no item")
            batch = replace(batch, is_single=True)
        self.give(batch)


@contextmanager
def _without_sigint() -> Iterator[None]:
    """Ignores Ctrl-C, so that a process started inside ignores it from its first import on.

    Without effect outside the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
