"""The server's port: plain on this machine alone, with TLS for everybody else."""

from __future__ import annotations

import logging
import socket
import ssl

import grpc

from musicvae.errors import SettingError
from musicvae.files import stamp
from musicvae.rpc.credentials import is_loopback

from .settings import Settings

log = logging.getLogger(__name__)


def open_port(server: grpc.aio.Server, settings: Settings) -> str:
    """Opens the port of a server.

    Returns:
        The address, as `host:port`.

    Raises:
        SettingError: If the server can't listen there, or a certificate can't be read, or the
            address is open to other machines without TLS.
    """
    _check_public(settings)
    credentials = None if settings.tls_certificate is None else _tls(settings)
    # gRPC prints lines before its error, so a plain socket tries the address first.
    if not settings.shares_ports:
        listen(settings.host, settings.port, "port").close()
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        address = f"{host}:{settings.port}"
        if credentials is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise _not_free(settings.host, settings.port, "port", "taken") from error
    return f"{host}:{port}"


def _check_public(settings: Settings) -> None:
    if settings.tls_certificate is not None or settings.allow_plain or is_loopback(settings.host):
        return
    raise SettingError(
        f"host {settings.host!r} without TLS, which other machines can reach",
        expected="TLS, so that nobody can read or change the music and the tokens on their way",
        action="Give `tls_certificate` and `tls_key`; or `allow_plain`, if a proxy or a private "
        "network protects the port; or leave `host` out to serve this machine alone.",
        field="host",
    )


class _Certificates:
    """The files of the server's certificate, read again when one has changed.

    Attributes:
        context: The context of TLS with the files that were read last.
    """

    context: ssl.SSLContext

    def __init__(self, settings: Settings) -> None:
        assert settings.tls_certificate is not None, "only with TLS"
        assert settings.tls_key is not None, "the settings have both or none"
        self._certificate, self._key = settings.tls_certificate, settings.tls_key
        self._client_ca = settings.tls_client_ca
        self._stamps = self._stamp()

    def first(self) -> grpc.ServerCertificateConfiguration:
        """The certificates at the start."""
        return _configuration(*self._read())

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """The new certificates; None where they are as before, or can't be used."""
        now = self._stamp()
        if now == self._stamps:
            return None
        self._stamps = now
        try:
            files = self._read()
        except SettingError:
            # Half of a change, perhaps: the certificate is new, and the key not yet.
            log.exception("the certificates stay as they were")
            return None
        log.info("new certificates")
        return _configuration(*files)

    def _stamp(self) -> list[tuple[int, ...]]:
        paths = (self._certificate, self._key, self._client_ca)
        return [stamp(path) for path in paths if path is not None]

    def _read(self) -> tuple[bytes, bytes, bytes | None]:
        """The contents of the certificate, its key and the authority of clients.

        Raises:
            SettingError: If a file can't be read, or the key is not the certificate's.
        """
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.set_alpn_protocols(["h2", "http/1.1"])
            context.load_cert_chain(self._certificate, self._key)
            authority = None
            if self._client_ca is not None:
                authority = self._client_ca.read_bytes()
                context.load_verify_locations(cadata=authority.decode())
                context.verify_mode = ssl.CERT_REQUIRED
            self.context = context
            return self._certificate.read_bytes(), self._key.read_bytes(), authority
        except (OSError, ValueError) as error:  # ssl's errors are OSErrors
            names = ", ".join(str(each) for each in (self._certificate, self._key, self._client_ca))
            raise SettingError(
                f"certificates {names}: {error}",
                expected="a certificate and its key, and the certificates that sign the clients', "
                "in PEM form",
                action="Correct `tls_certificate`, `tls_key` or `tls_client_ca`.",
                field="tls_certificate",
            ) from error


def _configuration(
    certificate: bytes, key: bytes, client_ca: bytes | None
) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(key, certificate)], client_ca)


def _tls(settings: Settings) -> grpc.ServerCredentials:
    certificates = _Certificates(settings)
    return grpc.dynamic_ssl_server_credentials(
        certificates.first(),
        certificates.changed,
        require_client_authentication=settings.tls_client_ca is not None,
    )


def tls_context(settings: Settings) -> ssl.SSLContext:
    """The context of TLS for Python's sockets; new connections take files that have changed.

    Raises:
        SettingError: If a file can't be read.
    """
    certificates = _Certificates(settings)
    certificates.first()

    def renew(connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
        certificates.changed()
        connection.context = certificates.context

    certificates.context.sni_callback = renew
    return certificates.context


def listen(host: str, port: int, field: str, *, shares: bool = False) -> socket.socket:
    """A socket that listens on an address of this machine.

    Args:
        host: The host.
        port: The port; 0 for any free port.
        field: The setting that holds the port.
        shares: Whether other processes listen on the port, too.

    Raises:
        SettingError: If the address can't be used.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, reuse_port=shares)
    except UnicodeError as error:  # names that never reach a resolver, such as a..b
        raise _not_free(host, port, field, "no host name") from error
    except OSError as error:
        raise _not_free(host, port, field, error.strerror or str(error)) from error


def _not_free(host: str, port: int, field: str, reason: str) -> SettingError:
    return SettingError(
        f"host {host!r} and {field} {port}: {reason}",
        expected="an address of this machine and a free port",
        action=f"Choose another `{field}`, or 0 for any free port.",
        field=field,
    )
