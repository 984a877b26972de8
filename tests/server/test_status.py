import asyncio
import logging

import grpc
import pytest
from google.rpc import code_pb2
from grpc_status import rpc_status

from musicvae import errors
from musicvae.rpc.error_details import error_from_status
from musicvae.server import Settings
from musicvae.server.calls import Calls
from musicvae.server.metrics import Metrics
from musicvae.server.readers import Readers
from musicvae.server.status import to_status
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import (
    MusicServiceServicer,
    MusicServiceStub,
    add_MusicServiceServicer_to_server,
)

SAID = {"expected": "another", "action": "Do it.", "field": "a.field"}
SERVICE = "musicvae.v1.MusicService"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.BusyError("much", **SAID), code_pb2.RESOURCE_EXHAUSTED),
        (errors.ModelNotFoundError("none", **SAID), code_pb2.NOT_FOUND),
        (errors.MidiError("noise", **SAID), code_pb2.INVALID_ARGUMENT),
        (errors.LatentError("odd", **SAID), code_pb2.INVALID_ARGUMENT),
        (
            errors.RepresentationError("chord", cause="polyphonic", **SAID),
            code_pb2.INVALID_ARGUMENT,
        ),
        (errors.RequestError([errors.Violation("a", "B_C", "d")] * 2), code_pb2.INVALID_ARGUMENT),
    ],
)
def test_table_gives_code_and_details_that_a_client_reads_back(error, code):
    status = to_status(error)
    assert status.code == code
    read = error_from_status(status)
    assert type(read) is type(error)
    assert str(read) == str(error) == status.message
    assert read.field == error.field
    assert getattr(read, "cause", None) == getattr(error, "cause", None)
    if code == code_pb2.INVALID_ARGUMENT:
        assert read.violations == error.violations


def test_our_mistake_shows_an_incident_and_nothing_of_its_text(caplog):
    with caplog.at_level(logging.ERROR):
        status = to_status(ValueError("the secret"))
    assert status.code == code_pb2.INTERNAL
    incident = status.message.split()[-1]
    assert len(incident) == 32
    assert "secret" not in str(status)
    assert incident in caplog.text
    assert "the secret" in caplog.text


class Faulty(MusicServiceServicer):
    """What a servicer of ours must never do."""

    async def Sample(self, message, context):  # noqa: N802
        await context.write(pb.SampleResponse(clip=pb.Clip(index=1)))
        raise ValueError("the secret")

    async def Encode(self, message, context):  # noqa: N802
        raise asyncio.CancelledError

    async def Decode(self, message, context):  # noqa: N802
        await context.write(pb.DecodeResponse(clip=pb.Clip(index=1)))
        await asyncio.sleep(60)

    async def Transform(self, message, context):  # noqa: N802
        raise KeyError("the secret")


@pytest.fixture
def faulty():
    """A stub of a server whose calls go wrong, and the loop it runs in."""
    loop = asyncio.new_event_loop()

    async def call(work):
        readers = Readers(1)
        calls = Calls(Settings(max_call_s=0.5), readers, Metrics("0"), SERVICE)
        server = grpc.aio.server(interceptors=[calls])
        add_MusicServiceServicer_to_server(Faulty(), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await work(MusicServiceStub(channel))
        await server.stop(0)
        readers.close()
        return caught.value

    yield lambda work: loop.run_until_complete(call(work))
    loop.close()


def test_exception_in_a_call_is_internal(faulty):
    error = faulty(lambda stub: stub.Transform(pb.TransformRequest(), timeout=10))
    assert error.code() == grpc.StatusCode.INTERNAL
    assert "secret" not in error.details()


def test_exception_in_the_middle_of_a_stream_is_internal(faulty):
    async def work(stub):
        async for reply in stub.Sample(pb.SampleRequest(), timeout=10):
            assert reply.clip.index == 1

    error = faulty(work)
    assert error.code() == grpc.StatusCode.INTERNAL
    assert "secret" not in error.details()


def test_call_that_cancels_itself_is_answered(faulty):
    error = faulty(lambda stub: stub.Encode(pb.EncodeRequest(), timeout=10))
    assert error.code() == grpc.StatusCode.UNAVAILABLE


def test_call_without_a_deadline_ends_at_the_servers(faulty):
    async def work(stub):
        async for reply in stub.Decode(pb.DecodeRequest()):
            assert reply.clip.index == 1

    error = faulty(work)
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    said = error_from_status(rpc_status.from_call(error))
    assert isinstance(said, errors.ServiceError)
    assert said.found == "a call of more than 0.5 s"
