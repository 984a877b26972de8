"""A client of the service: the same requests and answers as the engine has in this process."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any

import grpc
from grpc_status import rpc_status

from musicvae.errors import ServiceError, SettingError
from musicvae.generation.replies import (
    DECODED,
    GIVEN,
    GROOVED,
    SAMPLED,
    Clip,
    Encoding,
    Grooved,
    Latent,
    ModelInfo,
    Transformed,
)
from musicvae.generation.requests import (
    HIGHEST_QPM,
    LOWEST_QPM,
    TAP_TO_DRUMS,
    DecodeRequest,
    EncodeRequest,
    Excerpt,
    GrooveRequest,
    InterpolateRequest,
    Point,
    SampleRequest,
    TransformRequest,
    check_text,
)
from musicvae.problems import Problems
from musicvae.rpc.error_details import error_from_status
from musicvae.rpc.wire import (
    GROOVE_TASKS,
    clip_from_message,
    encoding_from_message,
    model_from_message,
    notes_to_message,
)
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub

DEFAULT_TIMEOUT_S = 60.0
MAX_REPLY_BYTES = 16 * 1024 * 1024

_ADDRESS = re.compile(r"([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
"""A name, or an address of four numbers, or one of IPv6 in brackets; and a port."""


class Client:
    """Sends requests to a server.

    Errors that the server reports are raised as the engine would raise them, with what was found,
    what was expected and what to do. A client is closed by `close`, or as a context manager.

    Args:
        address: Where the server listens, as `host:port`.
        timeout_s: Seconds that each call may take.

    Raises:
        SettingError: If the address is none.
    """

    def __init__(self, address: str, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        found = _ADDRESS.fullmatch(address)
        if found is None or not 1 <= int(found[3]) <= 65535:
            raise SettingError(
                f"server {address!r}",
                expected="HOST:PORT",
                action="Give the address as the server says it, such as localhost:50051.",
                field="server",
            )
        self._address = address
        self._timeout_s = timeout_s
        self._channel = grpc.insecure_channel(
            address, options=[("grpc.max_receive_message_length", MAX_REPLY_BYTES)]
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
        """Draws clips from the prior, each as it is ready."""
        message = pb.SampleRequest(
            model=request.model,
            count=request.count,
            seed=request.seed,
            first_index=request.first_index,
            temperature=request.temperature,
            top_p=request.top_p,
            qpm=request.qpm,
            chords=request.chords,
            clip_format=pb.CLIP_FORMAT_NOTES,
        )
        yield from self._stream(self._stub.Sample, message, SAMPLED)

    def interpolate(self, request: InterpolateRequest) -> Iterator[Clip]:
        """Morphs from point to point, each clip as it is ready."""
        message = pb.InterpolateRequest(
            model=request.model,
            points=[_point_to_message(point) for point in request.points],
            count=request.count,
            seed=request.seed,
            temperature=request.temperature,
            top_p=request.top_p,
            qpm=request.qpm,
            chords=request.chords,
            clip_format=pb.CLIP_FORMAT_NOTES,
        )
        yield from self._stream(self._stub.Interpolate, message, DECODED)

    def transform(self, request: TransformRequest) -> Transformed:
        """Moves music along attributes."""
        message = pb.TransformRequest(
            model=request.model,
            point=_point_to_message(request.point),
            amounts=request.amounts,
            seed=request.seed,
            temperature=request.temperature,
            top_p=request.top_p,
            qpm=request.qpm,
            chords=request.chords,
            clip_format=pb.CLIP_FORMAT_NOTES,
        )
        reply = self._call(self._stub.Transform, message)
        return Transformed(
            before=clip_from_message(reply.before, DECODED),
            after=clip_from_message(reply.after, DECODED),
        )

    def encode(self, request: EncodeRequest) -> Encoding:
        """Finds the latent of an excerpt."""
        excerpt = _excerpt_to_message(request.excerpt)
        message = pb.EncodeRequest(
            model=request.model, excerpt=excerpt, seed=request.seed, chords=request.chords
        )
        return encoding_from_message(self._call(self._stub.Encode, message))

    def decode(self, request: DecodeRequest) -> Iterator[Clip]:
        """Plays latents, each clip as it is ready."""
        message = pb.DecodeRequest(
            model=request.model,
            latents=[_latent_to_message(latent) for latent in request.latents],
            seed=request.seed,
            temperature=request.temperature,
            top_p=request.top_p,
            qpm=request.qpm,
            chords=request.chords,
            clip_format=pb.CLIP_FORMAT_NOTES,
        )
        yield from self._stream(self._stub.Decode, message, DECODED)

    def groove(self, request: GrooveRequest) -> Grooved:
        """Plays drums as a human would."""
        onto = None if request.onto is None else _excerpt_to_message(request.onto)
        message = pb.GrooveRequest(
            model=request.model,
            task=GROOVE_TASKS[request.task],
            point=_point_to_message(request.point),
            onto=onto,
            seed=request.seed,
            temperature=request.temperature,
            top_p=request.top_p,
            qpm=request.qpm,
            clip_format=pb.CLIP_FORMAT_NOTES,
        )
        reply = self._call(self._stub.Groove, message)
        made_by = DECODED if request.task == TAP_TO_DRUMS else GROOVED
        return Grooved(
            before=clip_from_message(reply.before, GIVEN),
            after=clip_from_message(reply.after, made_by),
        )

    def models(self) -> tuple[ModelInfo, ...]:
        """Lists the models, the default first, without their cards."""
        reply = self._call(self._stub.ListModels, pb.ListModelsRequest())
        return tuple(map(model_from_message, reply.models))

    def model(self, name: str) -> ModelInfo:
        """Describes one model; an empty name is the default's."""
        problems = Problems()
        check_text(problems, "model", name)
        problems.raise_all()
        reply = self._call(self._stub.GetModel, pb.GetModelRequest(model=name))
        return model_from_message(reply.model)

    def _call(self, method: Any, message: Any) -> Any:
        with self._translated():
            return method(message, timeout=self._timeout_s)

    def _stream(self, method: Any, message: Any, made_by: str) -> Iterator[Clip]:
        with self._translated():
            replies: Iterable[Any] = method(message, timeout=self._timeout_s)
            for reply in replies:
                yield clip_from_message(reply.clip, made_by)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raises what the server reports as an error of our tree."""
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
_OTHER_ADVICE = ("an answer", "Report what the server said to those who run it.")


def _latent_to_message(latent: Latent) -> pb.Latent:
    return pb.Latent(values=latent)


def _point_to_message(point: Point) -> pb.Point:
    if isinstance(point, Excerpt):
        return pb.Point(excerpt=_excerpt_to_message(point))
    return pb.Point(latent=_latent_to_message(point))


def _excerpt_to_message(excerpt: Excerpt) -> pb.Excerpt:
    # A MIDI file may have any tempo; what is further off counts as the nearest that clips have.
    qpm = min(max(excerpt.notes.qpm, LOWEST_QPM), HIGHEST_QPM)
    return pb.Excerpt(
        notes=notes_to_message(replace(excerpt.notes, qpm=qpm)),
        start_bar=excerpt.start_bar,
        reduce=excerpt.reduce,
    )
