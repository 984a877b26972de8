"""Runs a function over many items in processes of their own, whatever an item does to its process.

A file from a stranger may crash a parser, hang it or eat the memory. Each item goes to a process
that is given up when it dies or takes too long; the next item gets a new one. One item is under way
in a process at a time, so that a dead process names the item that killed it. Results come in the
order they are ready, each with its item's index.
"""

import multiprocessing
import signal
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from musicvae.errors import MusicVAEError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

START_TIMEOUT_S = 120.0
"""A process that takes longer than this to start and import is as good as hung."""

MOST_MEMORY_BYTES = 8 * 1024**3
"""Address space of one process: a hundred times what a large score needs, on top of what many
threads of a large machine reserve."""

GIVEN_UP = ("crashed", "timed_out")
"""Reasons that hang on the machine and the moment, too."""

_READY = "ready"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no result for an item: `unreadable`, `crashed` or `timed_out`."""

    reason: str
    found: str


@dataclass(frozen=True, slots=True)
class Outcome(Generic[_Result]):
    """What came of the item of this index."""

    index: int
    result: _Result | Failure


def run(
    work: Callable[[_Item], _Result], items: Sequence[_Item], *, workers: int, timeout_s: float
) -> Generator[Outcome[_Result], None, None]:
    """Yields the outcome of each item as it is ready.

    Args:
        work: Can be pickled, as can items and results. An exception it raises is the item's
            failure `unreadable`.
        items: Each is given to one process, in order.
        workers: The number of processes.
        timeout_s: How long one item may take, in seconds.
    """
    waiting = iter(range(len(items)))
    pool = [_Worker(work, timeout_s) for _ in range(min(workers, len(items)))]
    try:
        for worker in pool:
            worker.give(next(waiting), items)
        while any(worker.index is not None for worker in pool):
            busy = [worker for worker in pool if worker.index is not None]
            remaining = min(worker.deadline for worker in busy) - time.monotonic()
            wait([worker.connection for worker in busy], timeout=max(0.0, remaining))
            for worker in busy:
                outcome = worker.take()
                if outcome is None:
                    continue
                if (index := next(waiting, None)) is not None:
                    worker.give(index, items)
                yield outcome
    finally:
        for worker in pool:
            worker.stop()


class _Worker(Generic[_Item, _Result]):
    """One process, started anew for the next item when it was given up.

    Attributes:
        index: The item under way, or None.
        deadline: When the item under way is given up, by `time.monotonic`.
    """

    def __init__(self, work: Callable[[_Item], _Result], timeout_s: float) -> None:
        self._work = work
        self._timeout_s = timeout_s
        self.index: int | None = None
        self.deadline = 0.0
        self._start()

    def _start(self) -> None:
        # Spawned, not forked: a fork would inherit the threads' locks and the other pipes.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._work), daemon=True)
        self._process.start()
        theirs.close()
        self._is_ready = False

    def give(self, index: int, items: Sequence[_Item]) -> None:
        """Hands over the item of this index."""
        if self.connection.closed:
            self._start()
        self.index = index
        self.deadline = time.monotonic() + (self._timeout_s if self._is_ready else START_TIMEOUT_S)
        # A process that died while idle is noticed by `take`.
        with suppress(OSError):
            self.connection.send(items[index])

    def take(self) -> Outcome[_Result] | None:
        """What came of the item, or None while it is under way.

        Raises:
            RuntimeError: If a process can't even start: no item is at fault then.
        """
        assert self.index is not None
        result: _Result | Failure
        if self.connection.poll():
            try:
                result = self.connection.recv()
            except (EOFError, OSError):
                self._process.join()
                found = f"a process that ended with {self._process.exitcode}"
                if not self._is_ready:
                    raise RuntimeError(f"{found} before its first item") from None
                result = Failure("crashed", found)
                self.stop()
            if not self._is_ready and result == _READY:
                self._is_ready = True
                self.deadline = time.monotonic() + self._timeout_s
                return None
        elif time.monotonic() >= self.deadline:
            result = Failure("timed_out", f"more than {self._timeout_s:g} s of reading")
            self.stop()
        else:
            return None
        outcome = Outcome(self.index, result)
        self.index = None
        return outcome

    def stop(self) -> None:
        """Ends the process, whatever it is doing."""
        self._process.kill()
        self._process.join()
        self.connection.close()


def _serve(connection: Connection, work: Callable[[Any], Any]) -> None:
    """What a process does: items in, results out, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends us
    _limit_memory()
    warnings.simplefilter("ignore")  # parsers warn of every oddity of every file
    with suppress(EOFError, OSError):
        connection.send(_READY)
        while True:
            item = connection.recv()
            connection.send(_attempt(work, item))


def _attempt(work: Callable[[_Item], _Result], item: _Item) -> _Result | Failure:
    try:
        return work(item)
    except MusicVAEError as error:
        return Failure("unreadable", error.found)
    except Exception as error:  # noqa: BLE001 (parsers of scores raise anything on strange input)
        return Failure("unreadable", f"{type(error).__name__}: {error}"[:200])


def _limit_memory() -> None:
    try:
        import resource  # noqa: PLC0415 (not on Windows)
    except ImportError:
        return
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
