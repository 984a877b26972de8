"""Connect, gRPC-Web and JSON: the calls of gRPC over HTTP."""

import base64
import json
import logging
import socket
import ssl
import subprocess
import threading
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

import grpc
import pytest
import trustme
from certificates import write_ca, write_pair
from connecting import JSON_STREAM, PROTO, PROTO_STREAM, SERVICE, WEB, ask, envelope, post, stream
from google.protobuf.json_format import MessageToDict, MessageToJson, Parse
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from h2.connection import H2Connection
from h2.settings import SettingCodes

from musicvae.errors import SettingError
from musicvae.server import Settings
from musicvae.server.tokens import add_token
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub

LATENT = pb.Latent(values=[0.25] * 8)
STREAMS = {
    "Sample": pb.SampleRequest(count=3, seed=7),
    "Interpolate": pb.InterpolateRequest(points=[pb.Point(latent=LATENT)] * 2, count=3, seed=7),
    "Decode": pb.DecodeRequest(latents=[LATENT], seed=7),
}
UNARY = {
    "Transform": pb.TransformRequest(
        point=pb.Point(latent=LATENT), amounts={"c_diatonic": 1, "note_density": 1}, seed=7
    ),
    "ListModels": pb.ListModelsRequest(),
    "GetModel": pb.GetModelRequest(model="tiny"),
}
WRONG = {
    "NOT_FOUND": ("GetModel", pb.GetModelRequest(model="nobody")),
    "INVALID_ARGUMENT": ("Encode", pb.EncodeRequest()),
    "several": (
        "Transform",
        pb.TransformRequest(point=pb.Point(latent=LATENT), amounts={"x": 1}, qpm=-1, top_p=7),
    ),
}


@pytest.fixture
def start_http(start_server):
    """Starts a server with a port of HTTP."""
    return lambda **settings: start_server(Settings(port=0, http_port=0, pause_s=0.0, **settings))


@pytest.fixture(scope="module")
def url(http_server):
    return http_server.http_url


def raw(channel, method, message, *, is_stream):
    """The bytes of the replies over gRPC."""
    make = channel.unary_stream if is_stream else channel.unary_unary
    reply = make(SERVICE + method)(message.SerializeToString())
    return list(reply) if is_stream else [reply]


@pytest.fixture(scope="module")
def http_channel(http_server):
    with grpc.insecure_channel(http_server.address) as channel:
        yield channel


@pytest.mark.parametrize("content_type", [PROTO_STREAM, WEB])
@pytest.mark.parametrize("method", STREAMS)
def test_streams_have_the_bytes_of_grpc(url, http_channel, method, content_type):
    messages, end = stream(url, method, STREAMS[method], content_type)
    assert messages == raw(http_channel, method, STREAMS[method], is_stream=True)
    assert "error" not in end and end.get("grpc-status", "0") == "0"


@pytest.mark.parametrize("method", UNARY)
def test_single_replies_have_the_bytes_of_grpc(url, http_channel, method):
    expected = raw(http_channel, method, UNARY[method], is_stream=False)
    status, headers, body = post(url, SERVICE + method, UNARY[method].SerializeToString(), PROTO)
    assert (status, [body], headers["content-type"]) == (200, expected, PROTO)
    messages, end = stream(url, method, UNARY[method], WEB)
    assert (messages, end["grpc-status"]) == (expected, "0")


@pytest.mark.parametrize("method", [*STREAMS, *UNARY])
def test_json_says_the_same(url, http_channel, method):
    request = {**STREAMS, **UNARY}[method]
    expected = raw(http_channel, method, request, is_stream=method in STREAMS)
    text = MessageToJson(request).encode()
    if method in STREAMS:
        found, _ = stream(url, method, text, JSON_STREAM)
    else:
        found = [post(url, SERVICE + method, text)[2]]
    kind = getattr(pb, f"{method}Response")
    assert [Parse(each, kind()) for each in found] == list(map(kind.FromString, expected))


