"""The server's life: opens the port when the models are ready, and lets calls finish at the end."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence

import grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection

from musicvae.bundle.format import Bundle
from musicvae.generation.engine import Engine
from musicvae.v1.musicvae_pb2_grpc import add_MusicServiceServicer_to_server

from .calls import Calls
from .costs import Costs
from .health import Health
from .http_app import Handlers, HttpApp
from .http_port import HttpPort, open_http
from .port import open_port
from .queue import FairQueue
from .readers import Readers
from .service import FREE, NAME, MusicService
from .settings import Settings
from .tokens import Tokens

_LAST_WORDS_S = 1.0
"""Seconds for telling the calls left that the server is stopping."""
_STOPPING = (signal.SIGTERM, signal.SIGINT)


class RunningServer:
    """A server whose port is open. `start` makes one.

    Attributes:
        address: The address of the port, as `host:port`.
        http_url: The address of the port of HTTP, as `http://host:port`, if there is one.
    """

    def __init__(
        self,
        *,
        address: str,
        server: grpc.aio.Server,
        health: Health,
        calls: Calls,
        readers: Readers,
        queue: FairQueue,
        settings: Settings,
        http: HttpPort | None,
    ) -> None:
        self.address = address
        self.http_url = None if http is None else http.url
        self._http = http
        self._server = server
        self._health = health
        self._calls = calls
        self._readers = readers
        self._queue = queue
        self._settings = settings

    async def stop(self) -> None:
        """Says NOT_SERVING, waits `pause_s`, closes the port, and lets calls in flight finish.

        After `grace_s` the calls left end as UNAVAILABLE.
        """
        self._health.stop()
        await asyncio.sleep(self._settings.pause_s)
        await self.close(self._settings.grace_s)

    async def close(self, grace_s: float) -> None:
        """Closes the port, and gives the calls in flight `grace_s` to finish."""
        self._health.close()
        ending = asyncio.get_running_loop().call_later(grace_s, self._calls.end_all)
        closing = [] if self._http is None else [self._http.close(grace_s + _LAST_WORDS_S)]
        await asyncio.gather(self._server.stop(grace_s + _LAST_WORDS_S), *closing)
        ending.cancel()
        self._readers.close()
        self._queue.close()


async def start(settings: Settings, bundles: Sequence[Bundle]) -> RunningServer:
    """Opens the port, and returns once every model has made its first clip.

    Raises:
        SettingError: If the server can't listen on the address.
    """
    engine = Engine(bundles)
    names = [model.name for model in engine.models()]
    queue, costs = FairQueue(settings.max_wait_s, lend_after_s=settings.lend_after_s), Costs()
    readers, health = Readers(settings.max_reading_bytes), Health(NAME, names)
    tokens = None if settings.tokens is None else Tokens(settings.tokens)
    calls = Calls(settings, readers, NAME, free=FREE, models=names, tokens=tokens)
    server = grpc.aio.server(
        interceptors=[calls],
        options=[
            ("grpc.max_receive_message_length", settings.max_message_bytes),
            ("grpc.max_concurrent_streams", settings.max_connection_calls),
            ("grpc.so_reuseport", 0),  # two servers on one port would share its calls by chance
        ],
    )
    service = MusicService(engine, queue, costs, readers, settings)
    handlers = Handlers()
    for registry in (server, handlers):
        add_MusicServiceServicer_to_server(service, registry)  # type: ignore[no-untyped-call]  # generated
        add_HealthServicer_to_server(health, registry)
    reflection.enable_server_reflection((NAME, HEALTH, reflection.SERVICE_NAME), server)
    address = open_port(server, settings)
    http = None
    if settings.http_port is not None:
        app = HttpApp(handlers, calls, settings, readers)
        http = await open_http(app, settings, settings.http_port)
    running = RunningServer(
        address=address,
        server=server,
        health=health,
        calls=calls,
        readers=readers,
        queue=queue,
        settings=settings,
        http=http,
    )
    await server.start()
    try:
        await health.prove(engine, queue, costs)
    except BaseException:
        await running.close(0)
        raise
    return running


def serve(settings: Settings, bundles: Sequence[Bundle], say: Callable[[str], None]) -> None:
    """Serves until SIGTERM or SIGINT, then lets calls in flight finish.

    Logs one line a call to standard error.

    Args:
        settings: The server's settings.
        bundles: The models; the first is the default.
        say: Gets the address and example commands, line by line.

    Raises:
        SettingError: If the server can't listen on the address.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(_serve(settings, bundles, say))


async def _serve(settings: Settings, bundles: Sequence[Bundle], say: Callable[[str], None]) -> None:
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in _STOPPING:
        loop.add_signal_handler(number, told.set)
    running = await start(settings, bundles)
    models = ", ".join(f"{bundle.name} {bundle.version}" for bundle in bundles)
    say(f"serving {models} on {running.address}")
    say(f"try: musicvae sample --server {running.address} -n 4 --out clips")
    say(
        "  or: buf curl --protocol grpc --http2-prior-knowledge "
        f'-d \'{{"clip_format": "CLIP_FORMAT_NOTES"}}\' http://{running.address}/{NAME}/Sample'
    )
    if running.http_url is not None:
        say(f"Connect, gRPC-Web and JSON on {running.http_url}")
    await told.wait()
    for number in _STOPPING:
        loop.remove_signal_handler(number)  # a second signal ends the server at once
    say(f"stopping: calls in flight have {settings.grace_s:g} s to finish")
    await running.stop()
