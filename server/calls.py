"""The life of a call: its body, its place, its replies, its end and its line in the log.

A call takes a place once its request is whole, and lends the place to others while its caller does
not read. Health, reflection, ListModels and GetModel take no place of the calls that make music.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message
from grpc_health.v1.health import SERVICE_NAME as HEALTH

from musicvae.errors import MusicVAEError, ServiceError, SettingError, UnknownCallerError
from musicvae.problems import drop_frames

from .callers import Callers, host_of
from .log import log_call, request_id
from .metrics import Metrics
from .readers import SMALL_BYTES, Readers
from .settings import Settings
from .status import to_status
from .tokens import Tokens
from .traces import NO_SPAN, Span, Traces
from .waits import Places, Waits, lending
from .wire import has_more_messages

REQUEST_ID_KEY = "x-request-id"
"""The metadata that holds a call's id: the caller's own, or a new id; the trailer repeats it."""

_HEALTH = f"/{HEALTH}/"
_LEAVING_S = 0.1
"""A caller who leaves before its request is whole looks for so long like one without a request."""
_LATE_S = 0.1
"""The caller's deadline passes a little before ours: ours counts from the request's arrival."""
_DETAILS_KEY = "grpc-status-details-bin"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")

Parse = Callable[[bytes], Message]
Context = Any
"""The context of gRPC, which is of a class of its compiled code."""


@dataclass(kw_only=True)
class _Call:
    """A call's state, and what the log says of it.

    Attributes:
        span: The call in a trace.
        caller: The name of the caller's token, if the server has tokens.
        is_known: Whether the caller may call.
        is_begun: Whether the head of the reply is sent.
        is_left: Whether its caller left in the middle of a reply.
    """

    method: str
    request_id: str
    span: Span
    places: Places | None
    caller: str = ""
    is_known: bool = True
    model: str = "-"
    size_bytes: int = 0
    replies: int = 0
    is_begun: bool = False
    is_left: bool = False
    start_s: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds since the call began."""
        return time.monotonic() - self.start_s


class Replies:
    """The context that a method of ours gets: it can write replies.

    Args:
        write: Writes one reply.
        left_s: Tells the seconds until the call ends, by its deadline or the server's limit.
        tell_model: Takes the name of the model that answers the call.
        span: The call in a trace.
        caller: The name of the caller, who shares the server with the others.
    """

    def __init__(
        self,
        write: Callable[[Message], Awaitable[None]],
        left_s: Callable[[], float],
        tell_model: Callable[[str], None],
        span: Span,
        caller: str,
    ) -> None:
        self.write = write
        self.caller = caller
        self.left_s = left_s
        self.tell_model = tell_model
        self.span = span


