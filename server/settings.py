"""The settings of the server, each with its unit and its reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from musicvae.errors import SettingError
from musicvae.problems import wrong_value
from musicvae.rpc.limits import Limits, check_positive
from musicvae.rpc.server_info import CallLimits

_ORIGIN = re.compile(r"\*|https?://[A-Za-z0-9.\[\]:_-]+")


_PORTS = ("port", "http_port", "admin_port", "metrics_port")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of the server.

    Attributes:
        host: Address to listen on; the default is reachable only from this machine.
        port: TCP port; 0 for any free port.
        http_port: TCP port of Connect, gRPC-Web and JSON; 0 for any free port, None for no port.
        allow_origins: The origins whose pages may call over HTTP from a browser, such as
            "https://studio.example.org"; "*" is every origin.
        metrics_port: TCP port of the metrics for Prometheus, over HTTP without TLS; 0 for any free
            port, None for no port.
        metrics_host: Address of that port; everybody who can connect reads the metrics.
        log_format: "text", or "json" for a JSON object a line.
        tls_certificate: A file with the server's certificate and those that sign it, in PEM form;
            None for no TLS. It is read again when it has changed.
        tls_key: A file with the key of that certificate; both or none are given.
        tls_client_ca: A file with the certificates that sign those of the clients: then a client
            without such a certificate can't connect.
        tokens: A file with the names of the callers and the hashes of their tokens, see
            `tokens.py`; None to answer everybody. It is read again when it has changed.
        allow_plain: Whether an address that other machines can reach may be without TLS.
        model_folder: A folder of bundles to follow: what is new or changed in it is loaded, what is
            gone is unloaded; None to serve the same models all the time.
        poll_s: Seconds between two looks at that folder.
        admin_port: TCP port of AdminService on this machine alone; 0 for any free port, None for no
            port.
        max_model_bytes: The files of all bundles together.
        shares_ports: Whether other processes of the same server listen on the same ports.
        limits: The limits of one request.
        max_message_bytes: Size of one request in bytes: room for the two ends of a path, each a
            MIDI file of the largest size, or as many notes as a file can hold (3 MB).
        max_wait_s: Seconds that a call may wait for its first clip, by what the clips of each model
            took before. A new caller who would wait longer learns at once that the server is busy;
            so does a caller whose last clip would come after the deadline.
        max_rpcs: Calls that make music at the same time. A call takes its place once its request is
            whole, and holds some 100 KB and its request until it ends, mostly a few kB, at most
            `max_message_bytes` and 40 MB of notes.
        max_caller_rpcs: Calls of one caller that make music at the same time. A caller is who has a
            token, or without tokens a host; of IPv6 a network of 64 bits.
        max_caller_rate: Calls of one caller a second that make music; those of one second may come
            at once. 0 for no limit.
        max_call_s: Seconds that one call may take, with or without a deadline: more than a full
            queue and the largest request take together.
        max_connection_calls: Calls at the same time of one connection; a client waits with more.
        max_bodies: Calls whose requests are on their way. If there are more, the slowest ends.
        max_body_s: Seconds that a request may take to arrive: 9 MB at 1 MB/s.
        max_unread: Calls whose callers do not read. If there are more, the slowest ends.
        max_unread_s: Seconds that a reply may wait for its reader. Replies of some 64 KB are on
            their way before a reply waits at all, so that a player which reads a clip each time it
            has played one never waits so long.
        lend_after_s: Seconds that a reply may wait for its reader before other calls use the place
            and the share of the queue of its call.
        max_watchers: Streams of health and reflection at the same time.
        max_submessages: Notes, chords, bar changes and other parts of one request, counted before
            objects are made of them: `limits.max_path_notes`, and the chords and bars beside.
        max_reading_bytes: Bytes of large requests that wait to be read, or are being read: 10
            seconds of work at worst. Requests of up to 64 KiB never wait for these.
        grace_s: Seconds that calls in flight have to finish after the port is closed; orchestrators
            kill after 30.
        pause_s: Seconds between the status NOT_SERVING and the closing of the port, in which the
            server takes calls: load balancers need them to send new calls elsewhere.

    Raises:
        SettingError: If a limit is not above 0, a time is below 0, or a file of TLS is missing.
    """

    host: str = "127.0.0.1"
    port: int = 50051
    http_port: int | None = None
    allow_origins: tuple[str, ...] = ()
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"
    log_format: Literal["text", "json"] = "text"
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    tokens: Path | None = None
    allow_plain: bool = False
    model_folder: Path | None = None
    poll_s: float = 5.0
    admin_port: int | None = None
    shares_ports: bool = False
    max_model_bytes: int = 1024 * 1024 * 1024
    limits: Limits = Limits()
    max_message_bytes: int = 9 * 1024 * 1024
    max_wait_s: float = 2.0
    max_rpcs: int = 512
    max_caller_rpcs: int = 512
    max_caller_rate: float = 0.0
    max_call_s: float = 120.0
    max_connection_calls: int = 512
    max_bodies: int = 512
    max_body_s: float = 10.0
    max_unread: int = 512
    max_unread_s: float = 30.0
    lend_after_s: float = 0.1
    max_watchers: int = 64
    max_submessages: int = 300_000
    max_reading_bytes: int = 32 * 1024 * 1024
    grace_s: float = 20.0
    pause_s: float = 2.0

    def __post_init__(self) -> None:
        check_positive(
            self, may_be_0=(*_PORTS, "grace_s", "pause_s", "lend_after_s", "max_caller_rate")
        )
        for name in ("pause_s", "grace_s", "lend_after_s", "max_caller_rate"):
            seconds = getattr(self, name)
            if not 0 <= seconds < float("inf"):
                raise wrong_value(name, seconds, "a finite number, 0 or more")
        for name in _PORTS:
            port = getattr(self, name)
            if port is not None and not 0 <= port <= 65535:
                raise wrong_value(name, port, "0 to 65535")
        for origin in self.allow_origins:
            if not _ORIGIN.fullmatch(origin):
                raise wrong_value("allow_origins", origin, "https://HOST, http://HOST:PORT, or *")
        has_both = (self.tls_certificate is None) == (self.tls_key is None)
        if not has_both or (self.tls_client_ca is not None and self.tls_certificate is None):
            raise SettingError(
                "a part of the files of TLS",
                expected="`tls_certificate` and `tls_key`, and `tls_client_ca` only with these",
                action="Give the missing file, or none.",
                field="tls_certificate",
            )

    @property
    def call_limits(self) -> CallLimits:
        """The sizes and times of calls that callers are told."""
        return CallLimits(**{each.name: getattr(self, each.name) for each in fields(CallLimits)})
