"""HTTP: Connect, gRPC-Web and JSON, answered by the calls of gRPC.

Each call meets the same `Calls` as over gRPC: limits, tokens, deadlines, statuses and log. The
library `connectrpc` would need a second form of them: it reads the whole body of a unary call, of
any caller and however many there are, before it asks a handler. CONTRIBUTING.md has the comparison.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import grpc
from google.rpc.status_pb2 import Status

from .calls import Calls
from .connect import Wire, error_of
from .exchange import Exchange, Receive, Send
from .http_call import HttpCall
from .readers import Readers
from .settings import Settings

_UNARY_TYPES = "application/json, application/proto, application/grpc-web+proto"
_STREAM_TYPES = "application/connect+json, application/connect+proto, application/grpc-web+proto"
_SENT = (
    "authorization, connect-protocol-version, connect-timeout-ms, content-type, grpc-timeout, "
    "x-grpc-web, x-request-id, x-user-agent"
)
_READ = "grpc-message, grpc-status, grpc-status-details-bin, trailer-x-request-id"
"""The headers that pages of allowed origins may send and read."""
_REMEMBER_S = "7200"
"""Seconds for which a browser remembers a permission; Chromium's most."""

_NO_METHOD = grpc.StatusCode.UNIMPLEMENTED

Scope = Mapping[str, Any]


class Handlers:
    """The methods of services, which register here as they do with a server of gRPC."""

    def __init__(self) -> None:
        self._methods: dict[str, grpc.RpcMethodHandler] = {}

    def add_generic_rpc_handlers(self, _: object) -> None:
        """Takes none: generated code registers each method by its name, too."""

    def add_registered_method_handlers(
        self, service: str, handlers: Mapping[str, grpc.RpcMethodHandler]
    ) -> None:
        self._methods |= {f"/{service}/{name}": each for name, each in handlers.items()}

    def get(self, path: str) -> grpc.RpcMethodHandler | None:
        """The method of a path."""
        return self._methods.get(path)


class _Details(NamedTuple):
    """The details of a call that gRPC gives an interceptor."""

    method: str
    invocation_metadata: Sequence[tuple[str, str]]


class HttpApp:
    """The application that hypercorn runs.

    Args:
        handlers: The methods.
        calls: Bounds and logs all calls.
        settings: The limits, and the origins whose pages may call.
        readers: Read requests in JSON.
    """

    def __init__(
        self, handlers: Handlers, calls: Calls, settings: Settings, readers: Readers
    ) -> None:
        self._handlers = handlers
        self._calls = calls
        self._settings = settings
        self._readers = readers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        metadata = [
            (name.decode("latin-1"), text.decode("latin-1")) for name, text in scope["headers"]
        ]
        headers, path = dict(metadata), scope["path"]
        handler, origin = self._handlers.get(path), headers.get("origin")
        shared = {} if origin is None else self._permission(origin)
        if origin is not None and not shared:
            # Also a page that has a name of its own resolved to this machine.
            answer = _refusal(
                403,
                grpc.StatusCode.PERMISSION_DENIED,
                f"a page of {origin!r}; expected an origin of the setting allow_origins",
            )
        elif scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            answer = _Answer(204, {}, b"")
        elif handler is None or handler.request_streaming:
            answer = _refusal(404, _NO_METHOD, f"{path!r} is no method; expected /SERVICE/METHOD")
        else:
            judged = _judge(scope["method"], path, headers, is_stream=handler.response_streaming)
            if not isinstance(judged, _Answer):
                wire, timeout_s = judged
                call = HttpCall(
                    receive,
                    send,
                    wire=wire,
                    kind=type(handler.request_deserializer(b"")),
                    caller=scope["client"],
                    timeout_s=timeout_s,
                    headers=shared,
                    settings=self._settings,
                    readers=self._readers,
                )
                await call.answer(await self._guarded(handler, _Details(path, metadata)))
                return
            answer = judged
        exchange = Exchange(receive, send, self._settings)
        try:
            await exchange.end(answer.status, {**answer.headers, **shared}, answer.body)
        finally:
            exchange.close()

    async def _guarded(self, handler: grpc.RpcMethodHandler, details: _Details) -> Any:
        """The method, as `Calls` guards it."""

        async def find(_: object) -> grpc.RpcMethodHandler:
            return handler

        guarded = await self._calls.intercept_service(find, details)
        return guarded.stream_stream or guarded.stream_unary

    def _permission(self, origin: str) -> dict[str, str]:
        """The headers that let a browser's page of an origin call and read replies, if it may."""
        if not {origin, "*"} & set(self._settings.allow_origins):
            return {}
        return {
            "access-control-allow-origin": origin,
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": _SENT,
            "access-control-expose-headers": _READ,
            "access-control-max-age": _REMEMBER_S,
            "vary": "Origin",
        }


class _Answer(NamedTuple):
    """The answer to a request that is no call."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def _refusal(status: int, code: grpc.StatusCode, message: str, **headers: str) -> _Answer:
    error = error_of(Status(code=code.value[0], message=message))
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return _Answer(
        status, {"content-type": "application/json", **given}, json.dumps(error).encode()
    )


def _judge(
    verb: str, path: str, headers: Mapping[str, str], *, is_stream: bool
) -> _Answer | tuple[Wire, float | None]:
    """The form and the time of a call, or why a request is no call."""
    if verb != "POST":
        return _refusal(405, _NO_METHOD, f"{verb} {path}; expected POST", allow="POST")
    content_type = headers.get("content-type", "")
    wire = Wire.of(content_type, is_stream=is_stream)
    if wire is None:
        types = _STREAM_TYPES if is_stream else _UNARY_TYPES
        said = f"content type {content_type!r}; expected one of {types}"
        return _refusal(415, _NO_METHOD, said, accept_post=types)
    compression = wire.compression(headers)
    if compression != "identity":
        said = f"a request compressed by {compression!r}; expected no compression"
        return _refusal(415, _NO_METHOD, said, accept_encoding="identity")
    try:
        return wire, wire.timeout_s(headers)
    except ValueError as error:
        said = f"the timeout {str(error)!r}; expected whole milliseconds"
        return _refusal(400, grpc.StatusCode.INVALID_ARGUMENT, said)
