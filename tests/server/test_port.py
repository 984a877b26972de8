"""TLS of the port, with real certificates."""

import logging

import grpc
import pytest
import trustme
from certificates import write_ca, write_pair

from musicvae.errors import ServiceError, SettingError
from musicvae.generation.requests import SampleRequest
from musicvae.rpc.client import Client
from musicvae.rpc.credentials import Credentials
from musicvae.server import Settings


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture
def secured(authority, start_server, tmp_path):
    """Starts a server with TLS; and the authority of its certificate."""
    certificate, key = write_pair(authority, tmp_path, "server")

    def start(**more):
        settings = Settings(
            host="localhost", port=0, pause_s=0.0, tls_certificate=certificate, tls_key=key, **more
        )
        return start_server(settings)

    return start, write_ca(authority, tmp_path / "ca.pem")


def first_note(address, credentials):
    with Client(f"https://{address}", credentials=credentials, timeout_s=10.0) as client:
        (clip,) = client.sample(SampleRequest(seed=1))
    return clip.notes.notes[0]


def test_a_client_that_knows_the_authority_is_answered(secured, server):
    start, ca = secured
    with Client(server.address, credentials=Credentials()) as plain:
        (clip,) = plain.sample(SampleRequest(seed=1))
    assert first_note(start().address, Credentials(ca=ca)) == clip.notes.notes[0]


def test_a_stranger_and_a_plain_client_are_not(secured, tmp_path):
    start, _ = secured
    address = start().address
    other = write_ca(trustme.CA(), tmp_path / "other.pem")
    with pytest.raises(ServiceError, match="UNAVAILABLE"):
        first_note(address, Credentials(ca=other))
    with (
        Client(address, credentials=Credentials()) as plain,
        pytest.raises(ServiceError, match="UNAVAILABLE"),
    ):
        plain.models()


def test_a_server_that_knows_its_clients_asks_for_their_certificates(secured, tmp_path):
    start, ca = secured
    clients = trustme.CA()
    certificate, key = write_pair(clients, tmp_path, "client")
    address = start(tls_client_ca=write_ca(clients, tmp_path / "clients.pem")).address
    first_note(address, Credentials(ca=ca, certificate=certificate, key=key))
    with pytest.raises(ServiceError, match="UNAVAILABLE"):
        first_note(address, Credentials(ca=ca))
    strange, strange_key = write_pair(trustme.CA(), tmp_path, "strange")
    with pytest.raises(ServiceError, match="UNAVAILABLE"):
        first_note(address, Credentials(ca=ca, certificate=strange, key=strange_key))


def test_a_new_certificate_holds_for_new_connections_without_a_restart(
    secured, authority, tmp_path, caplog
):
    start, ca = secured
    address = start().address
    first_note(address, Credentials(ca=ca))
    # Half of a change: the key is not the certificate's, and the old pair stays.
    with caplog.at_level(logging.INFO):
        (tmp_path / "server.key").write_bytes(authority.issue_cert("x").private_key_pem.bytes())
        first_note(address, Credentials(ca=ca))
        assert "the certificates stay as they were" in caplog.text
        renewed = trustme.CA()
        write_pair(renewed, tmp_path, "server")
        first_note(address, Credentials(ca=write_ca(renewed, tmp_path / "renewed.pem")))
        assert "new certificates" in caplog.text
    with pytest.raises(ServiceError, match="UNAVAILABLE"):
        first_note(address, Credentials(ca=ca))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104
def test_an_address_of_other_machines_needs_tls_or_a_word(start_server, host):
    with pytest.raises(SettingError, match=r"without TLS, .* reach.*`allow_plain`"):
        start_server(Settings(host=host, port=0))


def test_a_plain_address_of_other_machines_is_served_where_it_is_allowed(start_server):
    server = start_server(Settings(host="0.0.0.0", port=0, pause_s=0.0, allow_plain=True))  # noqa: S104
    with grpc.insecure_channel(server.address.replace("0.0.0.0", "localhost")) as channel:  # noqa: S104
        grpc.channel_ready_future(channel).result(10)


@pytest.mark.parametrize("names", [["tls_certificate"], ["tls_key"], ["tls_client_ca"]])
def test_a_part_of_the_files_of_tls_is_refused(tmp_path, names):
    with pytest.raises(SettingError, match="a part of the files of TLS"):
        Settings(**dict.fromkeys(names, tmp_path))


def test_files_that_are_no_certificates_are_told(start_server, tmp_path, authority):
    certificate, key = write_pair(authority, tmp_path, "server")
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    for changes in (
        {"tls_certificate": bad},
        {"tls_key": bad},
        {"tls_client_ca": bad},
        {"tls_key": tmp_path / "nowhere"},
    ):
        files = {"tls_certificate": certificate, "tls_key": key, **changes}
        with pytest.raises(SettingError, match=r"certificates .*in PEM form"):
            start_server(Settings(port=0, **files))


def test_a_clients_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SettingError, match=r"ca .*nowhere.*MUSICVAE_CA"):
        Client("https://localhost:1", credentials=Credentials(ca=tmp_path / "nowhere"))
