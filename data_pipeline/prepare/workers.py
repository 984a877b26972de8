"""Cuts chunks in processes of their own, whatever a piece does to its process.

A file from a stranger may crash a parser, hang it or eat the memory. A process says which piece it
is at, and since when, in memory that it shares with us: one that dies, or takes too long over a
piece, is ended, and its chunk is given again with that piece refused. One that is ended while it is
at many pieces has them given again one by one. So every chunk's file comes to be, and the others of
its pieces lose nothing.
"""

import multiprocessing
import multiprocessing.sharedctypes
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any

from musicvae.data_pipeline.cut.chunks import Chunk, cut_chunk, unwritable
from musicvae.data_pipeline.cut.cut import refuse
from musicvae.data_pipeline.cut.excerpts import CutSettings

START_TIMEOUT_S = 120.0
"""A process that takes longer than this to start and import is as good as hung."""

GIVEN_UP = ("crashed", "timed_out", "out_of_memory")
"""Reasons that hang on the machine and the moment, too."""

WRITE_TIMEOUT_S = 120.0
"""A disk that takes longer than this to take some MiB is as good as hung."""

_LOOK_S = 0.2
"""How often we look whether a piece takes too long."""

_MOST_ATTEMPTS = 3
"""A process that dies at no piece in particular is ours to mend, if it always does."""

_IDLE = -1.0

_READY, _DONE = "ready", "done"


@dataclass(frozen=True, kw_only=True)
class WorkSettings:
    """How chunks are worked on.

    Attributes:
        cut: How pieces are cut.
        timeout_s: How long one piece may take, in seconds.
        memory_bytes: How much memory a process may take for one chunk, beyond what it has before.
    """

    cut: CutSettings
    timeout_s: float
    memory_bytes: int


class Pool:
    """Processes that cut chunks; a context that ends them.

    Args:
        settings: How chunks are worked on.
        workers: The number of processes, 1 or more; none is started before there is work for it.
    """

    def __init__(self, settings: WorkSettings, *, workers: int) -> None:
        self._workers = [_Worker(settings) for _ in range(workers)]

    def __enter__(self) -> "Pool":  # noqa: PYI034  # the checker of shapes knows no Self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.stop()

    def run(self, chunks: Iterable[Chunk], folder: Path) -> Generator[Chunk, None, None]:
        """Writes the file of each chunk to the folder, and yields each chunk that is done.

        Raises:
            DataError: If the folder can't be written.
            RuntimeError: If a process can't even start: no piece is at fault then.
        """
        waiting = iter(chunks)
        for worker in self._workers:
            if (chunk := next(waiting, None)) is not None:
                worker.give(chunk, folder)
        # The next chunk is made while the processes work.
        following = next(waiting, None)
        while busy := [worker for worker in self._workers if worker.chunk is not None]:
            wait([worker.connection for worker in busy], timeout=_LOOK_S)
            for worker in busy:
                done = worker.look(folder)
                if done is None:
                    continue
                if following is not None:
                    worker.give(following, folder)
                    following = next(waiting, None)
                yield done


