"""The connection to a server, or to its replicas."""

from __future__ import annotations

import json
import os
import re
import socket
from dataclasses import dataclass
from numbers import Real
from typing import Any

from google.protobuf.message import Message

from musicvae.errors import ServiceError, SettingError
from musicvae.problems import check_type
from musicvae.rpc.attempts import Attempts
from musicvae.rpc.credentials import Credentials, is_loopback
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub

DEFAULT_TIMEOUT_S = 60.0
MAX_REPLY_BYTES = 16 * 1024 * 1024
_MAX_REQUEST_BYTES = 9 * 1024 * 1024
"""gRPC keeps a request until its reply begins, so that it can send the request again."""
_FIRST_RECONNECT_MS, _LAST_RECONNECT_MS = 100, 5000
"""The first and the longest pause before gRPC looks again for a server that was not there."""

_TLS = "https://"
_ADDRESS = re.compile(r"([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
"""A host name, an IPv4 address, or an IPv6 address in brackets; and a port."""

_SERVICE_CONFIG = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.1s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
}
"""Calls go round the replicas. A call that a replica left without a reply is repeated; gRPC varies
the pauses at random, and repeats no call whose reply has begun."""


class Connection:
    """A channel to a server, and what each call needs.

    A connection does not survive a fork.

    Args:
        kind: The module `grpc` or `grpc.aio`.
        address: As `Client` takes it.
        timeout_s: Seconds that each call may take.
        credentials: The token, and the files of TLS; None for those of the environment.

    Raises:
        SettingError: If `address` is no address, or a file can't be read, or a token would leave
            this machine without TLS.
    """

    def __init__(
        self, kind: Any, address: str, timeout_s: float, credentials: Credentials | None
    ) -> None:
        found = _read_address(address)
        check_type("timeout_s", timeout_s, Real, "a number of seconds")
        credentials = Credentials.from_environment() if credentials is None else credentials
        is_local = all(map(is_loopback, found.hosts))
        if credentials.token is not None and not found.has_tls and not is_local:
            raise SettingError(
                f"a token for {address}, without TLS",
                expected=f"https://{address}, so that nobody can read the token on its way",
                action="Ask the operator of the server for TLS, or leave the token out.",
                field="server",
            )
        options = [
            ("grpc.max_receive_message_length", MAX_REPLY_BYTES),
            ("grpc.enable_http_proxy", int(not is_local)),
            ("grpc.per_rpc_retry_buffer_size", _MAX_REQUEST_BYTES),
            ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
            ("grpc.max_reconnect_backoff_ms", _LAST_RECONNECT_MS),
            ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
        ]
        self.channel = (
            kind.secure_channel(found.target, credentials.for_channel(), options)
            if found.has_tls
            else kind.insecure_channel(found.target, options)
        )
        self._stub: Any = MusicServiceStub(self.channel)  # type: ignore[no-untyped-call]  # generated
        self._metadata = credentials.metadata()
        self._address = address
        self._timeout_s = timeout_s
        self._process = os.getpid()

    def attempts(self) -> Attempts:
        """The attempts of a new call.

        Raises:
            ServiceError: If another process opened the connection.
        """
        if os.getpid() != self._process:
            raise ServiceError(
                f"a client of {self._address} that process {self._process} opened before a fork",
                expected="a client of this process",
                action="Open a Client in each process, after the fork.",
                field="server",
            )
        return Attempts(self._address, self._timeout_s)

    def start(self, method: str, message: Message, attempts: Attempts) -> Any:
        """Starts a call; with the module `grpc`, a method of one reply returns the reply."""
        call = getattr(self._stub, method)
        return call(message, timeout=attempts.left_s, metadata=self._metadata)


@dataclass(frozen=True)
class _Address:
    """An address as it was given, with the host of each replica, and in the words of gRPC."""

    has_tls: bool
    hosts: tuple[str, ...]
    target: str


def _read_address(text: str) -> _Address:
    """Reads `host:port`, `https://host:port`, or `host:port,host:port` of several replicas.

    Raises:
        SettingError: If the text is no address.
    """
    check_type("address", text, str, "HOST:PORT")
    found = [_ADDRESS.fullmatch(each) for each in text.removeprefix(_TLS).split(",")]
    hosts = [each[1] for each in found if each is not None and 1 <= int(each[3]) <= 65535]
    if len(hosts) < len(found):
        raise _wrong(text, "Give the address that the server prints, such as localhost:50051.")
    if len(hosts) == 1:
        return _Address(text.startswith(_TLS), tuple(hosts), text.removeprefix(_TLS))
    if text.startswith(_TLS):
        raise _wrong(
            text,
            "With TLS give one name that DNS resolves to all replicas and that their certificates "
            "hold.",
        )
    return _Address(has_tls=False, hosts=tuple(hosts), target=_target_of_all(text))


def _target_of_all(text: str) -> str:
    """The addresses of several hosts in the words of gRPC, which takes numbers of one family."""
    addresses = text.split(",")
    missing: list[list[str]] = []
    for scheme, family in (("ipv4", socket.AF_INET), ("ipv6", socket.AF_INET6)):
        numbers = {address: _numbers(address, family) for address in addresses}
        if all(numbers.values()):
            return f"{scheme}:{','.join(each for found in numbers.values() for each in found)}"
        missing.append([address for address, found in numbers.items() if not found])
    fewest: list[str] = min(missing, key=len)
    raise _wrong(
        text,
        f"Give hosts that this machine finds, all by IPv4 or all by IPv6: {', '.join(fewest)}.",
    )


def _numbers(address: str, family: socket.AddressFamily) -> list[str]:
    """The numbers of a host in a family; none if there are none."""
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), family, socket.SOCK_STREAM)
    except OSError:
        return []
    numbers = [place[0] for _, _, _, _, place in found]
    return [
        f"[{each}]:{port}" if family == socket.AF_INET6 else f"{each}:{port}" for each in numbers
    ]


def _wrong(text: str, action: str) -> SettingError:
    return SettingError(
        f"server {text!r}",
        expected="HOST:PORT, https://HOST:PORT, or HOST:PORT,HOST:PORT for replicas",
        action=action,
        field="server",
    )
