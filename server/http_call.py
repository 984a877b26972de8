"""A call over HTTP, as `Calls` sees a call: the context that gRPC gives a method."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from .connect import Wire, json_to_bytes
from .exchange import Exchange, Receive, Send
from .readers import Readers
from .settings import Settings

_DETAILS_KEY = "grpc-status-details-bin"

Trailers = Sequence[tuple[str, str | bytes]]


class HttpCall:
    """Has the methods of gRPC's context that `Calls` uses.

    Args:
        receive: Gives the next part of the request.
        send: Sends the next part of the reply.
        wire: The form of the bodies.
        kind: The class of the request's message.
        caller: The caller's host and port.
        timeout_s: Seconds that the caller gives the call, if any.
        headers: Further headers of the reply.
        settings: The limits.
        readers: Read requests in JSON.
    """

    def __init__(
        self,
        receive: Receive,
        send: Send,
        *,
        wire: Wire,
        kind: type[Message],
        caller: tuple[str, int],
        timeout_s: float | None,
        headers: Mapping[str, str],
        settings: Settings,
        readers: Readers,
    ) -> None:
        self._wire = wire
        self._kind = kind
        self._caller = caller
        self._timeout_s = timeout_s
        self._end_s = None if timeout_s is None else time.monotonic() + timeout_s
        self._headers = {"content-type": wire.content_type, **headers}
        self._settings = settings
        self._readers = readers
        self._trailers: dict[str, str] = {}
        self._status = Status()
        self._work: asyncio.Task[Message | None] | None = None
        self._exchange = Exchange(
            receive, send, settings, on_large=self._refuse_large, on_left=self._leave
        )

    async def answer(self, method: Callable[..., Coroutine[Any, Any, Message | None]]) -> None:
        """Lets a method of `Calls` answer."""
        loop = asyncio.get_running_loop()
        work = self._work = loop.create_task(method(None, self))
        if self._timeout_s is not None:
            loop.call_later(
                self._timeout_s, self._cut, grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded"
            )
        try:
            await asyncio.wait({work})
            await self._finish(work)
        finally:
            work.cancel()
            self._exchange.close()

    async def _finish(self, work: asyncio.Task[Message | None]) -> None:
        last = b""
        if not work.cancelled() and not isinstance(work.exception(), grpc.aio.AbortError):
            self._status = Status()
            reply = work.result()
            last = b"" if reply is None else self._wire.reply(reply)
        ending = self._wire.end(self._status, self._trailers)
        headers = {**self._headers, **ending.headers}
        await self._exchange.end(ending.status, headers, last + ending.body)

    def _cut(self, code: grpc.StatusCode, message: str) -> None:
        """Ends the work as gRPC ends a call: the caller gets the code, the method is cancelled."""
        if self._work is not None and not self._work.done():
            self._status = Status(code=code.value[0], message=message)
            self._work.cancel()

    def _refuse_large(self) -> None:
        most = self._settings.max_message_bytes
        self._cut(grpc.StatusCode.RESOURCE_EXHAUSTED, f"a request of more than {most} bytes")

    def _leave(self) -> None:
        self._cut(grpc.StatusCode.CANCELLED, "the caller left")

    # The context of gRPC

    async def read(self) -> Any:
        """The request as bytes, or `grpc.aio.EOF` if there is none."""
        data = self._wire.request(await self._exchange.body)
        if data is None:
            return grpc.aio.EOF
        if self._wire.is_json:
            most = self._settings.max_submessages
            return await self._readers.read(len(data), json_to_bytes, self._kind, data, most)
        return data

    async def write(self, reply: Message) -> None:
        await self._exchange.part(self._wire.reply(reply))

    async def send_initial_metadata(self, _: Sequence[tuple[str, str]]) -> None:
        await self._exchange.begin(200, self._headers)

    def set_trailing_metadata(self, trailers: Trailers) -> None:
        self._trailers = {name: value for name, value in trailers if isinstance(value, str)}

    async def abort(self, code: grpc.StatusCode, message: str, trailers: Trailers) -> None:
        self.set_trailing_metadata(trailers)
        self._status = Status(code=code.value[0], message=message)
        packed = dict(trailers).get(_DETAILS_KEY)
        if isinstance(packed, bytes):
            self._status = Status.FromString(packed)
        raise grpc.aio.AbortError

    def time_remaining(self) -> float | None:
        """Seconds to the caller's deadline, if any."""
        return None if self._end_s is None else max(self._end_s - time.monotonic(), 0.0)

    def peer(self) -> str:
        """The caller's address, as gRPC writes it."""
        host, port = self._caller
        return f"ipv6:%5B{host}%5D:{port}" if ":" in host else f"ipv4:{host}:{port}"
