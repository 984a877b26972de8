"""Callers that are killed, close half of a connection, or stop reading harm nobody else."""

import logging
import socket
import struct
import subprocess
import sys
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import grpc
import psutil
import pytest
from connecting import PROTO_STREAM, SERVICE, envelope, post, stream
from h2.connection import H2Connection
from h2.settings import SettingCodes

from musicvae.server import Settings
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub

LONG = pb.SampleRequest(count=64, seed=1)
KILLED = 50
CLIENT = """
import sys, time, grpc
options = [("grpc.use_local_subchannel_pool", 1), ("grpc.http2.bdp_probe", 0),
           ("grpc.http2.lookahead_bytes", 1024)]
channels = [grpc.insecure_channel(sys.argv[1], options) for _ in range(int(sys.argv[3]))]
sample = "/musicvae.v1.MusicService/Sample"
calls = [each.unary_stream(sample)(bytes.fromhex(sys.argv[2])) for each in channels]
for call in calls:
    next(call)
print("begun", flush=True)
time.sleep(60)
"""


def until(is_so):
    deadline_s = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def answers(address):
    """Whether the server answers a new caller with a clip."""
    with grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        return len(list(MusicServiceStub(channel).Sample(pb.SampleRequest(), timeout=20))) == 1


@pytest.mark.slow
def test_streams_of_a_killed_client_end_and_free_their_places(start_server, caplog):
    server = start_server(Settings(port=0, pause_s=0.0, max_rpcs=KILLED, max_wait_s=600.0))
    open_before = psutil.Process().num_fds()
    with caplog.at_level(logging.INFO):
        arguments = [server.address, LONG.SerializeToString().hex(), str(KILLED)]
        client = subprocess.Popen(
            [sys.executable, "-c", CLIENT, *arguments], stdout=subprocess.PIPE
        )
        try:
            assert client.stdout.readline() == b"begun\n"
        finally:
            client.kill()
            client.communicate()
        until(lambda: caplog.text.count(" Sample CANCELLED ") == KILLED)
        assert answers(server.address)
    until(lambda: psutil.Process().num_fds() <= open_before + 4)
    assert not [each for each in caplog.records if each.levelno > logging.INFO]


def connect(address, *, receive_bytes=None):
    place = urlsplit(address if "://" in address else f"//{address}")
    made = socket.socket()
    if receive_bytes is not None:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    made.settimeout(20)
    made.connect((place.hostname, place.port))
    return made


def http_2_call(content_type, *, window=None):
    """The bytes of a Sample over HTTP/2."""
    client = H2Connection()
    client.initiate_connection()
    if window is not None:
        client.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: window})
    head = [(":method", "POST"), (":scheme", "http"), (":authority", "x")]
    head += [(":path", SERVICE + "Sample"), ("content-type", content_type), ("te", "trailers")]
    client.send_headers(1, head)
    client.send_data(1, envelope(LONG.SerializeToString()), end_stream=True)
    return client.data_to_send()


BODY = envelope(LONG.SerializeToString())
HTTP_CALL = (
    f"POST {SERVICE}Sample HTTP/1.1\r\nhost: x\r\ncontent-type: {PROTO_STREAM}\r\n"
    f"content-length: {len(BODY)}\r\n\r\n"
).encode() + BODY
BEGINNINGS = [
    b"",
    b"PRI * HTTP/2.0\r\n\r\n",
    http_2_call("application/grpc"),
    http_2_call("application/grpc")[:-1],
    http_2_call(PROTO_STREAM),
    http_2_call(PROTO_STREAM)[:-1],
    HTTP_CALL,
    HTTP_CALL[:-1],
    HTTP_CALL[:30],
]


@pytest.mark.parametrize("how", ["half", "reset", "silent"])
def test_half_open_connections_take_nothing_from_others(start_server, caplog, how):
    server = start_server(Settings(port=0, http_port=0, pause_s=0.0, max_body_s=0.5))
    open_before = psutil.Process().num_fds()
    with caplog.at_level(logging.INFO), ExitStack() as stack:
        for address in (server.address, server.http_url):
            for beginning in BEGINNINGS:
                half = stack.enter_context(connect(address))
                half.sendall(beginning)
                if how == "half":
                    half.shutdown(socket.SHUT_WR)
                if how == "reset":  # closing sends RST
                    half.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    half.close()
        assert answers(server.address)
        assert post(server.http_url, SERVICE + "GetModel", b"{}")[0] == 200
    until(lambda: psutil.Process().num_fds() <= open_before + 2)
    start_s = time.monotonic()
    server.stop()
    assert time.monotonic() - start_s < 5  # much less than the grace of calls in flight
    assert not [each for each in caplog.records if each.levelno > logging.WARNING]
    assert "incident" not in caplog.text


def test_callers_over_http_1_that_stop_reading_hold_no_place(start_server, caplog):
    limits = {"max_rpcs": 4, "max_unread_s": 0.5, "lend_after_s": 0.05}
    server = start_server(Settings(port=0, http_port=0, pause_s=0.0, **limits))
    with caplog.at_level(logging.INFO), ExitStack() as stack:
        for _ in range(4):
            unread = stack.enter_context(connect(server.http_url, receive_bytes=1024))
            unread.sendall(HTTP_CALL)
            assert unread.recv(10)
        until(lambda: caplog.text.count(" Sample ") == 4)
        assert len(stream(server.http_url, "Sample", pb.SampleRequest())[0]) == 1
    assert "Sample INTERNAL" not in caplog.text and "incident" not in caplog.text


def test_stop_ends_callers_that_do_not_read_without_a_traceback(start_server, caplog):
    server = start_server(Settings(port=0, http_port=0, pause_s=0.0, grace_s=0.2))
    with connect(server.http_url) as unread:
        unread.sendall(http_2_call(PROTO_STREAM, window=0))
        assert unread.recv(10)
        server.stop()
    assert not [each for each in caplog.records if each.levelno > logging.WARNING]
