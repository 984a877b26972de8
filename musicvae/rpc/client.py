"""A client of the service, with the same requests and answers as the engine in this process."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Real
from types import TracebackType
from typing import Any

import grpc
from grpc_status import rpc_status

from musicvae.errors import ServiceError, SettingError
from musicvae.generation.replies import (
    DECODED,
    SAMPLED,
    Clip,
    Encoding,
    Grooved,
    ModelInfo,
    Transformed,
)
from musicvae.generation.requests import (
    AnyRequest,
    DecodeRequest,
    EncodeRequest,
    GrooveRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
    check_text,
)
from musicvae.problems import Problems, check_type
from musicvae.rpc.credentials import Credentials, is_loopback
from musicvae.rpc.error_details import error_from_status
from musicvae.rpc.replies import (
    clip_from_message,
    encoding_from_message,
    grooved_from_message,
    model_from_message,
    transformed_from_message,
)
from musicvae.rpc.requests import request_to_message
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub

DEFAULT_TIMEOUT_S = 60.0
MAX_REPLY_BYTES = 16 * 1024 * 1024

_TLS = "https://"
_ADDRESS = re.compile(r"([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
"""A host name, an IPv4 address, or an IPv6 address in brackets; and a port."""


class Client:
    """Sends requests to a server, and raises the server's errors as the engine would raise them.

    Close a client with `close`, or use it as a context manager. A connection does not survive a
    fork: open a client in each process. Calls to this machine ignore the environment's proxy.

    Args:
        address: Where the server listens, as `host:port`, or `https://host:port` with TLS.
        timeout_s: Seconds that each call may take.
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
        check_type("address", address, str, "HOST:PORT")
        check_type("timeout_s", timeout_s, Real, "a number of seconds")
        credentials = Credentials.from_environment() if credentials is None else credentials
        found = _ADDRESS.fullmatch(address.removeprefix(_TLS))
        if found is None or not 1 <= int(found[3]) <= 65535:
            raise SettingError(
                f"server {address!r}",
                expected="HOST:PORT, or https://HOST:PORT",
                action="Give the address that the server prints, such as localhost:50051.",
                field="server",
            )
        has_tls = address.startswith(_TLS)
        if credentials.token is not None and not has_tls and not is_loopback(found[1]):
            raise SettingError(
                f"a token for {address}, without TLS",
                expected=f"https://{address}, so that nobody can read the token on its way",
                action="Ask the operator of the server for TLS, or leave the token out.",
                field="server",
            )
        self._address = address
        self._timeout_s = timeout_s
        self._process = os.getpid()
        self._metadata = credentials.metadata()
        options = [
            ("grpc.max_receive_message_length", MAX_REPLY_BYTES),
            ("grpc.enable_http_proxy", int(not is_loopback(found[1]))),
        ]
        target = address.removeprefix(_TLS)
        self._channel = (
            grpc.secure_channel(target, credentials.for_channel(), options)
            if has_tls
            else grpc.insecure_channel(target, options)
        )
        self._stub: Any = MusicServiceStub(self._channel)  # type: ignore[no-untyped-call]  # generated

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
        self._channel.close()

    def sample(self, request: SampleRequest) -> Iterator[Clip]:
        """Draws clips from the prior, each as soon as it is ready."""
        yield from self._stream(self._stub.Sample, request, SAMPLED)

    def interpolate(self, request: InterpolateRequest) -> Iterator[Clip]:
        """Morphs from point to point, each clip as soon as it is ready."""
        yield from self._stream(self._stub.Interpolate, request, DECODED)

    def transform(self, request: TransformRequest) -> Transformed:
        """Moves music along attributes."""
        reply = self._call(self._stub.Transform, request_to_message(request))
        return transformed_from_message(reply)

    def encode(self, request: EncodeRequest) -> Encoding:
        """Encodes an excerpt."""
        return encoding_from_message(self._call(self._stub.Encode, request_to_message(request)))

    def decode(self, request: DecodeRequest) -> Iterator[Clip]:
        """Decodes latents, each clip as soon as it is ready."""
        yield from self._stream(self._stub.Decode, request, DECODED)

    def groove(self, request: GrooveRequest) -> Grooved:
        """Gives drums the timing and loudness of a human player."""
        reply = self._call(self._stub.Groove, request_to_message(request))
        return grooved_from_message(reply, request.task)

    def models(self) -> tuple[ModelInfo, ...]:
        """Lists the models, the default first, without their cards."""
        reply = self._call(self._stub.ListModels, pb.ListModelsRequest())
        return tuple(map(model_from_message, reply.models))

    def model(self, name: str) -> ModelInfo:
        """Describes one model; an empty name is the default's."""
        check_type("name", name, str, "the name of a model")
        problems = Problems()
        check_text(problems, "model", name)
        problems.raise_all()
        reply = self._call(self._stub.GetModel, pb.GetModelRequest(model=name))
        return model_from_message(reply.model)

    def _call(self, method: Any, message: Any) -> Any:
        with self._translated():
            return method(message, timeout=self._timeout_s, metadata=self._metadata)

    def _stream(self, method: Any, request: AnyRequest, clip_method: str) -> Iterator[Clip]:
        message = request_to_message(request)
        with self._translated():
            for reply in method(message, timeout=self._timeout_s, metadata=self._metadata):
                yield clip_from_message(reply.clip, clip_method)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raises the errors of calls as errors of our tree."""
        if os.getpid() != self._process:
            raise ServiceError(
                f"a client of {self._address} that process {self._process} opened before a fork",
                expected="a client of this process",
                action="Open a Client in each process, after the fork.",
                field="server",
            )
        try:
            yield
        except grpc.RpcError as error:
            status = rpc_status.from_call(error)
            reported = status and error_from_status(status)
            raise (reported or self._unexplained(error)) from error

    def _unexplained(self, error: Any) -> ServiceError:
        expected, action = _ADVICE.get(error.code(), _OTHER_ADVICE)
        return ServiceError(
            f"{error.code().name} from {self._address} ({error.details()})",
            expected=expected,
            action=action,
            field="server",
        )


_ADVICE = {
    grpc.StatusCode.UNAVAILABLE: (
        "a server that listens there",
        "Check the address, or start one with `musicvae serve`.",
    ),
    grpc.StatusCode.DEADLINE_EXCEEDED: (
        "an answer in time",
        "Ask for fewer clips, or allow more time.",
    ),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (
        "a request within the server's limits",
        "Send less music, or ask again in a while.",
    ),
    grpc.StatusCode.UNIMPLEMENTED: (
        "a server of the same contract, musicvae.v1",
        "Check the address, or install the same version on both sides.",
    ),
}
_OTHER_ADVICE = ("an answer", "Report this message to the operator of the server.")