@pytest.mark.parametrize("name", WRONG)
def test_errors_are_those_of_grpc_in_each_protocol(url, http_channel, name):
    method, message = WRONG[name]
    with pytest.raises(grpc.RpcError) as caught:
        raw(http_channel, method, message, is_stream=False)
    expected = rpc_status.from_call(caught.value)
    code = caught.value.code().name.lower()

    status, error = ask(url, method, MessageToDict(message))
    assert status == {"not_found": 404, "invalid_argument": 400}[code]
    assert (error["code"], error["message"]) == (code, expected.message)
    for detail, packed in zip(error["details"], expected.details, strict=True):
        assert detail["type"] == packed.type_url.removeprefix("type.googleapis.com/")
        assert base64.b64decode(detail["value"] + "==") == packed.value
    assert error["details"][0]["debug"]["domain"] == "musicvae"

    messages, end = stream(url, method, message, WEB)
    assert (messages, end["grpc-status"]) == ([], str(expected.code))
    assert Status.FromString(base64.b64decode(end["grpc-status-details-bin"] + "==")) == expected


def test_error_ends_a_stream(url):
    messages, end = stream(url, "Sample", pb.SampleRequest(count=0))
    assert messages == [] and end["error"]["code"] == "invalid_argument"
    assert end["error"]["message"].startswith("count=0; expected 1 to 256")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"modell": "tiny"}', 'no field named "modell"'),
        (b'{"model": 1}', "no JSON of musicvae.v1.GetModelRequest"),
        (b"", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"model": [' + b"{}," * 1000 + b"]}", "more than 1000 objects and lists"),
    ],
)
def test_wrong_json_is_told(start_http, body, said):
    url = start_http(max_submessages=1000 if said.startswith("more") else 300_000).http_url
    status, _, reply = post(url, SERVICE + "GetModel", body)
    error = json.loads(reply)
    assert (status, error["code"]) == (400, "invalid_argument")
    assert said in error["message"]
    assert error["details"][0]["debug"]["reason"] == "SETTING_INVALID"


@pytest.mark.parametrize(
    "body", [b"\0\0\0", b"\1\0\0\0\2{}", envelope(b"") * 2, envelope(b"{}") + b"more"]
)
def test_body_that_is_no_envelope_is_told(url, body):
    _, _, reply = post(url, SERVICE + "Sample", body, PROTO_STREAM)
    assert b"no envelope with one message" in reply


def test_stream_without_a_message_is_told(url):
    assert b"0 bytes that are no message" in post(url, SERVICE + "Sample", b"", PROTO_STREAM)[2]


@pytest.mark.parametrize(
    ("path", "headers", "status", "said"),
    [
        ("Nothing", {}, 404, "is no method"),
        ("GetModel", {"content_type": "text/plain"}, 415, "application/json"),
        ("GetModel", {"content_type": JSON_STREAM}, 415, "application/json"),
        ("Sample", {}, 415, "application/connect+json"),
        ("GetModel", {"content_encoding": "gzip"}, 415, "gzip"),
        ("Sample", {"content_type": WEB, "grpc_encoding": "gzip"}, 415, "gzip"),
        ("GetModel", {"connect_timeout_ms": "soon"}, 400, "soon"),
        ("Sample", {"content_type": WEB, "grpc_timeout": "5"}, 400, "'5'"),
    ],
)
@pytest.mark.parametrize("size", [2, 3_000_000])
def test_request_that_is_no_call_is_told_however_long_it_is(url, path, headers, status, said, size):
    found, _, body = post(url, SERVICE + path, b" " * size, **headers)
    assert found == status
    error = json.loads(body)
    assert said in error["message"] and error["code"] in {"unimplemented", "invalid_argument"}


def test_other_verb_is_told(url):
    connection = HTTPConnection(urlsplit(url).netloc)
    connection.request("GET", SERVICE + "ListModels")
    reply = connection.getresponse()
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    connection.close()


def test_health_is_told(url):
    path = "/grpc.health.v1.Health/Check"
    assert json.loads(post(url, path, b"{}")[2]) == {"status": "SERVING"}


def test_calls_have_their_id_and_their_line_in_the_log(http_server, caplog):
    url = http_server.http_url
    with caplog.at_level(logging.INFO):
        _, headers, _ = post(url, SERVICE + "GetModel", b"{}", x_request_id="one")
        _, end = stream(url, "Sample", pb.SampleRequest(), x_request_id="two")
        _, lines = stream(url, "Sample", pb.SampleRequest(count=0), WEB, x_request_id="three")
    assert headers["trailer-x-request-id"] == "one"
    assert end["metadata"]["x-request-id"] == ["two"]
    assert lines["x-request-id"] == "three"
    for text in ("one GetModel OK", "two Sample OK", "three Sample INVALID_ARGUMENT"):
        assert text in caplog.text
    assert "ipv4:127.0.0.1:" in caplog.text


