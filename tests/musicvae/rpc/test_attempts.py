"""Calls are repeated where no server has begun to answer, and only there."""

import asyncio
import socket
import threading
import time

import grpc
import pytest
from engines import ServerThread

from musicvae.errors import BusyError, ServiceError
from musicvae.generation.requests import SampleRequest
from musicvae.rpc.async_client import AsyncClient
from musicvae.rpc.client import Client
from musicvae.server import Settings
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub

ONE_PLACE = Settings(port=0, pause_s=0.0, max_rpcs=1, lend_after_s=60.0)


def draw(kind, address, timeout_s=20.0):
    """The seeds of the clips that a client of either kind gets."""
    request = SampleRequest(seed=3)
    if kind is Client:
        with Client(address, timeout_s=timeout_s) as client:
            return [clip.seed for clip in client.sample(request)]

    async def ask():
        async with AsyncClient(address, timeout_s=timeout_s) as client:
            return [clip.seed async for clip in client.sample(request)]

    return asyncio.run(ask())


both = pytest.mark.parametrize("kind", [Client, AsyncClient])


@pytest.fixture
def busy(start_server):
    """A server whose one place is taken, and a function that frees the place."""
    server = start_server(ONE_PLACE)
    with grpc.insecure_channel(
        server.address, [("grpc.http2.lookahead_bytes", 1024), ("grpc.http2.bdp_probe", 0)]
    ) as channel:
        unread = MusicServiceStub(channel).Sample(pb.SampleRequest(count=256))
        next(unread)
        yield server, unread.cancel


@both
def test_busy_server_is_asked_again_when_it_said(busy, kind):
    server, free = busy
    threading.Timer(0.3, free).start()
    start_s = time.monotonic()
    assert draw(kind, server.address) == [3]
    assert time.monotonic() - start_s >= 1.0  # its RetryInfo


@both
def test_busy_server_is_not_asked_again_after_the_deadline(busy, kind):
    server, _ = busy
    start_s = time.monotonic()
    with pytest.raises(BusyError):
        draw(kind, server.address, timeout_s=0.9)
    assert time.monotonic() - start_s < 0.9


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@both
def test_server_that_starts_late_is_found(start_server, kind):
    port = free_port()
    threading.Timer(0.3, lambda: start_server(Settings(port=port, pause_s=0.0))).start()
    assert draw(kind, f"127.0.0.1:{port}") == [3]


def test_stream_that_has_begun_is_not_repeated(start_server):
    server = start_server(Settings(port=0, pause_s=0.0, grace_s=0.0, lend_after_s=0.05))
    with Client(server.address) as client:
        clips = client.sample(SampleRequest(count=256))
        next(clips)
        server.stop()
        with pytest.raises(ServiceError, match="UNAVAILABLE"):
            list(clips)


@pytest.fixture
def replicas(tiny, other):
    """Two servers of different models, so that an answer tells its server."""
    pair = [ServerThread(Settings(port=0, pause_s=0.0), each) for each in (tiny, other)]
    yield pair
    for each in pair:
        each.stop()


def test_calls_go_round_the_replicas_and_leave_out_the_stopped(replicas):
    first, second = replicas
    with Client(f"{first.address},{second.address}") as client:
        seen = [client.models()[0].name for _ in range(12)]
        assert set(seen) == {"tiny", "other"}
        first.stop()
        assert {client.models()[0].name for _ in range(12)} == {"other"}


def test_one_replica_that_listens_is_enough(replicas):
    first, _ = replicas
    with Client(f"localhost:{free_port()},{first.address}") as client:
        assert {client.models()[0].name for _ in range(6)} == {"tiny"}
