"""Several processes behind one port, for all cores.

Each is a whole server. All listen on the same ports, and the system gives each new connection to
one of them (SO_REUSEPORT); the calls of a connection stay with its process. A process that dies is
replaced, and its callers connect to another.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from types import FrameType

from musicvae.bundle.format import load
from musicvae.errors import MusicVAEError, SettingError

from .log import set_up_log
from .port import listen
from .serving import serve
from .settings import Settings

_STOPPING = (signal.SIGTERM, signal.SIGINT)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Refused:
    """An error of a process, in parts: errors themselves can't be sent."""

    found: str
    expected: str
    action: str
    field: str | None


@dataclass(eq=False)
class _Worker:
    """A process.

    Attributes:
        number: Its number, from 0.
        process: The process.
        said: The end of a pipe where its lines arrive; it ends with the parent's end.
        is_first: Whether it replaces no other.
        is_ready: Whether its models have made music.
    """

    number: int
    process: BaseProcess
    said: Connection
    is_first: bool
    is_ready: bool = False


def serve_workers(
    settings: Settings, bundles: Sequence[str | Path], count: int, say: Callable[[str], None]
) -> None:
    """Serves with several processes until SIGTERM or SIGINT; see `serve`.

    Raises:
        SettingError: If an address can't be used, or a setting is for one process alone.
    """
    if settings.admin_port is not None:
        raise SettingError(
            f"`admin_port` with {count} workers",
            expected="one process: a call would change the models of one process alone",
            action="Follow a folder instead, with `model_folder`.",
            field="admin_port",
        )
    set_up_log(settings.log_format)
    settings = replace(settings, shares_ports=True)
    held = []
    for field in ("port", "http_port"):
        port = getattr(settings, field)
        if port is not None:
            held.append(_hold(settings.host, port, field))
            settings = replace(settings, **{field: held[-1].getsockname()[1]})
    try:
        _Workers(settings, bundles, count, say).run()
    finally:
        for each in held:
            each.close()


class _Workers:
    def __init__(
        self,
        settings: Settings,
        bundles: Sequence[str | Path],
        count: int,
        say: Callable[[str], None],
    ) -> None:
        self._settings, self._bundles, self._say = settings, bundles, say
        self._is_stopping = False
        self._workers = [self._start(number, is_first=True) for number in range(count)]

    def run(self) -> None:
        """Waits for what the processes say, and for their ends."""
        for number in _STOPPING:
            signal.signal(number, self._stop)
        while self._workers:
            ready = wait([each.said for each in self._workers])
            for worker in [each for each in self._workers if each.said in ready]:
                self._hear(worker)

    def _start(self, number: int, *, is_first: bool) -> _Worker:
        context = get_context("spawn")
        said, saying = context.Pipe()
        settings = self._settings
        if settings.metrics_port:  # each has its own figures
            settings = replace(settings, metrics_port=settings.metrics_port + number)
        process = context.Process(
            target=_work, args=(settings, self._bundles, saying), name=f"worker-{number}"
        )
        process.start()
        saying.close()
        return _Worker(number, process, said, is_first)

    def _hear(self, worker: _Worker) -> None:
        try:
            line = worker.said.recv()
        except (EOFError, OSError):
            self._end(worker)
            return
        if isinstance(line, _Refused):
            self._stop()
            raise SettingError(
                line.found, expected=line.expected, action=line.action, field=line.field
            )
        worker.is_ready = True
        if worker.is_first and worker.number == 0:
            self._say(line)

    def _end(self, worker: _Worker) -> None:
        """A process has ended."""
        worker.process.join()
        self._workers.remove(worker)
        if self._is_stopping:
            return
        log.warning("worker %d ended with %s", worker.number, worker.process.exitcode)
        if not worker.is_ready:
            self._stop()
            raise SystemExit(worker.process.exitcode or 1)
        self._workers.append(self._start(worker.number, is_first=False))

    def _stop(self, number: int = signal.SIGTERM, _: FrameType | None = None) -> None:
        """Lets the processes finish; a second signal ends them at once."""
        if self._is_stopping:
            for each in self._workers:
                each.process.kill()
        elif number == signal.SIGTERM:  # a terminal sends SIGINT to all processes itself
            for each in self._workers:
                each.process.terminate()
        self._is_stopping = True


def _work(settings: Settings, bundles: Sequence[str | Path], saying: Connection) -> None:
    """A process of its own."""
    Thread(target=_end_with_parent, args=(saying,), daemon=True).start()
    try:
        serve(settings, [load(each) for each in bundles], saying.send)
    except MusicVAEError as error:
        saying.send(_Refused(error.found, error.expected, error.action, error.field))
    except (BrokenPipeError, KeyboardInterrupt):
        pass


def _end_with_parent(saying: Connection) -> None:
    """Stops this process once the parent is gone: nothing else would."""
    try:
        saying.recv()
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)


def _hold(host: str, port: int, field: str) -> socket.socket:
    """Holds a port for the processes, without listening on it.

    Raises:
        SettingError: If the address can't be used.
    """
    listening = listen(host, port, field)  # nobody else may be there
    address = listening.getsockname()
    held = socket.socket(listening.family, socket.SOCK_STREAM)
    listening.close()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind(address)
    return held
