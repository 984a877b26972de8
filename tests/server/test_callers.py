"""Callers who send nothing, read nothing or only watch take nothing from the others."""

import asyncio
import gc
import logging
import threading
import time
from dataclasses import replace
from types import FrameType

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from rpc_replies import refused

from musicvae.errors import ServiceError
from musicvae.problems import Problems
from musicvae.rpc.error_details import error_from_status
from musicvae.server import Limits, Settings
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub

PREFIX = "/musicvae.v1.MusicService/"
ALL = health_pb2.HealthCheckRequest()
SERVING = health_pb2.HealthCheckResponse.SERVING
NOTE = pb.Note(end_step=4, pitch=60)


def connect(server):
    """A connection of its own, which takes few replies before they are read."""
    return grpc.insecure_channel(
        server.address,
        options=[
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.http2.bdp_probe", 0),
            ("grpc.http2.lookahead_bytes", 1024),
        ],
    )


def error_of(call):
    """The error that ends a stream, as a client would raise it; None if it ends well."""
    try:
        list(call)
    except grpc.RpcError as error:
        return error_from_status(rpc_status.from_call(error))
    return None


@pytest.fixture
def bodiless():
    """Starts calls whose body never comes."""
    gate = threading.Event()

    def never():
        gate.wait(30)
        yield from ()

    yield lambda channel, method: channel.stream_stream(method)(never())
    gate.set()


@pytest.mark.parametrize("method", [PREFIX + "Sample", "/grpc.health.v1.Health/Check"])
def test_calls_without_a_body_take_no_place(start_server, bodiless, method):
    server = start_server(Settings(port=0, pause_s=0.0, max_rpcs=2, max_bodies=9, max_body_s=20.0))
    with connect(server) as idle, connect(server) as busy:
        # More calls than a connection may have.
        calls = [bodiless(idle, method) for _ in range(3)]
        assert health_pb2_grpc.HealthStub(busy).Check(ALL).status == SERVING
        stub = MusicServiceStub(busy)
        assert len(list(stub.Sample(pb.SampleRequest(count=2), timeout=10))) == 2
        for call in calls:
            call.cancel()


def test_call_whose_body_is_late_ends(start_server, bodiless):
    server = start_server(Settings(port=0, pause_s=0.0, max_body_s=0.1))
    with connect(server) as channel:
        error = error_of(bodiless(channel, PREFIX + "Sample"))
    assert isinstance(error, ServiceError)
    assert "for the whole request" in error.found


def test_slowest_body_ends_where_too_many_are_awaited(start_server, bodiless):
    server = start_server(Settings(port=0, pause_s=0.0, max_bodies=1, max_body_s=60.0))
    with connect(server) as channel:
        two = [bodiless(channel, PREFIX + "Sample") for _ in range(2)]
        ended = threading.Event()
        for each in two:
            each.add_done_callback(lambda _: ended.set())
        assert ended.wait(10)
        (slowest,) = [each for each in two if each.done()]
        assert isinstance(error_of(slowest), ServiceError)
        assert MusicServiceStub(channel).GetModel(pb.GetModelRequest()).model.name == "tiny"


LONG = pb.SampleRequest(count=64, seed=1)
UNREAD = Settings(
    port=0,
    pause_s=0.0,
    limits=Limits(max_steps=64 * 32),
    max_rpcs=2,
    lend_after_s=0.05,
)


