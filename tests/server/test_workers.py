"""Several processes of the server behind one port."""

import os
import signal
import time

import grpc
import psutil
import pytest
from programs import serving

from musicvae.generation.requests import SampleRequest
from musicvae.rpc.client import Client
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub

pytestmark = pytest.mark.slow  # processes start and stop in each


@pytest.fixture
def program(bundle_folder):
    options = ["--bundle", bundle_folder, "--port", "0", "--workers", "2"]
    with serving(*options) as program:
        wait_for(lambda: len(workers(program)) == 2)
        yield program


def workers(program):
    """The processes that listen on the port of the server."""
    port = int(program.address.rsplit(":", 1)[1])
    return [
        each
        for each in psutil.Process(program.process.pid).children(recursive=True)
        if any(c.status == "LISTEN" and c.laddr.port == port for c in each.net_connections())
    ]


def wait_for(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def sample(address, seed):
    with Client(address) as client:
        return next(iter(client.sample(SampleRequest(seed=seed))))


def test_both_processes_answer_and_give_the_same(program):
    port = int(program.address.rsplit(":", 1)[1])
    own = [("grpc.use_local_subchannel_pool", 1)]  # else all channels share a connection
    channels = [grpc.insecure_channel(program.address, own) for _ in range(32)]
    request = pb.SampleRequest(seed=1)
    clips = [next(MusicServiceStub(each).Sample(request)).clip for each in channels]
    assert all(each == clips[0] for each in clips)
    answering = [
        each
        for each in workers(program)
        if any(c.status == "ESTABLISHED" and c.laddr.port == port for c in each.net_connections())
    ]
    for each in channels:
        each.close()
    assert len(answering) == 2


def test_a_process_that_dies_is_replaced(program):
    before = {each.pid for each in workers(program)}
    os.kill(min(before), signal.SIGKILL)
    for seed in range(20):
        assert sample(program.address, seed).notes.notes
    wait_for(lambda: len(workers(program)) == 2)
    assert {each.pid for each in workers(program)} != before
    wait_for(lambda: any("worker" in line and "ended with -9" in line for line in program.log))


def test_processes_end_with_their_parent(bundle_folder):
    options = ["--bundle", bundle_folder, "--port", "0", "--workers", "2"]
    try:
        with serving(*options) as program:
            wait_for(lambda: len(workers(program)) == 2)
            children = workers(program)
            program.process.kill()
            _, alive = psutil.wait_procs(children, timeout=30)
            assert not alive
    except AssertionError:
        assert program.process.returncode == -signal.SIGKILL
