"""A caller can't take the server from the others."""

import asyncio
import threading
from contextlib import ExitStack
from functools import partial

import grpc
import pytest
from rpc_replies import refused

from musicvae.errors import BusyError
from musicvae.generation.requests import SampleRequest
from musicvae.rpc.client import Client
from musicvae.rpc.credentials import Credentials
from musicvae.server import Settings
from musicvae.server.callers import Callers, host_of
from musicvae.server.costs import Load
from musicvae.server.queue import FairQueue
from musicvae.server.tokens import add_token
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub


def test_calls_at_the_same_time_are_bounded_by_caller():
    callers = Callers(2, rate=0.0)
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(callers.take("a"))
        with pytest.raises(BusyError, match="2 calls of one caller"), callers.take("a"):
            pass
        with callers.take("b"):
            pass
    with callers.take("a"):
        pass


def test_calls_a_second_are_bounded_by_caller():
    callers = Callers(9, rate=0.001)
    with callers.take("a"):
        pass
    with pytest.raises(BusyError) as caught, callers.take("a"):
        pass
    assert 990 < caught.value.retry_s < 1_000
    with callers.take("b"):
        pass


@pytest.mark.parametrize(("first", "second"), [
    ("ipv4:10.0.0.7:1", "ipv4:10.0.0.7:2"),
    ("ipv6:%5B2001:db8::1%5D:1", "ipv6:%5B2001:db8::2%5D:1"),
    ("ipv6:%5B::ffff:10.0.0.7%5D:1", "ipv4:10.0.0.7:9"),
])  # fmt: skip
def test_ports_and_addresses_of_one_host_are_one_caller(first, second):
    assert host_of(first) == host_of(second)


def test_a_caller_with_many_calls_costs_others_nothing(start_server, tmp_path):
    tokens = {name: add_token(tmp_path / "tokens", name) for name in ("greedy", "other")}
    settings = Settings(
        port=0, pause_s=0.0, tokens=tmp_path / "tokens", max_caller_rate=0.001, max_caller_rpcs=5
    )
    server = start_server(settings)
    with grpc.insecure_channel(server.address) as channel:
        stub = MusicServiceStub(channel)
        metadata = [("authorization", f"Bearer {tokens['greedy']}")]
        assert list(stub.Sample(pb.SampleRequest(), metadata=metadata))
        code, info, _ = refused(partial(stub.Sample, metadata=metadata), pb.SampleRequest())
        assert (code, info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "BUSY")
        # What makes no music has no such limit.
        assert stub.ListModels(pb.ListModelsRequest(), metadata=metadata).models
    with Client(server.address, credentials=Credentials(token=tokens["other"])) as client:
        assert list(client.sample(SampleRequest()))


def test_work_of_one_caller_delays_another_by_a_turn():
    async def check():
        queue = FairQueue(1.0, lend_after_s=60.0)
        hold = threading.Event()
        load = Load(items=1, whole_s=0.4, turn_s=0.4)
        many = [asyncio.create_task(queue.run(hold.wait, load, caller="a")) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await queue.run(hold.wait, load, caller="a")
        one = asyncio.create_task(queue.run(lambda: 1, load, caller="b"))
        await asyncio.sleep(0)
        hold.set()
        assert await one == 1
        await asyncio.gather(*many)
        queue.close()

    asyncio.run(asyncio.wait_for(check(), 10))
