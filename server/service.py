# ruff: noqa: N802  # methods have the names that the contract gives them
"""The calls: read the request, let the engine work in the fair queue, write the reply."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, closing
from importlib.metadata import version
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
from musicvae.rpc.server_info import ServerInfo, server_to_message
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceServicer

from .calls import Replies
from .costs import Costs, Kind
from .models import Models
from .queue import FairQueue
from .readers import Readers
from .settings import Settings
from .traces import traced

NAME = pb.DESCRIPTOR.services_by_name["MusicService"].full_name
FREE = ("ListModels", "GetModel", "GetServer")
"""The methods that make no music."""

Read = TypeVar("Read", bound=Message)
Request = TypeVar("Request")
Asked = TypeVar("Asked", TransformRequest, EncodeRequest, GrooveRequest)
Answer = TypeVar("Answer")


class MusicService(MusicServiceServicer):
    """Answers the calls of the contract, which documents each of them.

    Args:
        models: Their engine makes the music, only inside the queue.
        queue: Shares the engine among the calls.
        costs: Learns what the calls take.
        readers: Read the requests: reading the largest takes a second or two, and tens of MB.
        settings: The limits.
    """

    def __init__(
        self, models: Models, queue: FairQueue, costs: Costs, readers: Readers, settings: Settings
    ) -> None:
        self._models = models
        self._queue = queue
        self._costs = costs
        self._readers = readers
        self._limits = settings.limits
        self._settings = settings
        self._start_s = time.monotonic()

    @property
    def _engine(self) -> Engine:
        return self._models.engine

    async def Sample(self, message: pb.SampleRequest, replies: Replies) -> None:
        request = await self._read(requests.sample_request, message, replies)
        work = self._engine.sample(request)
        await self._stream("Sample", work, request, message.clip_format, pb.SampleResponse, replies)

    async def Interpolate(self, message: pb.InterpolateRequest, replies: Replies) -> None:
        request = await self._read(requests.interpolate_request, message, replies)
        work = self._engine.interpolate(request)
        await self._stream(
            "Interpolate", work, request, message.clip_format, pb.InterpolateResponse, replies
        )

    async def Transform(
        self, message: pb.TransformRequest, replies: Replies
    ) -> pb.TransformResponse:
        request = await self._read(requests.transform_request, message, replies)
        done = await self._run("Transform", self._engine.transform, request, replies)
        return pb.TransformResponse(
            before=clip_to_message(done.before, message.clip_format),
            after=clip_to_message(done.after, message.clip_format),
        )

    async def Encode(self, message: pb.EncodeRequest, replies: Replies) -> pb.EncodeResponse:
        request = await self._read(requests.encode_request, message, replies)
        return encoding_to_message(await self._run("Encode", self._engine.encode, request, replies))

    async def Decode(self, message: pb.DecodeRequest, replies: Replies) -> None:
        request = await self._read(requests.decode_request, message, replies)
        work = self._engine.decode(request)
        await self._stream("Decode", work, request, message.clip_format, pb.DecodeResponse, replies)

    async def Groove(self, message: pb.GrooveRequest, replies: Replies) -> pb.GrooveResponse:
        request = await self._read(requests.groove_request, message, replies)
        done = await self._run("Groove", self._engine.groove, request, replies)
        return pb.GrooveResponse(
            before=clip_to_message(done.before, message.clip_format),
            after=clip_to_message(done.after, message.clip_format),
        )

    async def ListModels(self, _: pb.ListModelsRequest, __: Replies) -> pb.ListModelsResponse:
        return pb.ListModelsResponse(models=map(model_to_message, self._engine.models()))

    async def GetModel(self, message: pb.GetModelRequest, _: Replies) -> pb.GetModelResponse:
        return pb.GetModelResponse(model=model_to_message(self._engine.model(message.model)))

    async def GetServer(self, _: pb.GetServerRequest, __: Replies) -> pb.GetServerResponse:
        server = ServerInfo(
            version=version("musicvae"),
            uptime_s=time.monotonic() - self._start_s,
            needs_token=self._settings.tokens is not None,
            request_limits=self._limits,
            call_limits=self._settings.call_limits,
            models=self._engine.models(),
        )
        return pb.GetServerResponse(server=server_to_message(server))

    async def _read(
        self, read: Callable[[Read, Limits], Request], message: Read, replies: Replies
    ) -> Request:
        with closing(replies.span.part("read")):
            return await self._readers.read(message.ByteSize(), read, message, self._limits)

    async def _run(
        self, method: str, work: Callable[[Asked], Answer], request: Asked, replies: Replies
    ) -> Answer:
        """Lets the engine answer as one item of the queue."""
        kind = self._check(method, request, replies)
        answers = self._costs.timed(traced(map(work, [request]), replies.span), kind, 1)
        load = self._costs.load(kind, 1)
        return await self._queue.run(
            lambda: next(answers), load, caller=replies.caller, left_s=replies.left_s()
        )

    async def _stream(
        self,
        method: str,
        work: Iterator[Clip],
        request: SampleRequest | InterpolateRequest | DecodeRequest,
        clip_format: pb.ClipFormat,
        response: Callable[..., Any],
        replies: Replies,
    ) -> None:
        """Sends each clip before the next is made."""
        kind = self._check(method, request, replies)
        timed, load = (
            self._costs.timed(traced(work, replies.span), kind, request.rows),
            self._costs.load(kind, request.rows),
        )
        async with aclosing(
            self._queue.stream(timed, load, caller=replies.caller, left_s=replies.left_s())
        ) as clips:
            async for clip in clips:
                await replies.write(response(clip=clip_to_message(clip, clip_format)))

    def _check(self, method: str, request: AnyRequest, replies: Replies) -> Kind:
        """Checks the size of a request, and gives the kind of its work.

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
        model = self._engine.model_name(request)
        replies.tell_model(model)
        return Kind(model, method, steps)