class _Worker:
    """One process, started anew when it was ended.

    Attributes:
        chunk: The chunk under way, or None.
        connection: Our end of its pipe, while there is a process.
    """

    def __init__(self, settings: WorkSettings) -> None:
        self._settings = settings
        self._process: Any = None
        self.chunk: Chunk | None = None
        self.connection: Connection
        self._attempts = 0

    def give(self, chunk: Chunk, folder: Path) -> None:
        """Hands over a chunk; a process that starts gets it when it is ready.

        Sent before, a chunk that is larger than the pipe would hold us up until then.
        """
        self.chunk = chunk
        if self._process is None:
            self._start()
        else:
            self._send(folder)

    def _send(self, folder: Path) -> None:
        self._place[:] = [time.monotonic(), _IDLE]
        # A process that died while idle is noticed by `look`.
        with suppress(OSError):
            self.connection.send((self.chunk, folder))

    def look(self, folder: Path) -> Chunk | None:
        """The chunk, if it is done by now.

        Raises:
            DataError: If its file can't be written.
            RuntimeError: If the process can't even start, or dies whatever it is given.
        """
        assert self.chunk is not None
        try:
            has_message = self.connection.poll()
            message = self.connection.recv() if has_message else None
        except (EOFError, OSError):
            self._process.join()
            self._give_again("crashed", self._ending(), folder)
            return None
        if has_message:
            if message == _DONE:
                done, self.chunk, self._attempts = self.chunk, None, 0
                return done
            if isinstance(message, OSError):
                raise unwritable(folder, message) from message
            self._is_ready = True
            self._send(folder)
        elif self._is_overdue():
            self._process.kill()
            self._process.join()
            # It may have got on just before the end.
            reason = "timed_out" if self._is_overdue() else "crashed"
            found = f"more than {self._limit_s():g} s of reading"
            if reason == "crashed":
                self._place[1] = _IDLE
            self._give_again(reason, found, folder)
        return None

    def stop(self) -> None:
        """Ends the process, whatever it is doing."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self.connection.close()
            self._process = None

    def _start(self) -> None:
        # Spawned, not forked: a fork would inherit the threads' locks and the other pipes.
        context = multiprocessing.get_context("spawn")
        self._place = context.RawArray("d", [time.monotonic(), _IDLE])
        self.connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self._place, self._settings), daemon=True
        )
        with _without_sigint():
            self._process.start()
        theirs.close()
        self._is_ready = False

    def _is_overdue(self) -> bool:
        if self._is_ready and self._place[1] == _IDLE:
            return False
        return time.monotonic() - float(self._place[0]) > self._limit_s()

    def _limit_s(self) -> float:
        """How long what it is at may take."""
        if not self._is_ready:
            return START_TIMEOUT_S
        assert self.chunk is not None
        # One by one, nothing is done for many but writing.
        is_writing = self.chunk.one_by_one and self._place[1] == len(self.chunk.pieces)
        return WRITE_TIMEOUT_S if is_writing else self._settings.timeout_s

    def _ending(self) -> str:
        return f"a process that ended with {self._process.exitcode}"

    def _give_again(self, reason: str, found: str, folder: Path) -> None:
        """Gives the chunk of an ended process again, without the piece that ended it."""
        chunk, number, is_ready = self.chunk, int(self._place[1]), self._is_ready
        assert chunk is not None
        self.stop()
        if not is_ready:
            raise RuntimeError(f"{found} before its first piece")
        if 0 <= number < len(chunk.pieces):
            refused = refuse(reason, found)
            chunk = replace(chunk, results={**chunk.results, number: refused})
        else:
            self._attempts += 1
            if self._attempts == _MOST_ATTEMPTS:
                raise RuntimeError(f"{found}, {self._attempts} times, at no piece in particular")
            chunk = replace(chunk, one_by_one=True)
        self.give(chunk, folder)


def _serve(
    connection: Connection,
    place: "multiprocessing.sharedctypes.SynchronizedArray[float]",
    settings: WorkSettings,
) -> None:
    """What a process does: chunks in, files out, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")  # parsers warn of every oddity of every file
    memory = _MemoryLimit(settings.memory_bytes)

    def begin(number: int) -> None:
        memory.allow_for_music21()
        # In this order: one who reads the number sees a time that is not later.
        place[0] = time.monotonic()
        place[1] = number

    def work(chunk: Chunk, folder: Path) -> str | OSError:
        memory.set()
        try:
            cut_chunk(chunk, settings.cut, folder, begin)
        except OSError as error:  # of writing: those of reading are the pieces'
            return error
        return _DONE

    # Only the pipe's own errors mean that the parent is gone.
    with suppress(EOFError, OSError):
        connection.send(_READY)
        while True:
            connection.send(work(*connection.recv()))


@contextmanager
def _without_sigint() -> Iterator[None]:
    """Ignores Ctrl-C, and has what is started meanwhile ignore it from its first import on.

    Only the main thread can.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _end_with_parent() -> None:
    """Ends this process with its parent, even where that is killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


class _MemoryLimit:
    """A limit on the data of this process; where the system has none, nothing."""

    def __init__(self, memory_bytes: int) -> None:
        self._memory_bytes = memory_bytes
        self._has_music21 = False

    def set(self) -> None:
        """Sets the limit: what the process has now, and `memory_bytes` more."""
        try:
            import resource  # noqa: PLC0415  # not on Windows
        except ImportError:
            return
        with suppress(ValueError, OSError):
            pages = int(Path("/proc/self/statm").read_text().split()[5])
            limit = pages * resource.getpagesize() + self._memory_bytes
            hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
            resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))

    def allow_for_music21(self) -> None:
        """Does not count what music21 takes once it was imported."""
        if not self._has_music21 and "music21" in sys.modules:
            self._has_music21 = True
            self.set()


def run_local(
    chunks: Iterator[Chunk], settings: WorkSettings, folder: Path, *, workers: int
) -> Iterator[Chunk]:
    """Cuts chunks on this machine; yields each that is done."""
    with Pool(settings, workers=workers) as pool:
        yield from pool.run(chunks, folder)
