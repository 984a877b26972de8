"""The server's life: opens the port when the models are ready, and lets calls finish at the end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import NamedTuple

import grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection

from musicvae.bundle.format import Bundle
from musicvae.v1.musicvae_pb2_grpc import (
    add_AdminServiceServicer_to_server,
    add_MusicServiceServicer_to_server,
)

from .admin import ADMIN_NAME, AdminService
from .calls import Calls
from .costs import Costs
from .health import Health, prove
from .http_app import Handlers, HttpApp
from .http_port import HttpPort, open_http
from .log import set_up_log
from .metrics import Metrics, MetricsPort
from .model_folder import ModelFolder
from .models import Models
from .port import open_port
from .queue import FairQueue
from .readers import Readers
from .service import FREE, NAME, MusicService
from .settings import Settings
from .tokens import Tokens
from .traces import Traces, start_traces

_LAST_WORDS_S = 1.0
"""Seconds for telling the calls left that the server is stopping."""
_STOPPING = (signal.SIGTERM, signal.SIGINT)


class _Admin(NamedTuple):
    """The server of AdminService, and its address."""

    server: grpc.aio.Server
    address: str


class RunningServer:
    """A server whose port is open. `start` makes one.

    Attributes:
        address: The address of the port, as `host:port`.
        http_url: The address of the port of HTTP, as `http://host:port`, if there is one.
        admin_address: The address of the port of AdminService, if there is one.
        metrics_url: The address of the metrics, if they have a port.
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
        admin: _Admin | None,
        following: asyncio.Task[None] | None,
        metrics: MetricsPort | None,
        traces: Traces | None,
    ) -> None:
        self.address = address
        self.admin_address = None if admin is None else admin.address
        self._servers = [server, *([] if admin is None else [admin.server])]
        self._following = following
        self.http_url = None if http is None else http.url
        self.metrics_url = None if metrics is None else metrics.url
        self._http = http
        self._metrics = metrics
        self._traces = traces
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
        if self._following is not None:
            self._following.cancel()
        ports = [each.stop(grace_s + _LAST_WORDS_S) for each in self._servers]
        if self._http is not None:
            ports.append(self._http.close(grace_s + _LAST_WORDS_S))
        await asyncio.gather(*ports)
        ending.cancel()
        self._readers.close()
        self._queue.close()
        if self._metrics is not None:
            await asyncio.to_thread(self._metrics.close)
        if self._traces is not None:
            await asyncio.to_thread(self._traces.close)


async def start(settings: Settings, bundles: Sequence[Bundle]) -> RunningServer:
    """Opens the port, and returns once every model has made its first clip.

    Raises:
        SettingError: If the server can't listen on the address.
    """
    metrics, traces = Metrics(version("musicvae")), start_traces(os.environ)
    queue = FairQueue(
        settings.max_wait_s, lend_after_s=settings.lend_after_s, tell_batch=metrics.count_batch
    )
    costs = Costs(metrics.count_group)
    readers, health = Readers(settings.max_reading_bytes), Health(NAME)
    models = Models(
        bundles, health, partial(prove, queue=queue, costs=costs), settings.max_model_bytes
    )
    tokens = None if settings.tokens is None else Tokens(settings.tokens)
    calls = Calls(
        *(settings, readers, metrics, NAME),
        free=FREE,
        models=models.names,
        tokens=tokens,
        traces=traces,
    )
    _show(metrics, queue, readers, models)
    server = grpc.aio.server(
        interceptors=[calls],
        options=[
            ("grpc.max_receive_message_length", settings.max_message_bytes),
            ("grpc.max_concurrent_streams", settings.max_connection_calls),
            # Two servers on one port would share its calls by chance.
            ("grpc.so_reuseport", int(settings.shares_ports)),
        ],
    )
    service = MusicService(models, queue, costs, readers, settings)
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
    admin = await _open_admin(models, calls, settings)
    following = None
    if settings.model_folder is not None:
        folder = ModelFolder(settings.model_folder, models)
        following = asyncio.create_task(folder.follow(settings.poll_s))
    port = settings.metrics_port
    metrics_port = None if port is None else metrics.open(settings.metrics_host, port)
    running = RunningServer(
        address=address,
        server=server,
        health=health,
        calls=calls,
        readers=readers,
        queue=queue,
        settings=settings,
        http=http,
        admin=admin,
        following=following,
        metrics=metrics_port,
        traces=traces,
    )
    await server.start()
    try:
        await models.prove_all()
    except BaseException:
        await running.close(0)
        raise
    return running


async def _open_admin(models: Models, calls: Calls, settings: Settings) -> _Admin | None:
    """Opens the port of AdminService, on this machine alone."""
    if settings.admin_port is None:
        return None
    own = replace(
        settings,
        host="127.0.0.1",
        port=settings.admin_port,
        tls_certificate=None,
        tls_key=None,
        tls_client_ca=None,
    )
    server = grpc.aio.server(interceptors=[calls], options=[("grpc.so_reuseport", 0)])
    add_AdminServiceServicer_to_server(AdminService(models), server)  # type: ignore[no-untyped-call]  # generated
    reflection.enable_server_reflection((ADMIN_NAME, reflection.SERVICE_NAME), server)
    admin = _Admin(server, open_port(server, own))
    await server.start()
    return admin


def _show(metrics: Metrics, queue: FairQueue, readers: Readers, models: Models) -> None:
    """Adds the metrics that are read when they are asked for."""
    metrics.show("queue_clips", "Clips that calls wait for.", lambda: queue.waiting_items)
    metrics.show(
        "queue_wait_seconds", "Seconds of one turn of all calls that wait.", lambda: queue.wait_s
    )
    metrics.show(
        "reading_bytes", "Bytes of requests that wait to be read.", lambda: readers.waiting_bytes
    )
    metrics.show_each(
        "model_bytes",
        "Bytes of the weights, as bundles hold them.",
        "model",
        lambda: {each.name: each.size_bytes for each in models.engine.models()},
    )


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
    set_up_log(settings.log_format)
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
    if running.admin_address is not None:
        say(f"AdminService on {running.admin_address}")
    if running.metrics_url is not None:
        say(f"metrics on {running.metrics_url}")
    await told.wait()
    for number in _STOPPING:
        loop.remove_signal_handler(number)  # a second signal ends the server at once
    say(f"stopping: calls in flight have {settings.grace_s:g} s to finish")
    await running.stop()
