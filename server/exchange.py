"""A request and its reply over HTTP, in the words of ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from .settings import Settings

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Exchange:
    """Takes the parts of a request as they come, and sends a reply.

    It takes all parts, wanted or not: hypercorn stops reading a connection, for ever, if parts of a
    request wait.

    Args:
        receive: Gives the next part of the request.
        send: Sends the next part of the reply.
        settings: The limits.
        on_large: Called once if the body is too large.
        on_left: Called if the caller leaves before the reply ends.

    Attributes:
        body: The whole body; cancelled if it is too large, or the reply ends before it is whole.
    """

    def __init__(
        self,
        receive: Receive,
        send: Send,
        settings: Settings,
        *,
        on_large: Callable[[], None] = lambda: None,
        on_left: Callable[[], None] = lambda: None,
    ) -> None:
        self._receive = receive
        self._send = send
        self._settings = settings
        self._on_large = on_large
        self._on_left = on_left
        self._is_begun = False
        self._is_whole = asyncio.Event()
        self.body: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._taking = asyncio.create_task(self._take())

    async def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Sends the head of the reply, if it is not sent yet."""
        if not self._is_begun:
            self._is_begun = True
            lines = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
            await self._send({"type": "http.response.start", "status": status, "headers": lines})

    async def part(self, body: bytes, *, has_more: bool = True) -> None:
        """Sends a part of the reply's body."""
        await self._send({"type": "http.response.body", "body": body, "more_body": has_more})

    async def end(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Sends the end of the reply, and its head if it is not sent yet; gives up if nobody reads.

        A caller may still be sending, and most read only then: the end waits for them a while.
        """
        self.body.cancel()  # nobody wants the rest
        try:
            async with asyncio.timeout(self._settings.max_unread_s):
                await self.begin(status, headers)
                await self.part(body)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.max_body_s):
                    await self._is_whole.wait()
            async with asyncio.timeout(self._settings.max_unread_s):
                await self.part(b"", has_more=False)
                await self._taking
        except TimeoutError:
            return

    def close(self) -> None:
        """Ends the exchange."""
        self._taking.cancel()

    async def _take(self) -> None:
        body, most = bytearray(), self._settings.max_message_bytes
        while (part := await self._receive())["type"] != "http.disconnect":
            if self.body.done():
                body.clear()
            else:
                body += part.get("body", b"")
                if len(body) > most:
                    self.body.cancel()
                    self._on_large()
            if not part.get("more_body", False):
                self._is_whole.set()
                if not self.body.done():
                    self.body.set_result(bytes(body))
        self._is_whole.set()
        self._on_left()
