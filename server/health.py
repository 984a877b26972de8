# ruff: noqa: N802  # methods have the names that the contract gives them
"""The health service: it says SERVING once the server can make music, for each model and in all."""

from __future__ import annotations

import asyncio
from functools import partial

from grpc_health.v1 import health_pb2
from grpc_health.v1.health import OVERALL_HEALTH
from grpc_health.v1.health_pb2_grpc import HealthServicer

from musicvae.errors import BundleError, ModelNotFoundError
from musicvae.generation.engine import Engine
from musicvae.generation.replies import ModelInfo
from musicvae.generation.requests import SampleRequest

from .calls import Replies
from .costs import Costs, Kind
from .queue import FairQueue

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
_SEEDS = range(8)
"""A model that makes no note with any of these seeds is broken."""


class Health(HealthServicer):  # type: ignore[misc]  # untyped
    """The standard health service, for the server as a whole, one service, and each model.

    A name's status is NOT_SERVING until `serve`, and after `stop`.

    Args:
        service: Full name of the service.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._status = dict.fromkeys((OVERALL_HEALTH, service), _NOT_SERVING)
        self._changed = asyncio.Event()
        self._is_closed = False

    async def Check(
        self, request: health_pb2.HealthCheckRequest, _: Replies
    ) -> health_pb2.HealthCheckResponse:
        if request.service not in self._status:
            raise ModelNotFoundError(
                "a service that is not here",
                expected=", ".join(filter(None, self._status)) + ", or no name for all of them",
                action="Ask for one of them.",
                field="service",
            )
        return health_pb2.HealthCheckResponse(status=self._status[request.service])

    async def Watch(self, request: health_pb2.HealthCheckRequest, replies: Replies) -> None:
        said = None
        while True:
            changed, is_last = self._changed, self._is_closed
            status = self._status.get(request.service, _UNKNOWN)
            if status != said:
                await replies.write(health_pb2.HealthCheckResponse(status=status))
                said = status
            if is_last:
                return
            await changed.wait()

    def add(self, model: str) -> None:
        """Adds a model that is not served yet, unless it is known."""
        self._status.setdefault(model, _NOT_SERVING)

    def serve(self, model: str) -> None:
        """Says SERVING for a model, and once all models are served for the service."""
        self._set(model, _SERVING)
        names = (OVERALL_HEALTH, self._service)
        if all(status == _SERVING for name, status in self._status.items() if name not in names):
            for name in names:
                self._set(name, _SERVING)

    def remove(self, model: str) -> None:
        """Forgets a model."""
        del self._status[model]
        self._tell()

    def stop(self) -> None:
        """Says NOT_SERVING for good, so that load balancers send no new calls."""
        for name in self._status:
            self._set(name, _NOT_SERVING)

    def close(self) -> None:
        """Ends the streams of Watch."""
        self._is_closed = True
        self._tell()

    def _set(self, name: str, status: int) -> None:
        self._status[name] = status
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


async def prove(model: ModelInfo, engine: Engine, *, queue: FairQueue, costs: Costs) -> None:
    """Draws music from a model, which tells its cost.

    Raises:
        BundleError: If the model makes no notes.
    """
    kind = Kind(model.name, "Sample", model.length_steps)
    chords = "C" if model.needs_chords else None
    for seed in _SEEDS:
        request = SampleRequest(model=model.name, seed=seed, chords=chords)
        work = costs.timed(engine.sample(request), kind, 1)
        clip = await queue.run(partial(next, work), costs.load(kind, 1))
        if clip.notes.notes:
            return
    raise BundleError(
        f"a model {model.name} that makes no notes",
        expected="notes in its clips",
        action="Export or copy it again.",
        field="bundle",
    )
