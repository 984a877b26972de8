"""Health says what a load balancer needs, for the server and for each model."""

import asyncio
import threading
from dataclasses import replace

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from musicvae.errors import BundleError
from musicvae.server import Settings, start

SERVICE = "musicvae.v1.MusicService"
SERVING, NOT_SERVING = (
    health_pb2.HealthCheckResponse.SERVING,
    health_pb2.HealthCheckResponse.NOT_SERVING,
)


def ask(service=""):
    return health_pb2.HealthCheckRequest(service=service)


@pytest.mark.parametrize("service", ["", SERVICE, "tiny", "other"])
def test_server_and_each_model_are_serving(channel, service):
    assert health_pb2_grpc.HealthStub(channel).Check(ask(service)).status == SERVING


def test_unknown_model_is_not_found(channel):
    with pytest.raises(grpc.RpcError) as caught:
        health_pb2_grpc.HealthStub(channel).Check(ask("nobody"))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_open_watch_does_not_hold_a_stop(start_server):
    server = start_server(Settings(port=0, pause_s=0.0, grace_s=20.0))
    with grpc.insecure_channel(server.address) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(ask("tiny"))
        assert next(watch).status == SERVING
        server.stop()  # less than the 20 s, or the stream would end as UNAVAILABLE
        assert [said.status for said in watch] == [NOT_SERVING]


def test_calls_are_taken_between_not_serving_and_the_closing_of_the_port(tiny):
    async def check():
        running = await start(Settings(port=0, pause_s=60.0), [tiny])
        async with grpc.aio.insecure_channel(running.address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            stopping = asyncio.create_task(running.stop())
            await asyncio.sleep(0)
            assert (await stub.Check(ask())).status == NOT_SERVING
            stopping.cancel()
            await running.close(0)

    asyncio.run(check())


def test_calls_left_after_the_grace_read_that_the_server_is_stopping(start_server):
    server = start_server(Settings(port=0, pause_s=0.0, grace_s=0.1))
    with grpc.insecure_channel(server.address) as channel:
        gate = threading.Event()

        def never():
            gate.wait(20)
            yield from ()

        call = channel.stream_stream(f"/{SERVICE}/Sample")(never())
        # The head of that call has come before this call is answered.
        assert health_pb2_grpc.HealthStub(channel).Check(ask()).status == SERVING
        server.stop()
        with pytest.raises(grpc.RpcError) as caught:
            next(call)
        gate.set()
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert caught.value.details() == "the server is stopping"


def test_model_whose_clips_have_no_notes_is_not_served(tiny):
    (name,) = [name for name in tiny.weights if name.endswith("output.bias")]
    bias = tiny.weights[name].copy()
    bias[0] = 1e4  # each step goes on as before: silence
    with pytest.raises(BundleError, match="a model tiny that makes no notes"):
        asyncio.run(start(Settings(port=0), [replace(tiny, weights={**tiny.weights, name: bias})]))
