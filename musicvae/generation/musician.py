"""The interface that answers requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from musicvae.generation.replies import Clip, Encoding, Grooved, ModelInfo, Transformed
from musicvae.generation.requests import (
    DecodeRequest,
    EncodeRequest,
    GrooveRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
)


class Musician(Protocol):
    """Answers requests: the engine in this process, or the client of a server.

    The law: both give the same answer to the same request with a seed, unless the server refuses
    the request as too large. Two pieces of music that `musicvae.music.midi` reads by default are
    never too large.
    """

    def sample(self, request: SampleRequest) -> Iterator[Clip]: ...
    def interpolate(self, request: InterpolateRequest) -> Iterator[Clip]: ...
    def transform(self, request: TransformRequest) -> Transformed: ...
    def encode(self, request: EncodeRequest) -> Encoding: ...
    def decode(self, request: DecodeRequest) -> Iterator[Clip]: ...
    def groove(self, request: GrooveRequest) -> Grooved: ...
    def models(self) -> tuple[ModelInfo, ...]: ...
    def model(self, name: str) -> ModelInfo: ...
