"""A client of the service, with the same requests and answers as the engine in this process."""

from __future__ import annotations

import time
from collections.abc import Iterator
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


class Client:
    """Sends requests to a server, and raises the server's errors as the engine would raise them.

    A call that no server has begun to answer is repeated: a few times where the server can't be
    reached, and after the time that a busy server names. Calls go round the replicas of a server.

    Close a client with `close`, or use it as a context manager. A connection does not survive a
    fork: open a client in each process. Calls to this machine ignore the environment's proxy.

    Args:
        address: Where the server listens, as `host:port`, or `https://host:port` with TLS. Several
            replicas are a name of DNS with several addresses, or `host:port,host:port`.
        timeout_s: Seconds that each call may take, with its repetitions.
        credentials: The token, and the files of TLS; None for those of the environment.

    Raises:
        SettingError: If `address` is no address, or a file can't be read, or a token would leave
            this machine without TLS.
    """

    def __init__(
        self,
        address: str,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        credentials: Credentials | None = None,
    ) -> None:
        self._connection = Connection(grpc, address, timeout_s, credentials)

    def __enter__(self) -> Client:  # noqa: PYI034  # beartype can't read Self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection, and every call in flight."""
        self._connection.channel.close()

    def sample(self, request: SampleRequest) -> Iterator[Clip]:
        """Draws clips from the prior, each as soon as it is ready."""
        yield from self._stream(methods.SAMPLE, request)

    def interpolate(self, request: InterpolateRequest) -> Iterator[Clip]:
        """Morphs from point to point, each clip as soon as it is ready."""
        yield from self._stream(methods.INTERPOLATE, request)

    def transform(self, request: TransformRequest) -> Transformed:
        """Moves music along attributes."""
        return self._call(methods.TRANSFORM, request)

    def encode(self, request: EncodeRequest) -> Encoding:
        """Encodes an excerpt."""
        return self._call(methods.ENCODE, request)

    def decode(self, request: DecodeRequest) -> Iterator[Clip]:
        """Decodes latents, each clip as soon as it is ready."""
        yield from self._stream(methods.DECODE, request)

    def groove(self, request: GrooveRequest) -> Grooved:
        """Gives drums the timing and loudness of a human player."""
        return self._call(methods.GROOVE, request)

    def models(self) -> tuple[ModelInfo, ...]:
        """Lists the models, the default first, without their cards."""
        return self._call(methods.LIST_MODELS, None)

    def model(self, name: str) -> ModelInfo:
        """Describes one model; an empty name is the default's."""
        return self._call(methods.GET_MODEL, name)

    def server(self) -> ServerInfo:
        """Describes the server: its version, its limits and its models."""
        return self._call(methods.GET_SERVER, None)

    def _call(self, method: Method[Request, Reply], request: Request) -> Reply:
        attempts, message = self._connection.attempts(), method.write(request)
        while True:
            try:
                return method.read(self._connection.start(method.name, message, attempts), request)
            except grpc.RpcError as error:
                pause_s = attempts.pause_s(error)
            time.sleep(pause_s)

    def _stream(self, method: Method[Request, Reply], request: Request) -> Iterator[Reply]:
        attempts, message = self._connection.attempts(), method.write(request)
        is_begun = False
        while True:
            call = self._connection.start(method.name, message, attempts)
            try:
                for reply in call:
                    is_begun = True
                    yield method.read(reply, request)
            except grpc.RpcError as error:
                pause_s = attempts.pause_s(error, is_begun=is_begun)
            else:
                return
            finally:
                call.cancel()  # the caller may have left
            time.sleep(pause_s)
