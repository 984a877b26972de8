"""GetServer tells version, limits and models."""

import asyncio
import threading
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from musicvae.rpc.async_client import AsyncClient
from musicvae.rpc.client import Client
from musicvae.rpc.credentials import Credentials
from musicvae.server import Limits, Settings
from musicvae.server.tokens import add_token
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub


def test_server_tells_version_limits_and_models(client):
    told = client.server()
    assert told.version == version("musicvae")
    assert told.request_limits == Limits()
    assert told.call_limits == Settings().call_limits
    assert told.models == client.models()
    assert not told.needs_token
    assert 0 < told.uptime_s <= client.server().uptime_s


def test_client_for_asyncio_gets_the_same(server, client):
    async def ask():
        async with AsyncClient(server.address) as other:
            return await other.server()

    told = asyncio.run(ask())
    assert replace(told, uptime_s=0.0) == replace(client.server(), uptime_s=0.0)


def test_limits_and_tokens_are_those_of_the_settings(start_server, tmp_path):
    token = add_token(tmp_path / "tokens.txt", "studio")
    settings = Settings(
        port=0, pause_s=0.0, tokens=tmp_path / "tokens.txt", limits=Limits(max_count=3), max_rpcs=5
    )
    with Client(start_server(settings).address, credentials=Credentials(token=token)) as client:
        told = client.server()
    assert told.needs_token
    assert told.request_limits.max_count == 3
    assert told.call_limits.max_rpcs == 5


def test_health_and_lists_are_answered_while_music_fills_the_queue(start_server):
    limits = Limits(max_count=4096, max_steps=4096 * 32)
    server = start_server(Settings(port=0, pause_s=0.0, max_rpcs=2, max_wait_s=1e-6, limits=limits))
    with grpc.insecure_channel(server.address) as channel:
        stub, health = MusicServiceStub(channel), health_pb2_grpc.HealthStub(channel)
        music = stub.Sample(pb.SampleRequest(count=4096))
        next(music)
        reading = threading.Thread(target=read_all, args=(music,))
        reading.start()
        assert server_is_busy(stub)
        for service in ("", "tiny"):
            request = health_pb2.HealthCheckRequest(service=service)
            assert health.Check(request).status == health_pb2.HealthCheckResponse.SERVING
        assert stub.ListModels(pb.ListModelsRequest()).models[0].name == "tiny"
        assert stub.GetModel(pb.GetModelRequest()).model.name == "tiny"
        assert stub.GetServer(pb.GetServerRequest()).server.models[0].name == "tiny"
        assert server_is_busy(stub)
        assert not music.done()
        music.cancel()
        reading.join(10)


def read_all(call):
    with suppress(grpc.RpcError):
        list(call)


def server_is_busy(stub):
    try:
        list(stub.Sample(pb.SampleRequest()))
    except grpc.RpcError as error:
        return error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    return False