def until_free(call, message):
    """The replies to a call that is repeated while the server is busy."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return list(call(message, timeout=10))
        except grpc.RpcError as error:
            is_busy = error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            if not is_busy or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def test_streams_that_nobody_reads_hold_nothing_of_anybody_else(start_server):
    server = start_server(UNREAD)
    with connect(server) as idle, connect(server) as busy:
        stub = MusicServiceStub(idle)
        # All places.
        unread = [stub.Sample(LONG), stub.Sample(LONG)]
        for each in unread:
            each.initial_metadata()
        assert len(until_free(MusicServiceStub(busy).Sample, LONG)) == LONG.count
        # Read late, a stream is whole.
        assert sum(1 for _ in unread[0]) == LONG.count
        unread[1].cancel()


@pytest.mark.parametrize("limit", [{"max_unread_s": 0.2}, {"max_unread": 1}])
def test_stream_that_nobody_reads_ends(start_server, limit):
    with connect(start_server(replace(UNREAD, **limit))) as channel:
        unread = [MusicServiceStub(channel).Sample(LONG) for _ in range(2)]
        for each in unread:
            each.initial_metadata()
        time.sleep(0.5)
        errors = [error for each in unread if (error := error_of(each)) is not None]
        assert errors
        for error in errors:
            assert isinstance(error, ServiceError)
            assert "for the caller to read" in error.found


@pytest.mark.parametrize("moment", ["first reply", "later reply"])
def test_caller_who_leaves_in_the_middle_of_a_reply_is_no_fault_of_ours(
    start_server, caplog, moment
):
    server = start_server(UNREAD)
    with caplog.at_level(logging.INFO), connect(server) as channel:
        call = MusicServiceStub(channel).Sample(LONG)
        if moment == "later reply":
            next(call)
        time.sleep(0.2)
        call.cancel()
        server.stop()
    assert "CANCELLED" in caplog.text
    assert "incident" not in caplog.text
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_watchers_take_no_place_of_others(start_server):
    server = start_server(replace(UNREAD, max_watchers=2, max_rpcs=1))
    with connect(server) as watching, connect(server) as busy:
        watches = [health_pb2_grpc.HealthStub(watching).Watch(ALL) for _ in range(2)]
        for watch in watches:
            assert next(watch).status == SERVING
        health, stub = health_pb2_grpc.HealthStub(busy), MusicServiceStub(busy)
        code, info, _ = refused(health.Watch, ALL)
        assert (code, info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "BUSY")
        # The only place for music is free, and when it is taken the others are still answered.
        music = stub.Sample(LONG)
        next(music)
        code, info, _ = refused(stub.Sample, LONG)
        assert (code, info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "BUSY")
        assert health.Check(ALL).status == SERVING
        assert len(stub.ListModels(pb.ListModelsRequest()).models) == 1
        assert stub.GetModel(pb.GetModelRequest()).model.name == "tiny"
        assert stub.GetServer(pb.GetServerRequest()).server.call_limits.max_rpcs == 1
        for each in (music, *watches):
            each.cancel()


MANY = pb.NoteSequence(notes=[pb.Note()] * 3000)
WRONG = {
    "several fields": pb.EncodeRequest(excerpt=pb.Excerpt(notes=MANY, start_bar=0)),
    "MIDI": pb.EncodeRequest(excerpt=pb.Excerpt(midi=b"MThd" + bytes(100_000))),
    "model": pb.EncodeRequest(
        model="nobody", excerpt=pb.Excerpt(notes=pb.NoteSequence(notes=[NOTE] * 3000))
    ),
    "parts": pb.EncodeRequest(excerpt=pb.Excerpt(notes=MANY), seed=1),
}


@pytest.mark.parametrize("name", WRONG)
def test_refused_request_leaves_no_cycle_in_memory(start_server, name):
    most = 100 if name == "parts" else 300_000
    server = start_server(Settings(port=0, pause_s=0.0, max_submessages=most))
    with connect(server) as channel:
        call = channel.unary_unary(PREFIX + "Encode")
        data = WRONG[name].SerializeToString()
        refused(call, data)
        gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            with pytest.raises(grpc.RpcError):
                call(data)
            server.run(asyncio.sleep(0))
            gc.collect()
            frames = [each for each in gc.garbage if isinstance(each, FrameType)]
            kept = [value for each in frames for value in each.f_locals.values()]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
    large = (Problems, pb.EncodeRequest, pb.Excerpt, pb.NoteSequence)
    assert not [each for each in kept if isinstance(each, large)]
    assert not [each for each in kept if isinstance(each, bytes) and len(each) > 1000]
