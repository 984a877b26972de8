"""The log of the real program: a line a call, and no traceback when callers leave."""

import json
import logging
import re
import socket
import threading

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from programs import serving

from musicvae.server import Settings
from musicvae.server.log import set_up_log
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub

LONG = pb.SampleRequest(count=256)


def leave_in_all_ways(address):
    """Makes calls that end by a deadline, a cancellation or the end of the connection, before and
    in the middle of the replies; and opens connections that do not speak gRPC."""
    with grpc.insecure_channel(address) as channel:
        stub = MusicServiceStub(channel)
        with pytest.raises(grpc.RpcError):
            list(stub.Sample(LONG, timeout=0.05))
        for replies in (1, 9):
            call = stub.Sample(LONG)
            for _ in range(replies):
                next(call)
            call.cancel()
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        next(watch)
        gate = threading.Event()

        def never():
            gate.wait(20)
            yield from ()

        bodiless = channel.stream_stream("/musicvae.v1.MusicService/Sample")(never())
        with pytest.raises(grpc.RpcError):
            list(channel.unary_stream("/musicvae.v1.MusicService/Sample")(b"\xff\xff"))
        bodiless.cancel()
        left = stub.Sample(LONG)
        next(left)
    gate.set()
    host, _, port = address.rpartition(":")
    for data in (b"", b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(40)):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(data)


def test_callers_who_leave_write_a_line_each_and_no_traceback(bundle_folder):
    with serving("--bundle", bundle_folder, "--port", "0") as server:
        leave_in_all_ways(server.address)
    line = re.compile(
        r"[0-9-]{10} [0-9:,]{12} INFO [0-9a-f]{16} (?:Sample|grpc\.health\.v1\.Health/Watch) "
        r"(?P<code>[A-Z_]+) [0-9]+ ms, model [a-z-]+, [0-9]+ bytes, [0-9]+ replies, "
        r"ipv4:127\.0\.0\.1:[0-9]+\n"
    )
    found = [line.fullmatch(each) for each in server.log]
    assert all(found), server.log
    codes = [each["code"] for each in found]
    assert codes.count("DEADLINE_EXCEEDED") == 1
    assert codes.count("INVALID_ARGUMENT") == 1
    assert codes.count("CANCELLED") == 5


def test_lines_of_json_have_the_fields_of_a_call(bundle_folder):
    with (
        serving("--bundle", bundle_folder, "--port", "0", "--log-format", "json") as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        stub = MusicServiceStub(channel)
        request = pb.SampleRequest(count=3)
        list(stub.Sample(request, metadata=[("x-request-id", "mine")]))
        with pytest.raises(grpc.RpcError):
            list(stub.Sample(pb.SampleRequest(model='"}\n{')))
    first, second = map(json.loads, server.log)
    assert first.pop("time").endswith("+00:00")
    assert first.pop("duration_ms") > 0
    assert first.pop("peer").startswith("ipv4:127.0.0.1:")
    assert first == {
        "level": "info",
        "event": "call",
        "request_id": "mine",
        "method": "Sample",
        "code": "OK",
        "model": "tiny",
        "size_bytes": len(request.SerializeToString()),
        "replies": 3,
        "caller": "",
    }
    assert (second["code"], second["model"]) == ("NOT_FOUND", "-")


@pytest.mark.parametrize("how", ["text", "json"])
def test_fault_of_ours_has_the_id_of_its_request(start_server, capfd, monkeypatch, how):
    """The line of an incident, too, belongs to a call."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", logging.WARNING)
    set_up_log(how)
    server = start_server(Settings(port=0, pause_s=0.0, max_rpcs=1))
    with grpc.insecure_channel(server.address) as channel:
        stub = MusicServiceStub(channel)
        monkeypatch.setattr(
            "musicvae.server.service.encoding_to_message", lambda _: 1 // 0, raising=True
        )
        notes = pb.NoteSequence(notes=[pb.Note(end_step=4, pitch=60)], length_steps=32)
        with pytest.raises(grpc.RpcError) as caught:
            stub.Encode(
                pb.EncodeRequest(excerpt=pb.Excerpt(notes=notes)),
                metadata=[("x-request-id", "mine")],
            )
    assert caught.value.code() == grpc.StatusCode.INTERNAL
    server.stop()
    said = capfd.readouterr().err
    if how == "text":
        assert re.search(r"ERROR mine incident [0-9a-f]{32}\nTraceback", said)
        assert re.search(r"INFO mine Encode INTERNAL", said)
    else:
        incident, call = map(json.loads, said.splitlines())
        assert (incident["event"], incident["request_id"]) == ("incident", "mine")
        assert incident["exception"].endswith(
            "ZeroDivisionError: integer division or modulo by zero"
        )
        assert (call["event"], call["request_id"]) == ("call", "mine")
