"""The client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType

import grpc

from musicvae.generation.replies import Clip, Encoding, Grooved, ModelInfo, Transformed
from musicvae.generation.requests import (
    DecodeRequest,
    EncodeRequest,
    GrooveRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
)
from musicvae.rpc import methods
from musicvae.rpc.connection import DEFAULT_TIMEOUT_S, Connection
from musicvae.rpc.credentials import Credentials
from musicvae.rpc.methods import Method, Reply, Request
from musicvae.rpc.server_info import ServerInfo


class AsyncClient:
    """`Client` for asyncio: equal methods, which are awaited or iterated with `async for`.

    Open it in the event loop that uses it, and close it with `await client.close()`, or use it
    with `async with`.

    Args:
        address: As for `Client`.
        timeout_s: Seconds that each call may take, with its repetitions.
        credentials: The token, and the files of TLS; None for those of the environment.

    Raises:
        SettingError: As `Client`.
    """

    def __init__(
        self,
        address: str,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        credentials: Credentials | None = None,
    ) -> None:
        self._connection = Connection(grpc.aio, address, timeout_s, credentials)

    async def __aenter__(self) -> AsyncClient:  # noqa: PYI034  # beartype can't read Self
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection, and every call in flight."""
        await self._connection.channel.close()

    def sample(self, request: SampleRequest) -> AsyncIterator[Clip]:
        """Draws clips from the prior, each as soon as it is ready."""
        return self._stream(methods.SAMPLE, request)

    def interpolate(self, request: InterpolateRequest) -> AsyncIterator[Clip]:
        """Morphs from point to point, each clip as soon as it is ready."""
        return self._stream(methods.INTERPOLATE, request)

    async def transform(self, request: TransformRequest) -> Transformed:
        """Moves music along attributes."""
        return await self._call(methods.TRANSFORM, request)

    async def encode(self, request: EncodeRequest) -> Encoding:
        """Encodes an excerpt."""
        return await self._call(methods.ENCODE, request)

    def decode(self, request: DecodeRequest) -> AsyncIterator[Clip]:
        """Decodes latents, each clip as soon as it is ready."""
        return self._stream(methods.DECODE, request)

    async def groove(self, request: GrooveRequest) -> Grooved:
        """Gives drums the timing and loudness of a human player."""
        return await self._call(methods.GROOVE, request)

    async def models(self) -> tuple[ModelInfo, ...]:
        """Lists the models, the default first, without their cards."""
        return await self._call(methods.LIST_MODELS, None)

    async def model(self, name: str) -> ModelInfo:
        """Describes one model; an empty name is the default's."""
        return await self._call(methods.GET_MODEL, name)

    async def server(self) -> ServerInfo:
        """Describes the server: its version, its limits and its models."""
        return await self._call(methods.GET_SERVER, None)

    async def _call(self, method: Method[Request, Reply], request: Request) -> Reply:
        attempts, message = self._connection.attempts(), method.write(request)
        while True:
            try:
                return method.read(
                    await self._connection.start(method.name, message, attempts), request
                )
            except grpc.RpcError as error:
                pause_s = attempts.pause_s(error)
            await asyncio.sleep(pause_s)

    async def _stream(
        self, method: Method[Request, Reply], request: Request
    ) -> AsyncIterator[Reply]:
        attempts, message = self._connection.attempts(), method.write(request)
        is_begun = False
        while True:
            call = self._connection.start(method.name, message, attempts)
            try:
                async for reply in call:
                    is_begun = True
                    yield method.read(reply, request)
            except grpc.RpcError as error:
                pause_s = attempts.pause_s(error, is_begun=is_begun)
            else:
                return
            finally:
                call.cancel()  # the caller may have left
            await asyncio.sleep(pause_s)
