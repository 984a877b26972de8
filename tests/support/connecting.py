"""Calls of Connect and gRPC-Web, written by hand."""

import json
import struct
from http.client import HTTPConnection
from urllib.parse import urlsplit

SERVICE = "/musicvae.v1.MusicService/"
JSON, PROTO = "application/json", "application/proto"
JSON_STREAM, PROTO_STREAM = "application/connect+json", "application/connect+proto"
WEB = "application/grpc-web+proto"
END = {PROTO_STREAM: 0x02, JSON_STREAM: 0x02, WEB: 0x80}


def envelope(data, flags=0):
    return struct.pack(">BI", flags, len(data)) + data


def envelopes(body):
    """The flags and the data of each envelope."""
    found = []
    while body:
        flags, size = struct.unpack_from(">BI", body)
        found.append((flags, body[5 : 5 + size]))
        body = body[5 + size :]
    return found


def post(url, path, body, content_type=JSON, **headers):
    """The status, the headers and the body of one request."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", path, body, {"content-type": content_type, **given})
        reply = connection.getresponse()
        return reply.status, dict(reply.getheaders()), reply.read()
    finally:
        connection.close()


def ask(url, method, request, **headers):
    """A unary call in JSON."""
    status, _, body = post(url, SERVICE + method, json.dumps(request).encode(), **headers)
    return status, json.loads(body)


def stream(url, method, message, content_type=PROTO_STREAM, **headers):
    """The messages of a reply, and its end: JSON of Connect, or the lines of gRPC-Web."""
    data = message if isinstance(message, bytes) else message.SerializeToString()
    path = SERVICE + method
    status, _, body = post(url, path, envelope(data), content_type, **headers)
    assert status == 200, body
    *messages, (flags, end) = envelopes(body)
    assert flags == END[content_type] and {each for each, _ in messages} <= {0}
    if content_type != WEB:
        return [data for _, data in messages], json.loads(end)
    lines = dict(line.split(": ", 1) for line in end.decode().splitlines())
    return [data for _, data in messages], lines
