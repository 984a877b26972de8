# ruff: noqa: N802  # methods have the names that the contract gives them
"""The calls: read the request, let the engine work in the fair queue, write the reply."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import aclosing
from typing import Any, TypeVar

from google.protobuf.message import Message

from musicvae.errors import SettingError
from musicvae.generation.engine import Engine
from musicvae.generation.replies import Clip
from musicvae.generation.requests import (
    AnyRequest,
    DecodeRequest,
    EncodeRequest,
    GrooveRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
)
from musicvae.rpc import requests
from musicvae.rpc.limits import Limits
from musicvae.rpc.replies import clip_to_message, encoding_to_message, model_to_message
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceServicer

from .calls import Replies
from .queue import FairQueue
from .readers import Readers

NAME = pb.DESCRIPTOR.services_by_name["MusicService"].full_name
FREE = ("ListModels", "GetModel")
"""The methods that make no music."""

Read = TypeVar("Read", bound=Message)
Request = TypeVar("Request")
Asked = TypeVar("Asked", TransformRequest, EncodeRequest, GrooveRequest)
Answer = TypeVar("Answer")


class MusicService(MusicServiceServicer):
    """Answers the calls of the contract, which documents each of them.

    Args:
        engine: Makes the music, only inside the queue.
        queue: Shares the engine among the calls.
        readers: Read the requests: reading the largest takes a second or two, and tens of MB.
        limits: The limits of one request.
    """

    def __init__(self, engine: Engine, queue: FairQueue, readers: Readers, limits: Limits) -> None:
        self._engine = engine
        self._queue = queue
        self._readers = readers
        self._limits = limits

    async def Sample(self, message: pb.SampleRequest, replies: Replies) -> None:
        request = await self._read(requests.sample_request, message)
        work = self._engine.sample(request)
        await self._stream(work, request, message.clip_format, pb.SampleResponse, replies)

    async def Interpolate(self, message: pb.InterpolateRequest, replies: Replies) -> None:
        request = await self._read(requests.interpolate_request, message)
        work = self._engine.interpolate(request)
        await self._stream(work, request, message.clip_format, pb.InterpolateResponse, replies)

    async def Transform(self, message: pb.TransformRequest, _: Replies) -> pb.TransformResponse:
        request = await self._read(requests.transform_request, message)
        done = await self._run(self._engine.transform, request)
        return pb.TransformResponse(
            before=clip_to_message(done.before, message.clip_format),
            after=clip_to_message(done.after, message.clip_format),
        )

    async def Encode(self, message: pb.EncodeRequest, _: Replies) -> pb.EncodeResponse:
        request = await self._read(requests.encode_request, message)
        return encoding_to_message(await self._run(self._engine.encode, request))

    async def Decode(self, message: pb.DecodeRequest, replies: Replies) -> None:
        request = await self._read(requests.decode_request, message)
        work = self._engine.decode(request)
        await self._stream(work, request, message.clip_format, pb.DecodeResponse, replies)

    async def Groove(self, message: pb.GrooveRequest, _: Replies) -> pb.GrooveResponse:
        request = await self._read(requests.groove_request, message)
        done = await self._run(self._engine.groove, request)
        return pb.GrooveResponse(
            before=clip_to_message(done.before, message.clip_format),
            after=clip_to_message(done.after, message.clip_format),
        )

    async def ListModels(self, _: pb.ListModelsRequest, __: Replies) -> pb.ListModelsResponse:
        return pb.ListModelsResponse(models=map(model_to_message, self._engine.models()))

    async def GetModel(self, message: pb.GetModelRequest, _: Replies) -> pb.GetModelResponse:
        return pb.GetModelResponse(model=model_to_message(self._engine.model(message.model)))

    async def _read(self, read: Callable[[Read, Limits], Request], message: Read) -> Request:
        return await self._readers.read(message.ByteSize(), read, message, self._limits)

    async def _run(self, work: Callable[[Asked], Answer], request: Asked) -> Answer:
        """Lets the engine answer as one item of the queue."""
        steps = self._steps(request)
        return await self._queue.run(lambda: work(request), steps=request.rows * steps)

    async def _stream(
        self,
        work: Iterator[Clip],
        request: SampleRequest | InterpolateRequest | DecodeRequest,
        clip_format: pb.ClipFormat,
        response: Callable[..., Any],
        replies: Replies,
    ) -> None:
        """Sends each clip before the next is made."""
        items = self._queue.stream(work, request.rows, steps=self._steps(request))
        async with aclosing(items) as clips:
            async for clip in clips:
                await replies.write(response(clip=clip_to_message(clip, clip_format)))

    def _steps(self, request: AnyRequest) -> int:
        """Checks the size of a request, and gives the length of a clip.

        Raises:
            ModelNotFoundError: If the model is not loaded.
            SettingError: If the request asks for too many clips.
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
