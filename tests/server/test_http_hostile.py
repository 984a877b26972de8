"""Whatever comes to the port of HTTP, the server answers others and logs no traceback."""

import logging
import random
import socket
import time
from contextlib import suppress
from urllib.parse import urlsplit

import psutil
import pytest
from connecting import JSON_STREAM, PROTO, SERVICE, WEB, ask, envelope, post
from google.protobuf.json_format import MessageToJson
from h2.config import H2Configuration
from h2.connection import H2Connection

from musicvae.v1 import musicvae_pb2 as pb

PATH = (SERVICE + "GetModel").encode()
POST = b"POST " + PATH + b" HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
HTTP_2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
UPGRADE = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\n"
BYTES = {
    "noise": bytes(range(256)) * 8,
    "path": b"POST /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
    "escaped path": b"POST /%ff%00 HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
    "verb": b"\x00\x01 / HTTP/1.1\r\nhost: x\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
    "proxy": b"CONNECT a:1 HTTP/1.1\r\nhost: x\r\n\r\n",
    "no host": b"POST / HTTP/1.1\r\n\r\n",
    "long header": POST + b"a: " + b"b" * 100_000 + b"\r\n\r\n",
    "many headers": POST + b"".join(b"a%d: b\r\n" % n for n in range(900)) + b"\r\n",
    "length": POST + b"content-length: -5\r\n\r\n",
    "two lengths": POST + b"content-length: 5\r\ncontent-length: 6\r\n\r\n",
    "chunk": POST + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
    "id": POST + b"x-request-id: \xe4\x01\r\norigin: \xff\r\ncontent-length: 2\r\n\r\n{}",
    "type": POST.replace(b"application", b"\xff") + b"content-length: 2\r\n\r\n{}",
    "pipeline": (POST + b"content-length: 2\r\n\r\n{}") * 40,
    "websocket": b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n",
    "upgrade": UPGRADE + b"http2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
    "wrong upgrade": UPGRADE + b"http2-settings: !!!\r\n\r\n",
    "HTTP/2 noise": HTTP_2 + bytes(range(256)) * 4,
    "HTTP/2 zeros": HTTP_2 + bytes(1000),
}


def headers_of(**changed):
    """A request over HTTP/2 with pseudo headers that no client would send."""
    client = H2Connection(
        H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
    )
    client.initiate_connection()
    usual = {"method": b"POST", "scheme": b"http", "authority": b"x", "path": PATH}
    head = [(b":" + name.encode(), value) for name, value in (usual | changed).items() if value]
    client.send_headers(1, head, end_stream=True)
    return client.data_to_send()


def resets(count):
    """Calls over HTTP/2 that end as soon as they begin."""
    client = H2Connection()
    client.initiate_connection()
    for _ in range(count):
        number = client.get_next_available_stream_id()
        head = [(":method", "POST"), (":scheme", "http"), (":authority", "x"), (":path", PATH)]
        client.send_headers(number, [*head, ("content-type", PROTO)])
        client.reset_stream(number)
    return client.data_to_send()


BYTES |= {
    "HTTP/2 path": headers_of(path=b"/\xff"),
    "HTTP/2 no path": headers_of(path=None),
    "HTTP/2 verb": headers_of(method=b"\xff"),
    "HTTP/2 tunnel": headers_of(method=b"CONNECT", protocol=b"websocket"),
    "HTTP/2 resets": resets(2000),
}


def connect(url):
    place = urlsplit(url)
    return socket.create_connection((place.hostname, place.port), timeout=10)


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_are_no_request_harm_nobody(http_server, caplog, name):
    with caplog.at_level(logging.INFO), connect(http_server.http_url) as hostile:
        hostile.sendall(BYTES[name])
        hostile.settimeout(0.1)
        with suppress(TimeoutError):  # the server may wait for more
            assert b"HTTP/1.1 500" not in hostile.recv(10_000)
    assert ask(http_server.http_url, "GetModel", {})[0] == 200
    assert not [each for each in caplog.records if each.levelno > logging.WARNING]
    assert len(caplog.text) < 1_000_000


def test_idle_connections_keep_nobody_out(http_server):
    idle = [connect(http_server.http_url) for _ in range(200)]
    for each in idle[::2]:
        each.sendall(POST)
    start_s = time.monotonic()
    assert ask(http_server.http_url, "GetModel", {})[0] == 200
    assert time.monotonic() - start_s < 5
    for each in idle:
        each.close()


def test_connections_that_their_callers_close_are_closed_at_once(http_server):
    open_before = psutil.Process().num_fds()
    for _ in range(50):
        assert ask(http_server.http_url, "GetModel", {})[0] == 200
    deadline_s = time.monotonic() + 5  # hypercorn's own end only when idle connections do
    while psutil.Process().num_fds() > open_before + 10:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def mutated(data, chance):
    """A copy with some bytes changed, doubled or cut off."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(data)) if data else 0
        match chance.randrange(3):
            case 0 if data:
                data[at] = chance.randrange(256)
            case 1:
                data[at:at] = data[at : at + chance.randrange(20)]
            case _:
                del data[at : at + chance.randrange(20)]
    return bytes(data)


POINT = pb.Point(latent=pb.Latent(values=[0.25] * 8))
MESSAGES = {
    "Sample": pb.SampleRequest(count=2, seed=7, key="C", qpm=99),
    "Transform": pb.TransformRequest(point=POINT, amounts={"c_diatonic": 1}, seed=7),
    "Encode": pb.EncodeRequest(
        excerpt=pb.Excerpt(notes=pb.NoteSequence(notes=[pb.Note(end_step=4, pitch=60)]))
    ),
}


@pytest.mark.parametrize("method", MESSAGES)
def test_mutated_requests_are_never_a_fault_of_ours(http_server, caplog, method):
    chance, message = random.Random(method), MESSAGES[method]
    is_stream = method == "Sample"
    forms = {
        (JSON_STREAM if is_stream else "application/json"): MessageToJson(message).encode(),
        WEB: message.SerializeToString(),
    }
    with caplog.at_level(logging.INFO):
        for content_type, data in forms.items():
            for _ in range(100):
                body = mutated(data, chance)
                if content_type != "application/json":
                    body = envelope(body)
                status, _, reply = post(http_server.http_url, SERVICE + method, body, content_type)
                assert status in {200, 400, 404}, reply
                assert b"internal" not in reply and b"grpc-status: 13" not in reply
    assert "INTERNAL" not in caplog.text and "incident" not in caplog.text