def test_token_is_asked_for_before_the_body(start_http, tmp_path):
    token = add_token(tmp_path / "tokens", "studio")
    url = start_http(tokens=tmp_path / "tokens", max_body_s=20.0).http_url
    status, error = ask(url, "ListModels", {})
    assert (status, error["code"]) == (401, "unauthenticated")
    assert ask(url, "ListModels", {}, authorization=f"Bearer {token}")[0] == 200
    with opened(url, b"content-length: 1000\r\n") as bodiless:
        assert bodiless.recv(100).startswith(b"HTTP/1.1 401")


def opened(url, headers, path="GetModel", content_type=b"application/json"):
    """A connection with the head of a request."""
    place = urlsplit(url)
    made = socket.create_connection((place.hostname, place.port), timeout=20)
    made.sendall(
        b"POST %s HTTP/1.1\r\nhost: here\r\ncontent-type: %s\r\n%s\r\n"
        % ((SERVICE + path).encode(), content_type, headers)
    )
    return made


def test_body_that_never_comes_takes_no_place_and_ends(start_http):
    server = start_http(max_rpcs=1, max_body_s=0.3)
    with opened(server.http_url, b"content-length: 9\r\n", "Transform") as bodiless:
        assert len(stream(server.http_url, "Sample", pb.SampleRequest())[0]) == 1
        reply = b"".join(iter(lambda: bodiless.recv(9999), b""))
        assert reply.startswith(b"HTTP/1.1 504") and b"the whole request" in reply


def test_request_that_is_too_large_is_refused(start_http):
    url = start_http(max_message_bytes=1000).http_url
    for size in (1001, 3_000_000):
        status, _, body = post(url, SERVICE + "GetModel", b" " * size)
        assert (status, json.loads(body)["code"]) == (429, "resource_exhausted")


def test_places_are_shared_with_grpc(start_http):
    server = start_http(max_rpcs=1, lend_after_s=60.0)
    with grpc.insecure_channel(
        server.address, [("grpc.http2.lookahead_bytes", 1024), ("grpc.http2.bdp_probe", 0)]
    ) as channel:
        unread = MusicServiceStub(channel).Sample(pb.SampleRequest(count=256))
        next(unread)
        _, end = stream(server.http_url, "Sample", pb.SampleRequest())
        unread.cancel()
    assert end["error"]["code"] == "resource_exhausted"
    kinds = [each["type"] for each in end["error"]["details"]]
    assert kinds == ["google.rpc.ErrorInfo", "google.rpc.RetryInfo"]


@pytest.mark.parametrize(
    ("content_type", "timeout"),
    [(PROTO_STREAM, {"connect_timeout_ms": "30"}), (WEB, {"grpc_timeout": "30m"})],
)
def test_deadline_of_the_caller_ends_a_call(http_server, caplog, content_type, timeout):
    with caplog.at_level(logging.INFO):
        request = pb.SampleRequest(count=256)
        _, end = stream(http_server.http_url, "Sample", request, content_type, **timeout)
    assert end.get("grpc-status") == "4" or end["error"]["code"] == "deadline_exceeded"
    assert "Sample DEADLINE_EXCEEDED" in caplog.text


def test_caller_who_leaves_ends_a_call(http_server, caplog):
    body = envelope(pb.SampleRequest(count=256).SerializeToString())
    head = b"content-length: %d\r\n" % len(body)
    with caplog.at_level(logging.INFO):
        with opened(http_server.http_url, head, "Sample", PROTO_STREAM.encode()) as leaving:
            leaving.sendall(body)
            assert leaving.recv(10)
        until(lambda: "Sample CANCELLED" in caplog.text)


def until(is_so):
    deadline_s = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_caller_who_does_not_read_holds_no_place_and_is_ended(start_http, caplog):
    server = start_http(max_rpcs=1, max_unread_s=0.5, lend_after_s=0.05)
    place = urlsplit(server.http_url)
    http2 = H2Connection()
    http2.initiate_connection()
    http2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})  # takes no byte of a body
    head = [(":method", "POST"), (":scheme", "http"), (":authority", place.netloc)]
    head += [(":path", SERVICE + "Sample"), ("content-type", PROTO_STREAM)]
    http2.send_headers(1, head)
    http2.send_data(1, envelope(pb.SampleRequest(count=256).SerializeToString()), end_stream=True)
    with (
        caplog.at_level(logging.INFO),
        socket.create_connection((place.hostname, place.port)) as idle,
    ):
        idle.sendall(http2.data_to_send())
        until(lambda: "Sample DEADLINE_EXCEEDED" in caplog.text)
        assert len(stream(server.http_url, "Sample", pb.SampleRequest())[0]) == 1


