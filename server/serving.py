"""The server's life: opens the port when the models are ready, and lets calls finish at the end."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Sequence

import grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection

from musicvae.bundle.format import Bundle
from musicvae.errors import SettingError
from musicvae.generation.engine import Engine
from musicvae.v1.musicvae_pb2_grpc import add_MusicServiceServicer_to_server

from .calls import Calls
from .costs import Costs
from .health import Health
from .queue import FairQueue
from .readers import Readers
from .service import FREE, NAME, MusicService
from .settings import Settings

_LAST_WORDS_S = 1.0
"""Seconds for telling the calls left that the server is stopping."""
_STOPPING = (signal.SIGTERM, signal.SIGINT)


class RunningServer:
    """A server whose port is open. `start` makes one.

    Attributes:
        address: The address of the port, as `host:port`.
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
    ) -> None:
        self.address = address
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
        await self._server.stop(grace_s + _LAST_WORDS_S)
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
    calls = Calls(settings, readers, NAME, free=FREE, models=names)
    server = grpc.aio.server(
        interceptors=[calls],
        options=[
            ("grpc.max_receive_message_length", settings.max_message_bytes),
            ("grpc.max_concurrent_streams", settings.max_connection_calls),
            ("grpc.so_reuseport", 0),  # two servers on one port would share its calls by chance
        ],
    )
    service = MusicService(engine, queue, costs, readers, settings.limits)
    add_MusicServiceServicer_to_server(service, server)  # type: ignore[no-untyped-call]  # generated
    add_HealthServicer_to_server(health, server)
    reflection.enable_server_reflection((NAME, HEALTH, reflection.SERVICE_NAME), server)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    _check_free(settings.host, settings.port)
    try:
        port = server.add_insecure_port(f"{host}:{settings.port}")
    except RuntimeError as error:
        raise _not_free(settings.host, settings.port, "taken") from error
    running = RunningServer(
        address=f"{host}:{port}",
        server=server,
        health=health,
        calls=calls,
        readers=readers,
        queue=queue,
        settings=settings,
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
    await told.wait()
    for number in _STOPPING:
        loop.remove_signal_handler(number)  # a second signal ends the server at once
    say(f"stopping: calls in flight have {settings.grace_s:g} s to finish")
    await running.stop()


def _check_free(host: str, port: int) -> None:
    """Tries the address with a plain socket, since gRPC prints lines before its error."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=family).close()
    except UnicodeError as error:  # names that never reach a resolver, such as a..b
        raise _not_free(host, port, "no host name") from error
    except OSError as error:
        raise _not_free(host, port, error.strerror or str(error)) from error


def _not_free(host: str, port: int, reason: str) -> SettingError:
    return SettingError(
        f"host {host!r} and port {port}: {reason}",
        expected="an address of this machine and a free port",
        action="Choose another `port`, or 0 for any free port.",
        field="port",
    )
