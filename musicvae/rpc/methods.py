"""The methods of the contract: how each writes its request, and reads its reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

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
    DecodeRequest,
    EncodeRequest,
    GrooveRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
    check_text,
)
from musicvae.problems import Problems, check_type
from musicvae.rpc.replies import (
    clip_from_message,
    encoding_from_message,
    grooved_from_message,
    model_from_message,
    transformed_from_message,
)
from musicvae.rpc.requests import request_to_message
from musicvae.rpc.server_info import ServerInfo, server_from_message
from musicvae.v1 import musicvae_pb2 as pb

Request = TypeVar("Request")
Reply = TypeVar("Reply")


@dataclass(frozen=True)
class Method(Generic[Request, Reply]):
    """A method of the contract.

    Attributes:
        name: Its name there.
        write: Writes a request as a message.
        read: Reads a message of the reply to a request.
    """

    name: str
    write: Callable[[Request], Message]
    read: Callable[[Any, Request], Reply]


def _model_to_message(name: str) -> pb.GetModelRequest:
    check_type("name", name, str, "the name of a model")
    problems = Problems()
    check_text(problems, "model", name)
    problems.raise_all()
    return pb.GetModelRequest(model=name)


SAMPLE = Method[SampleRequest, Clip](
    "Sample", request_to_message, lambda reply, _: clip_from_message(reply.clip, SAMPLED)
)
INTERPOLATE = Method[InterpolateRequest, Clip](
    "Interpolate", request_to_message, lambda reply, _: clip_from_message(reply.clip, DECODED)
)
TRANSFORM = Method[TransformRequest, Transformed](
    "Transform", request_to_message, lambda reply, _: transformed_from_message(reply)
)
ENCODE = Method[EncodeRequest, Encoding](
    "Encode", request_to_message, lambda reply, _: encoding_from_message(reply)
)
DECODE = Method[DecodeRequest, Clip](
    "Decode", request_to_message, lambda reply, _: clip_from_message(reply.clip, DECODED)
)
GROOVE = Method[GrooveRequest, Grooved](
    "Groove",
    request_to_message,
    lambda reply, request: grooved_from_message(reply, request.task),
)
LIST_MODELS = Method[None, tuple[ModelInfo, ...]](
    "ListModels",
    lambda _: pb.ListModelsRequest(),
    lambda reply, _: tuple(map(model_from_message, reply.models)),
)
GET_MODEL = Method[str, ModelInfo](
    "GetModel", _model_to_message, lambda reply, _: model_from_message(reply.model)
)
GET_SERVER = Method[None, ServerInfo](
    "GetServer",
    lambda _: pb.GetServerRequest(),
    lambda reply, _: server_from_message(reply.server),
)
