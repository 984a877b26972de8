"""Every exception as a gRPC status: one table, and the interceptor that applies it."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import status_pb2

from musicvae.errors import (
    BusyError,
    ModelNotFoundError,
    MusicVAEError,
    ServiceError,
    SettingError,
)
from musicvae.rpc.error_details import error_to_status

CODES: tuple[tuple[type[MusicVAEError], grpc.StatusCode], ...] = (
    (BusyError, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (ModelNotFoundError, grpc.StatusCode.NOT_FOUND),
    (MusicVAEError, grpc.StatusCode.INVALID_ARGUMENT),
)
"""The first line that matches an error gives its code; an error without a line is INTERNAL."""

_DETAILS_KEY = "grpc-status-details-bin"

log = logging.getLogger(__name__)


def to_status(error: Exception) -> status_pb2.Status:
    """The status for an error.

    For our own mistakes it shows the id of an incident; the log has the exception under that id.
    """
    for kind, code in CODES:
        if isinstance(error, kind):
            return error_to_status(error, code.value[0])
    incident = uuid.uuid4().hex
    log.error("incident %s", incident, exc_info=error)
    message = f"a fault of the server; report incident {incident}"
    return status_pb2.Status(code=grpc.StatusCode.INTERNAL.value[0], message=message)


class StatusInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # untyped
    """Applies the table to the calls of one service, and logs one line a call.

    Streams of other services (health, reflection) only get a time limit: each takes up a call.

    Args:
        service: Full name of the service.
        max_call_s: Seconds that a call of any service may take.
    """

    def __init__(self, service: str, *, max_call_s: float) -> None:
        self._prefix = f"/{service}/"
        self._max_call_s = max_call_s

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None:
            return handler
        if not method.startswith(self._prefix):
            return _ending(handler, self._max_call_s)
        make, call = (
            (grpc.unary_stream_rpc_method_handler, handler.unary_stream)
            if handler.response_streaming
            else (grpc.unary_unary_rpc_method_handler, handler.unary_unary)
        )
        name = method.removeprefix(self._prefix)
        # Without a deserializer the call gets bytes, so that our table covers broken messages.
        return make(
            _guard(call, handler.request_deserializer, name, self._max_call_s),
            # Else the order of a map's entries differs between processes.
            response_serializer=partial(handler.response_serializer, deterministic=True),
        )


def _guard(
    call: Callable[[Message, grpc.aio.ServicerContext], Awaitable[Message | None]],
    parse: Callable[[bytes], Message],
    name: str,
    max_call_s: float,
) -> Callable[[bytes, grpc.aio.ServicerContext], Awaitable[Message | None]]:
    async def guarded(data: bytes, context: grpc.aio.ServicerContext) -> Message | None:
        start, code = time.monotonic(), "CANCELLED"
        limit = asyncio.timeout(max_call_s)
        try:
            async with limit:
                reply = await call(_parse(parse, data), context)
        except asyncio.CancelledError:
            # The caller left, or its deadline passed; otherwise the caller still needs an answer.
            if not _is_cancelled():
                code = "UNAVAILABLE"
                await context.abort(grpc.StatusCode.UNAVAILABLE, "the server is stopping")
            raise
        except Exception as error:  # the one place that catches everything
            status = _too_long(max_call_s) if limit.expired() else to_status(error)
            code = _CODE_NAMES[status.code]
            await context.abort(
                grpc.StatusCode[code],
                status.message,
                ((_DETAILS_KEY, status.SerializeToString()),),
            )
            raise
        else:
            code = "OK"
            return reply
        finally:
            log.info("%s %s %.0f ms", name, code, 1000 * (time.monotonic() - start))

    return guarded


def _ending(handler: grpc.RpcMethodHandler, max_call_s: float) -> grpc.RpcMethodHandler:
    """The handler with a time limit on its streams."""
    if not handler.response_streaming:
        return handler
    make, call = (
        (grpc.stream_stream_rpc_method_handler, handler.stream_stream)
        if handler.request_streaming
        else (grpc.unary_stream_rpc_method_handler, handler.unary_stream)
    )

    async def ending(request: Any, context: grpc.aio.ServicerContext) -> None:
        limit = asyncio.timeout(max_call_s)
        try:
            async with limit:
                replies = call(request, context)
                if isinstance(replies, AsyncIterator):
                    async for reply in replies:
                        await context.write(reply)
                else:
                    await replies
        except TimeoutError:
            if not limit.expired():
                raise
            status = _too_long(max_call_s)
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, status.message)

    return make(ending, handler.request_deserializer, handler.response_serializer)


def _too_long(max_call_s: float) -> status_pb2.Status:
    error = ServiceError(
        f"a call of more than {max_call_s:g} s",
        expected="a call within that time",
        action="Ask for less in one call, and read the replies as they arrive.",
    )
    return error_to_status(error, grpc.StatusCode.DEADLINE_EXCEEDED.value[0])


def _parse(parse: Callable[[bytes], Message], data: bytes) -> Message:
    try:
        return parse(data)
    except DecodeError as error:
        raise SettingError(
            f"{len(data)} bytes that are no message of this call",
            expected="a request of musicvae.v1",
            action="Write it with code generated from the contract.",
        ) from error


def _is_cancelled() -> bool:
    task: asyncio.Task[Any] | None = asyncio.current_task()
    return task is not None and task.cancelling() > 0


_CODE_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}