class Calls(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # untyped
    """Bounds, logs, counts and traces all calls, and answers their errors by a table of statuses.

    Args:
        settings: The limits.
        readers: Parse large requests.
        metrics: Count the calls.
        service: Full name of the service of music.
        free: The methods of that service that make no music.
        tokens: The callers' tokens; None to answer everybody. Health needs no token.
        models: The names of the models; log, metrics and traces show no other.
        traces: Record the calls of the service of music; None for no traces.
    """

    def __init__(
        self,
        settings: Settings,
        readers: Readers,
        metrics: Metrics,
        service: str,
        *,
        free: Collection[str] = (),
        models: Collection[str] = (),
        tokens: Tokens | None = None,
        traces: Traces | None = None,
    ) -> None:
        self._settings = settings
        self._parsers = readers
        self._metrics = metrics
        self._traces = traces
        self._service = service
        self._prefix = f"/{service}/"
        self._free = frozenset(free)
        self._models = models
        self._tokens = tokens
        self._places = Places(settings.max_rpcs, "calls in progress")
        self._callers = Callers(settings.max_caller_rpcs, settings.max_caller_rate)
        self._watchers = Places(settings.max_watchers, "streams of health and reflection")
        self._bodies = Waits(settings.max_bodies, settings.max_body_s, "the whole request")
        self._unread = Waits(settings.max_unread, settings.max_unread_s, "the caller to read")
        metrics.show("open_calls", "Calls that hold a place of music.", lambda: self._places.taken)
        metrics.show("max_open_calls", "Places of music.", lambda: settings.max_rpcs)
        metrics.show(
            "open_streams", "Streams of health and reflection.", lambda: self._watchers.taken
        )
        metrics.show(
            "waiting_bodies", "Calls whose requests have not arrived.", lambda: self._bodies.waiting
        )
        metrics.show(
            "waiting_replies", "Calls whose callers do not read.", lambda: self._unread.waiting
        )
        self._open: set[asyncio.Timeout] = set()
        self._is_stopping = False

    def end_all(self) -> None:
        """Ends the calls in progress: their callers learn that the server is stopping."""
        self._is_stopping = True
        for limit in self._open:
            if not limit.expired():
                limit.reschedule(0)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        handler = await continuation(handler_call_details)
        if handler is None:
            return handler
        method = handler_call_details.method
        caller = self._caller_of(handler_call_details)
        name, known_id = method.removeprefix(self._prefix), _request_id(handler_call_details)
        span = NO_SPAN
        if self._traces is not None and name != method:
            span = self._traces.span(self._service, name, known_id, _texts(handler_call_details))
        call = _Call(
            method=name.removeprefix("/"),
            request_id=known_id,
            span=span,
            places=self._places_of(method, handler),
            caller=caller or "",
            is_known=caller is not None or method.startswith(_HEALTH),
        )
        # Without a deserializer the call gets bytes, so that our table covers broken messages; and
        # as a stream, so that the server can end a call whose body never comes.
        make = (
            grpc.stream_stream_rpc_method_handler
            if handler.response_streaming
            else grpc.stream_unary_rpc_method_handler
        )
        # Else the order of a map's entries differs between processes.
        serialize = partial(handler.response_serializer, deterministic=True)
        return make(self._guard(handler, call), response_serializer=serialize)

    def _caller_of(self, details: grpc.HandlerCallDetails) -> str | None:
        """The name of the caller's token; empty if nobody needs one, None if it is missing."""
        if self._tokens is None:
            return ""
        for name, value in _texts(details):
            if name == "authorization":
                kind, _, token = value.partition(" ")
                return self._tokens.name_of(token.strip()) if kind.lower() == "bearer" else None
        return None

    def _places_of(self, method: str, handler: grpc.RpcMethodHandler) -> Places | None:
        if method.startswith(self._prefix):
            is_free = method.removeprefix(self._prefix) in self._free
            return None if is_free else self._places
        return self._watchers if handler.response_streaming else None

    def _guard(
        self, handler: grpc.RpcMethodHandler, call: _Call
    ) -> Callable[[Any, Context], Awaitable[Message | None]]:
        async def guarded(_: Any, context: Context) -> Message | None:
            request_id.set(call.request_id)
            peer = context.peer()  # empty after the caller has left
            code = "CANCELLED"
            trailer = (REQUEST_ID_KEY, call.request_id)
            context.set_trailing_metadata((trailer,))
            limit = asyncio.timeout(self._settings.max_call_s)
            try:
                async with limit:
                    self._open.add(limit)
                    reply = await self._answer(handler, call, context)
            except asyncio.CancelledError:
                # The caller left, or its deadline passed; otherwise the caller needs an answer.
                if not _is_cancelled() and not call.is_left:
                    code = "UNAVAILABLE"
                    await _abort(context, grpc.StatusCode.UNAVAILABLE, _STOPPING, (trailer,))
                code = "DEADLINE_EXCEEDED" if _is_late(context) else code
                raise
            except Exception as error:  # every error meets the table of statuses here alone
                if limit.expired() and self._is_stopping:
                    code = "UNAVAILABLE"
                    await _abort(context, grpc.StatusCode.UNAVAILABLE, _STOPPING, (trailer,))
                is_ours = limit.expired() and isinstance(error, TimeoutError)
                status = to_status(_too_long(self._settings.max_call_s) if is_ours else error)
                drop_frames(error)
                code = _CODE_NAMES[status.code]
                details = (_DETAILS_KEY, status.SerializeToString())
                await _abort(context, grpc.StatusCode[code], status.message, (details, trailer))
                raise
            else:
                code = "OK"
                return reply
            finally:
                self._open.discard(limit)
                self._end(call, code, peer)

        return guarded

    def _end(self, call: _Call, code: str, peer: str) -> None:
        """Tells log, metrics and traces of a call that has ended."""
        self._metrics.count_call(call.method, code, call.seconds)
        call.span.end(code, call.model)
        log_call(
            {
                "request_id": call.request_id,
                "method": call.method,
                "code": code,
                "duration_ms": round(1000 * call.seconds, 3),
                "model": call.model,
                "size_bytes": call.size_bytes,
                "replies": call.replies,
                "caller": call.caller,
                "peer": peer,
            }
        )

    async def _answer(
        self, handler: grpc.RpcMethodHandler, call: _Call, context: Context
    ) -> Message | None:
        """Reads the request, takes a place, and lets the handler answer."""
        if not call.is_known:
            raise UnknownCallerError(
                "no token, or a token that this server does not know",
                expected="the metadata `authorization: Bearer TOKEN`",
                action="Ask the operator of the server for a token.",
            )
        write = partial(self._write, call, context)
        if handler.request_streaming:  # reflection alone
            requests = self._requests(handler.request_deserializer, call, context)
            with _place(call.places):
                async for answer in handler.stream_stream(requests, context):
                    await write(answer)
            return None
        data = await self._bodies.wait(context.read())
        if data is grpc.aio.EOF:
            await asyncio.sleep(_LEAVING_S)  # if the caller has left, the call is cancelled here
            raise _no_message(0)
        call.size_bytes = len(data)
        method = handler.unary_stream if handler.response_streaming else handler.unary_unary
        caller = call.caller or host_of(context.peer())
        own = nullcontext() if call.places is not self._places else self._callers.take(caller)
        with own, _place(call.places):
            message = await self._parse(handler.request_deserializer, data)
            del data
            self._set_model(call, getattr(message, "model", "-"))
            replies = Replies(
                write,
                partial(self._left_s, call, context),
                partial(self._set_model, call),
                call.span,
                caller,
            )
            reply: Message | None = await method(message, replies)
        if reply is not None:
            self._count_reply(call)
        return reply

    async def _requests(
        self, parse: Parse, call: _Call, context: Context
    ) -> AsyncIterator[Message]:
        while (data := await self._bodies.wait(context.read())) is not grpc.aio.EOF:
            call.size_bytes += len(data)
            yield await self._parse(parse, data)

    async def _parse(self, parse: Parse, data: bytes) -> Message:
        if len(data) <= SMALL_BYTES:
            return _parse(parse, data, self._settings.max_submessages)
        return await self._parsers.read(
            len(data), _parse, parse, data, self._settings.max_submessages
        )

    async def _write(self, call: _Call, context: Context, reply: Message) -> None:
        """Writes a reply; while the caller does not read, other calls may use the place."""
        after_s = self._settings.lend_after_s
        with (
            lending(after_s, call.places.lend, call.places.retake) if call.places else nullcontext()
        ):
            try:
                if not call.is_begun:
                    # By itself: while a first reply that carries it waits, no status can be sent.
                    call.is_begun = True
                    await context.send_initial_metadata(())
                await self._unread.wait(context.write(reply))
            except grpc.aio.InternalError as error:  # the caller left in the middle of a reply
                call.is_left = True
                raise asyncio.CancelledError from error
        self._count_reply(call)

    def _count_reply(self, call: _Call) -> None:
        if call.replies == 0 and call.places is self._places:
            self._metrics.count_first_clip(call.model, call.seconds)
        call.replies += 1

    def _left_s(self, call: _Call, context: Context) -> float:
        """Seconds until a call ends, by its deadline or the server's limit."""
        left_s = self._settings.max_call_s - call.seconds
        deadline_s = context.time_remaining()
        return left_s if deadline_s is None else min(left_s, deadline_s)

    def _set_model(self, call: _Call, name: str) -> None:
        """Tells the log the model's name, if it is one of ours: no request reaches the log raw."""
        name = name or "default"
        call.model = name if name in {"default", *self._models} else "-"


async def _abort(context: Context, code: grpc.StatusCode, message: str, trailers: Any) -> None:
    """Ends a call with a status, which reaches nobody if the caller has left."""
    try:
        await context.abort(code, message, trailers)
    except grpc.aio.InternalError as error:
        raise asyncio.CancelledError from error


def _texts(details: grpc.HandlerCallDetails) -> list[tuple[str, str]]:
    """The metadata that is text."""
    given = details.invocation_metadata or ()
    return [(name, value) for name, value in given if isinstance(value, str)]


def _request_id(details: grpc.HandlerCallDetails) -> str:
    for name, value in _texts(details):
        if name == REQUEST_ID_KEY and _REQUEST_ID.fullmatch(value):
            return value
    return uuid.uuid4().hex[:16]


def _place(places: Places | None) -> AbstractContextManager[None]:
    return nullcontext() if places is None else places.take()


def _parse(parse: Parse, data: bytes, most: int) -> Message:
    descriptor: Any = parse(b"").DESCRIPTOR
    try:
        if has_more_messages(data, descriptor, most):
            raise SettingError(
                f"more than {most} notes, chords, bar changes and other parts in one request",
                expected=f"at most {most}",
                action="Send less music.",
            )
        return parse(data)
    except DecodeError as error:
        raise _no_message(len(data)) from error


def _no_message(size: int) -> MusicVAEError:
    return SettingError(
        f"{size} bytes that are no message of this call",
        expected="a request of musicvae.v1",
        action="Write it with code generated from the contract.",
    )


def _too_long(max_call_s: float) -> MusicVAEError:
    return ServiceError(
        f"a call of more than {max_call_s:g} s",
        expected="a call within that time",
        action="Ask for less in one call, and read the replies as they arrive.",
    )


def _is_cancelled() -> bool:
    task: asyncio.Task[Any] | None = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _is_late(context: Context) -> bool:
    left_s = context.time_remaining()
    return left_s is not None and left_s <= _LATE_S


_STOPPING = "the server is stopping"
_CODE_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}
