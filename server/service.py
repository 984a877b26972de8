# ruff: noqa: N802  # methods have the names that the contract gives them
"""The calls: read the request, let the engine work in turns, write what it makes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any, TypeVar

import grpc

from musicvae.errors import SettingError
from musicvae.generation.engine import AnyRequest, Engine
from musicvae.generation.replies import Clip
from musicvae.generation.requests import (
    DecodeRequest,
    EncodeRequest,
    GrooveRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
)
from musicvae.rpc.wire import clip_to_message, encoding_to_message, model_to_message
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceServicer

from . import messages
from .queue import Turns
from .settings import Limits

NAME = pb.DESCRIPTOR.services_by_name["MusicService"].full_name

_READERS = 2

Message = TypeVar("Message")
Request = TypeVar("Request")
Asked = TypeVar("Asked", TransformRequest, EncodeRequest, GrooveRequest)
Answer = TypeVar("Answer")


class MusicService(MusicServiceServicer):
    """Answers the calls of the contract, which says what each of them does.

    A few requests are read at once, whatever comes: the largest take a second or two each, and
    tens of MB.

    Args:
        engine: Makes the music; only in its turns.
        turns: At the engine.
        limits: How much one request may ask for.
    """

    def __init__(self, engine: Engine, turns: Turns, limits: Limits) -> None:
        self._engine = engine
        self._turns = turns
        self._limits = limits
        # Not a semaphore: a thread reads on where the call that it reads for is cancelled.
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="reader")

    def close(self) -> None:
        """Ends the threads, after the requests that they are at."""
        self._readers.shutdown(wait=True, cancel_futures=True)

    async def Sample(self, message: pb.SampleRequest, context: grpc.aio.ServicerContext) -> None:
        request = await self._read(messages.sample_request, message)
        work = self._engine.sample(request)
        await self._stream(work, request, message, pb.SampleResponse, context)

    async def Interpolate(
        self, message: pb.InterpolateRequest, context: grpc.aio.ServicerContext
    ) -> None:
        request = await self._read(messages.interpolate_request, message)
        work = self._engine.interpolate(request)
        await self._stream(work, request, message, pb.InterpolateResponse, context)

    async def Transform(
        self, message: pb.TransformRequest, _: grpc.aio.ServicerContext
    ) -> pb.TransformResponse:
        request = await self._read(messages.transform_request, message)
        done = await self._run(self._engine.transform, request)
        return pb.TransformResponse(
            before=clip_to_message(done.before, message.clip_format),
            after=clip_to_message(done.after, message.clip_format),
        )

    async def Encode(
        self, message: pb.EncodeRequest, _: grpc.aio.ServicerContext
    ) -> pb.EncodeResponse:
        request = await self._read(messages.encode_request, message)
        return encoding_to_message(await self._run(self._engine.encode, request))

    async def Decode(self, message: pb.DecodeRequest, context: grpc.aio.ServicerContext) -> None:
        request = await self._read(messages.decode_request, message)
        work = self._engine.decode(request)
        await self._stream(work, request, message, pb.DecodeResponse, context)

    async def Groove(
        self, message: pb.GrooveRequest, _: grpc.aio.ServicerContext
    ) -> pb.GrooveResponse:
        request = await self._read(messages.groove_request, message)
        done = await self._run(self._engine.groove, request)
        return pb.GrooveResponse(
            before=clip_to_message(done.before, message.clip_format),
            after=clip_to_message(done.after, message.clip_format),
        )

    async def ListModels(
        self, _: pb.ListModelsRequest, __: grpc.aio.ServicerContext
    ) -> pb.ListModelsResponse:
        return pb.ListModelsResponse(models=map(model_to_message, self._engine.models()))

    async def GetModel(
        self, message: pb.GetModelRequest, _: grpc.aio.ServicerContext
    ) -> pb.GetModelResponse:
        return pb.GetModelResponse(model=model_to_message(self._engine.model(message.model)))

    async def _read(self, read: Callable[[Message, Limits], Request], message: Message) -> Request:
        # The largest takes a second or two: other calls should go on meanwhile.
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, read, message, self._limits)

    async def _run(self, work: Callable[[Asked], Answer], request: Asked) -> Answer:
        """Has the engine answer in one turn."""
        steps = self._steps(request)
        return await self._turns.run(lambda: work(request), steps=request.rows * steps)

    async def _stream(
        self,
        work: Iterator[Clip],
        request: SampleRequest | InterpolateRequest | DecodeRequest,
        message: Any,
        response: Callable[..., Any],
        context: grpc.aio.ServicerContext,
    ) -> None:
        """Sends clips as they are made; none is made before the one before it is on its way."""
        turns = self._turns.stream(work, request.rows, steps=self._steps(request))
        async with aclosing(turns) as clips:
            async for clip in clips:
                await context.write(response(clip=clip_to_message(clip, message.clip_format)))

    def _steps(self, request: AnyRequest) -> int:
        """The length of a clip of the model that is asked, once it is sure that all of them fit.

        Raises:
            BundleError: If the model is not here.
            SettingError: If one request may not ask for so many.
        """
        steps, most = self._engine.length_steps(request), self._limits.max_steps
        if request.rows * steps > most:
            raise SettingError(
                f"{request.rows} clips of {steps} steps",
                expected=f"at most {most // steps} clips of this model",
                action="Ask for fewer at once.",
                field="latents" if isinstance(request, DecodeRequest) else "count",
            )
        return steps
