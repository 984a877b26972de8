"""The health service: it says SERVING once the server can make music."""

from __future__ import annotations

from functools import partial

from grpc_health.v1 import health, health_pb2

from musicvae.generation.engine import Engine
from musicvae.generation.requests import SampleRequest

from .queue import FairQueue


class Health:
    """The standard health service, for one service and for the server as a whole.

    The status is SERVING after `prove` has made music, and NOT_SERVING before and after `stop`.

    Args:
        service: Full name of the service.
    """

    def __init__(self, service: str) -> None:
        self.servicer = health.aio.HealthServicer()
        self._names = (health.OVERALL_HEALTH, service)

    async def start(self) -> None:
        """Says NOT_SERVING; call it before the port opens."""
        await self._set(health_pb2.HealthCheckResponse.NOT_SERVING)

    async def prove(self, engine: Engine, queue: FairQueue) -> None:
        """Draws one clip from every model, then says SERVING."""
        for model in engine.models():
            chords = "C" if model.needs_chords else None
            request = SampleRequest(model=model.name, seed=0, chords=chords)
            await queue.run(partial(next, engine.sample(request)), steps=model.length_steps)
        await self._set(health_pb2.HealthCheckResponse.SERVING)

    async def stop(self) -> None:
        """Says NOT_SERVING for good, so that load balancers send no new calls."""
        await self.servicer.enter_graceful_shutdown()

    async def _set(self, status: int) -> None:
        for name in self._names:
            await self.servicer.set(name, status)
