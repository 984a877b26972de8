"""Connect and gRPC-Web: how a request, its replies and its end are written in bodies of HTTP.

Both protocols also know compressed bodies, which this server does not take: music is small.

Sources: https://connectrpc.com/docs/protocol; PROTOCOL-WEB.md of gRPC.
"""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote

import grpc
from google.protobuf.json_format import MessageToDict, MessageToJson, Parse, ParseError
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from musicvae.errors import SettingError

_TYPE = re.compile(r"application/(?:(connect|grpc-web)\+?)?(proto|json)?")
_TIMEOUT = re.compile(r"([0-9]{1,10})([HMSmun])")
_UNITS_S = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}

_PREFIX = struct.Struct(">BI")
"""The head of an envelope: its flags, and the number of bytes in it."""
_CONNECT_END, _WEB_END = 0x02, 0x80
"""The flags of the envelope that ends a reply."""

_HTTP_STATUS = {
    "OK": HTTPStatus.OK,
    "INVALID_ARGUMENT": HTTPStatus.BAD_REQUEST,
    "UNAUTHENTICATED": HTTPStatus.UNAUTHORIZED,
    "NOT_FOUND": HTTPStatus.NOT_FOUND,
    "RESOURCE_EXHAUSTED": HTTPStatus.TOO_MANY_REQUESTS,
    "UNIMPLEMENTED": HTTPStatus.NOT_IMPLEMENTED,
    "UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
    "DEADLINE_EXCEEDED": HTTPStatus.GATEWAY_TIMEOUT,
}
"""Connect's status of HTTP for each of gRPC's that a caller can get; any other is 500."""
_CODES = {code.value[0]: code.name for code in grpc.StatusCode}


class Ending(NamedTuple):
    """The end of a reply: the status of HTTP, the headers, and the last part of the body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Wire:
    """The form of the bodies of one call.

    Attributes:
        content_type: The content type of the request, and of the reply.
        is_web: Whether the protocol is gRPC-Web.
        is_json: Whether messages are JSON.
        has_envelopes: Whether each message stands in an envelope, as in gRPC-Web and in streams.
    """

    content_type: str
    is_web: bool
    is_json: bool
    has_envelopes: bool

    @staticmethod
    def of(content_type: str, *, is_stream: bool) -> Wire | None:
        """The form that a content type names; None if a method has no such form."""
        name = content_type.partition(";")[0].strip().lower()
        found = _TYPE.fullmatch(name)
        if found is None:
            return None
        protocol, codec = found.groups()
        is_web = protocol == "grpc-web"
        if not is_web and (codec is None or (protocol is not None) != is_stream):
            return None
        return Wire(name, is_web, codec == "json", is_web or is_stream)

    def compression(self, headers: Mapping[str, str]) -> str:
        """The compression of the request."""
        name = "content-encoding"
        if self.has_envelopes:
            name = "grpc-encoding" if self.is_web else "connect-content-encoding"
        return headers.get(name) or "identity"

    def timeout_s(self, headers: Mapping[str, str]) -> float | None:
        """The seconds that a caller gives a call, if any.

        Raises:
            ValueError: If the header holds no time.
        """
        text = headers.get("grpc-timeout" if self.is_web else "connect-timeout-ms")
        if text is None:
            return None
        found = _TIMEOUT.fullmatch(text if self.is_web else f"{text}m")
        if found is None:
            raise ValueError(text)
        return int(found[1]) * _UNITS_S[found[2]]

    def request(self, body: bytes) -> bytes | None:
        """The message of a request; None if there is none.

        Raises:
            SettingError: If the body holds more or less than one message.
        """
        if not self.has_envelopes:
            return body
        if not body:
            return None
        if len(body) >= _PREFIX.size:
            flags, size = _PREFIX.unpack_from(body)
            if flags == 0 and size == len(body) - _PREFIX.size:
                return body[_PREFIX.size :]
        raise SettingError(
            f"{len(body)} bytes that are no envelope with one message",
            expected="a byte of 0, the size of the message in 4 bytes (big-endian), the message",
            action=f"Write a body of {self.content_type}, or use a client of Connect or gRPC-Web.",
        )

    def reply(self, message: Message) -> bytes:
        """A message as a part of the reply's body."""
        if self.is_json:
            data = MessageToJson(message, indent=None, sort_keys=True).encode()
        else:
            data = message.SerializeToString(deterministic=True)
        return _PREFIX.pack(0, len(data)) + data if self.has_envelopes else data

    def end(self, status: Status, trailers: Mapping[str, str]) -> Ending:
        """The end of a reply; its status and headers count only where no message came before."""
        ok = not status.code
        if self.is_web:
            lines = {"grpc-status": str(status.code), **trailers}
            if not ok:
                lines["grpc-message"] = quote(status.message, safe=" ")
                lines["grpc-status-details-bin"] = _base64(status.SerializeToString())
            text = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode()
            return Ending(200, {}, _PREFIX.pack(_WEB_END, len(text)) + text)
        error = {} if ok else error_of(status)
        if self.has_envelopes:
            said = {"metadata": {name: [value] for name, value in trailers.items()}}
            data = json.dumps(said if ok else {"error": error, **said}).encode()
            return Ending(200, {}, _PREFIX.pack(_CONNECT_END, len(data)) + data)
        headers = {f"trailer-{name}": value for name, value in trailers.items()}
        if ok:
            return Ending(200, headers, b"")
        headers["content-type"] = "application/json"
        return Ending(http_status(status), headers, json.dumps(error).encode())


def http_status(status: Status) -> int:
    """The status of HTTP for one of gRPC."""
    return _HTTP_STATUS.get(_CODES[status.code], HTTPStatus.INTERNAL_SERVER_ERROR)


def error_of(status: Status) -> dict[str, Any]:
    """Connect's error for a status; each detail is there as bytes and in words."""
    code = "canceled" if _CODES[status.code] == "CANCELLED" else _CODES[status.code].lower()
    details = [
        {
            "type": packed.type_url.rpartition("/")[2],
            "value": _base64(packed.value),
            "debug": {
                name: value for name, value in MessageToDict(packed).items() if name != "@type"
            },
        }
        for packed in status.details
    ]
    return {"code": code, "message": status.message} | ({"details": details} if details else {})


def json_to_bytes(kind: type[Message], data: bytes, most: int) -> bytes:
    """Reads a message in JSON, and writes it as gRPC does.

    Args:
        kind: The class of the message.
        data: The JSON.
        most: The largest number of objects and lists, so that a small text makes no large memory.

    Raises:
        SettingError: If the JSON is no such message.
    """
    name = kind.DESCRIPTOR.full_name
    if data.count(b"{") + data.count(b"[") > most:
        raise SettingError(
            f"more than {most} objects and lists in one request",
            expected=f"at most {most}",
            action="Send less music.",
        )
    try:
        return Parse(data, kind()).SerializeToString()
    except (ParseError, RecursionError, ValueError) as error:
        raise SettingError(
            f"{len(data)} bytes that are no JSON of {name}: {' '.join(str(error).split())}",
            expected=f"the JSON of {name}, by the rules of Protocol Buffers",
            action="Correct the request; the contract names its fields.",
        ) from error


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")
