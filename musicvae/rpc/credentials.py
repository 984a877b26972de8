"""How a client shows who it is, and makes sure of the server: certificates and a token."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import grpc

from musicvae.errors import SettingError

_VARIABLES = {
    "ca": "MUSICVAE_CA",
    "certificate": "MUSICVAE_CERTIFICATE",
    "key": "MUSICVAE_KEY",
    "token": "MUSICVAE_TOKEN",
}


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a client of a server with TLS or tokens needs.

    Attributes:
        ca: A file of certificates (PEM) that sign the server's; None for the authorities that gRPC
            knows, or those of the variable `GRPC_DEFAULT_SSL_ROOTS_FILE_PATH`.
        certificate: The client's own certificate (PEM), for a server that asks for one.
        key: The key of that certificate (PEM).
        token: The token that the operator of the server gave out.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    token: str | None = field(default=None, repr=False)

    @staticmethod
    def from_environment() -> Credentials:
        """The credentials of the variables MUSICVAE_CA, _CERTIFICATE, _KEY and _TOKEN."""
        found = {name: os.environ.get(variable) for name, variable in _VARIABLES.items()}
        paths = {name: Path(text) for name, text in found.items() if text and name != "token"}
        return Credentials(**paths, token=found["token"] or None)

    def for_channel(self) -> grpc.ChannelCredentials:
        """The credentials of a channel with TLS.

        Raises:
            SettingError: If a file can't be read.
        """
        return grpc.ssl_channel_credentials(
            root_certificates=self._read("ca"),
            private_key=self._read("key"),
            certificate_chain=self._read("certificate"),
        )

    def metadata(self) -> list[tuple[str, str]]:
        """The metadata of each call."""
        return [] if self.token is None else [("authorization", f"Bearer {self.token}")]

    def _read(self, name: str) -> bytes | None:
        path: Path | None = getattr(self, name)
        if path is None:
            return None
        try:
            return path.read_bytes()
        except OSError as error:
            raise SettingError(
                f"{name} {path}: {error.strerror}",
                expected="a readable file in PEM form",
                action=f"Correct `{name}`, or the variable {_VARIABLES[name]}.",
                field=name,
            ) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"