def test_stop_lets_streams_finish_and_closes_idle_connections(start_http):
    server = start_http(grace_s=20.0)
    idle = opened(server.http_url, b"content-length: 2\r\n")
    idle.sendall(b"{}")
    assert idle.recv(20).startswith(b"HTTP/1.1 200")
    found = []
    request = pb.SampleRequest(count=64, seed=1)
    asking = threading.Thread(
        target=lambda: found.append(stream(server.http_url, "Sample", request))
    )
    asking.start()
    time.sleep(0.05)
    start_s = time.monotonic()
    server.stop()
    asking.join()
    assert time.monotonic() - start_s < 10
    ((messages, end),) = found
    assert (len(messages), "error" in end) == (64, False)
    with pytest.raises(OSError, match="refused"):
        post(server.http_url, SERVICE + "ListModels", b"{}")
    idle.close()


@pytest.mark.parametrize(
    ("allowed", "origin", "is_allowed"),
    [
        ((), "https://a.example", False),
        (("https://a.example",), "https://a.example", True),
        (("https://a.example",), "https://b.example", False),
        (("*",), "null", True),
    ],
)
def test_pages_of_allowed_origins_may_call(start_http, allowed, origin, is_allowed):
    url = start_http(allow_origins=allowed).http_url
    connection = HTTPConnection(urlsplit(url).netloc)
    asked = {"origin": origin, "access-control-request-method": "POST"}
    connection.request("OPTIONS", SERVICE + "Sample", headers=asked)
    reply = connection.getresponse()
    assert reply.status == (204 if is_allowed else 403)
    connection.close()
    status, found, _ = post(url, SERVICE + "GetModel", b'{"model": "nobody"}', origin=origin)
    assert status == (404 if is_allowed else 403)
    for headers in (reply.headers, found):
        said = headers.get("access-control-allow-origin")
        assert said == (origin if is_allowed else None)
    assert ("content-type" in reply.headers.get("access-control-allow-headers", "")) == is_allowed


@pytest.mark.parametrize("origin", ["a.example", "https://", "https://a.example/", "https://*.b"])
def test_origin_that_is_none_is_told(origin):
    with pytest.raises(SettingError, match="allow_origins"):
        Settings(allow_origins=(origin,))


def test_port_of_http_that_is_taken_is_told(http_server, start_server):
    port = urlsplit(http_server.http_url).port
    with pytest.raises(SettingError, match=rf"http_port {port}: .*Choose another `http_port`"):
        start_server(Settings(port=0, http_port=port))


def test_curl_speaks_both_versions_of_http(url):
    for version in ("--http1.1", "--http2-prior-knowledge"):
        done = subprocess.run(
            [
                *("curl", "-sS", version, "--noproxy", "*", "-d", '{"model": "tiny"}'),
                *("-H", "content-type: application/json", url + SERVICE + "GetModel"),
            ],
            check=True,
            capture_output=True,
        )
        assert json.loads(done.stdout)["model"]["name"] == "tiny"


def test_tls_has_the_certificates_of_grpc_and_takes_new_ones(start_http, tmp_path):
    authority, clients = trustme.CA(), trustme.CA()
    certificate, key = write_pair(authority, tmp_path, "server")
    ca = write_ca(authority, tmp_path / "ca.pem")
    url = start_http(
        host="localhost",
        tls_certificate=certificate,
        tls_key=key,
        tls_client_ca=write_ca(clients, tmp_path / "clients.pem"),
    ).http_url
    own = write_pair(clients, tmp_path, "client")

    def protocol(authorities, *pair):
        """The protocol of HTTP that a client with this pair of files speaks with the server."""
        context = ssl.create_default_context(cafile=authorities)
        context.set_alpn_protocols(["h2"])
        if pair:
            context.load_cert_chain(*pair)
        place = urlsplit(url)
        with (
            socket.create_connection((place.hostname, place.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            secured.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
            return secured.selected_alpn_protocol() if secured.recv(9) else None

    assert url.startswith("https://localhost:")
    assert protocol(ca, *own) == "h2"
    assert protocol(ca) is None
    renewed = trustme.CA()
    write_pair(renewed, tmp_path, "server")
    assert protocol(write_ca(renewed, tmp_path / "renewed.pem"), *own) == "h2"
    with pytest.raises(ssl.SSLError):
        protocol(ca, *own)
