"""The port of HTTP: hypercorn speaks HTTP/1.1 and HTTP/2 on it, and an application answers."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any, cast

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Event, Updated
from hypercorn.protocol import h2

from .http_app import HttpApp
from .port import listen, tls_context
from .settings import Settings

_HANDSHAKE_S = 10.0
_KEEP_S = 30.0
"""Seconds for which a connection may be idle, or send the head of its first request."""
_END_S = 1.0
"""Seconds for which the ends of connections are awaited after the grace."""

log = logging.getLogger(__name__)


class HttpPort:
    """The open port. `open_http` makes it.

    It takes connections itself, and lets hypercorn speak with each: hypercorn's own loop neither
    takes new certificates, nor ends within a time, and logs the whole exception of a caller who
    breaks a protocol.

    Attributes:
        url: Its address, as `http://host:port` or `https://host:port`.
    """

    def __init__(self, url: str, app: HttpApp, settings: Settings) -> None:
        self.url = url
        self._app = ASGIWrapper(app)
        self._config = Config()
        self._config.errorlog = log
        self._config.include_server_header = False
        self._config.keep_alive_timeout = _KEEP_S
        self._config.h2_max_concurrent_streams = settings.max_connection_calls
        self._context = WorkerContext(None)
        self._connections: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None

    async def open(self, listening: socket.socket, settings: Settings) -> None:
        """Takes connections from now on."""
        has_tls = settings.tls_certificate is not None
        self._server = await asyncio.start_server(
            self._speak,
            sock=listening,
            ssl=tls_context(settings) if has_tls else None,
            ssl_handshake_timeout=_HANDSHAKE_S if has_tls else None,
        )

    async def close(self, grace_s: float) -> None:
        """Takes no new calls, and gives the calls in flight `grace_s` to finish."""
        if self._server is not None:
            self._server.close()
        await self._context.terminated.set()
        if self._connections:
            await asyncio.wait(self._connections, timeout=grace_s)
        late = dict(self._connections)
        for task, writer in late.items():
            writer.transport.abort()  # else its end waits until the caller reads
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_END_S)

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio gives each connection a task"
        self._connections[task] = writer
        task.add_done_callback(self._connections.pop)
        loop, quiet = asyncio.get_running_loop(), cast("asyncio.StreamWriter", _Writer(writer))
        try:
            await _Connection(self._app, loop, self._config, self._context, {}, reader, quiet)
        except ExceptionGroup as errors:
            # Paths that are no ASCII, more streams than there may be, and other breaches.
            names = ", ".join(type(each).__name__ for each in errors.exceptions)
            log.warning("a connection broke the protocol of HTTP: %s", names)
        except asyncio.CancelledError:  # by `close`; asyncio would log it with its traceback
            return


async def open_http(app: HttpApp, settings: Settings, port: int) -> HttpPort:
    """Opens the port of HTTP.

    Raises:
        SettingError: If the server can't listen there, or a certificate can't be read.
    """
    listening = listen(settings.host, port, "http_port", shares=settings.shares_ports)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # replies have several parts
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # The kernel ends connections whose callers do not read.
        unread_ms = int(1000 * settings.max_unread_s)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unread_ms)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    scheme = "http" if settings.tls_certificate is None else "https"
    opened = HttpPort(f"{scheme}://{host}:{listening.getsockname()[1]}", app, settings)
    await opened.open(listening, settings)
    return opened


class _Connection(TCPServer):
    """A connection that ends as soon as its caller has closed it.

    hypercorn's own keeps it open for as long as an idle connection.
    """

    async def protocol_send(self, event: Event) -> None:
        if not (isinstance(event, Updated) and self.reader.at_eof()):
            await super().protocol_send(event)

    async def _read_data(self) -> None:
        await super()._read_data()
        # hypercorn's calls over HTTP/2 would wait until their caller, who has left, reads the rest.
        for buffer in getattr(self.protocol.protocol, "stream_buffers", {}).values():
            await buffer.close()
        await self.idle_task.stop()


class _Writer:
    """A connection's writer that drops what comes after the connection's end.

    hypercorn goes on writing, and asyncio would log each time.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)

    def write(self, data: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(data)


class _StreamBuffer(h2.StreamBuffer):
    """Bytes of a reply that wait for their caller over HTTP/2.

    The buffer of hypercorn 0.18 takes more, without end, once its caller takes nothing.
    """

    async def pop(self, max_length: int) -> bytes:
        data = bytes(self.buffer[:max_length])
        del self.buffer[:max_length]
        if len(self.buffer) < h2.BUFFER_LOW_WATER:
            await self._paused.set()
        if not self.buffer:
            await self._is_empty.set()
        return data


h2.StreamBuffer = _StreamBuffer  # type: ignore[misc]  # hypercorn has no setting for it
