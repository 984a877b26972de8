"""Tokens of callers, in a file and against a real server."""

import hashlib
import logging

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from musicvae.errors import SettingError, UnknownCallerError
from musicvae.generation.requests import SampleRequest
from musicvae.rpc.client import Client
from musicvae.rpc.credentials import Credentials
from musicvae.server import Settings
from musicvae.server.tokens import Tokens, add_token
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub


def test_a_token_is_known_by_its_name_and_the_file_holds_only_its_hash(tmp_path):
    path = tmp_path / "tokens"
    first, second = add_token(path, "studio"), add_token(path, "band")
    tokens = Tokens(path)
    assert (tokens.name_of(first), tokens.name_of(second)) == ("studio", "band")
    assert tokens.name_of("") is None and tokens.name_of(first[:-1]) is None
    text = path.read_text()
    assert first not in text and hashlib.sha256(first.encode()).hexdigest() in text


def test_a_new_token_of_a_name_takes_the_place_of_the_old_one_and_comments_stay(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"# who may play\nband {'0' * 64}\n")
    old = add_token(path, "studio")
    new = add_token(path, "studio")
    assert Tokens(path).name_of(old) is None and Tokens(path).name_of(new) == "studio"
    assert path.read_text().startswith(f"# who may play\nband {'0' * 64}\nstudio ")


def test_a_changed_file_is_read_again_and_a_broken_one_changes_nothing(tmp_path, caplog):
    path = tmp_path / "tokens"
    old = add_token(path, "studio")
    tokens = Tokens(path)
    new = add_token(path, "band")
    assert tokens.name_of(new) == "band" and tokens.name_of(old) == "studio"
    with caplog.at_level(logging.ERROR):
        path.write_text("band\n")
        assert tokens.name_of(new) == "band"
        path.unlink()
        assert tokens.name_of(new) == "band"
    assert caplog.text.count("the tokens stay as they were") == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "no token in"),
        ("# nobody\n", "no token in"),
        ("band 123\n", "line 1 of"),
        (f"band {'g' * 64}\n", "line 1 of"),
        (f"\nthe band {'0' * 64}\n", "line 2 of"),
    ],
)
def test_a_wrong_file_is_told(tmp_path, text, found):
    path = tmp_path / "tokens"
    path.write_text(text)
    with pytest.raises(SettingError, match=f"{found}.*`musicvae token NAME`"):
        Tokens(path)


@pytest.mark.parametrize("name", ["", "the band", "a\nb", "x" * 65, "ä"])
def test_a_name_that_no_line_can_hold_is_refused(tmp_path, name):
    with pytest.raises(SettingError, match=r"the name .* of a caller"):
        add_token(tmp_path / "tokens", name)
    assert not (tmp_path / "tokens").exists()


@pytest.fixture
def guarded(start_server, tmp_path):
    """A server that asks for tokens, and the token of a caller named studio."""
    token = add_token(tmp_path / "tokens", "studio")
    return start_server(Settings(port=0, pause_s=0.0, tokens=tmp_path / "tokens")), token


def test_a_caller_with_a_token_is_answered_and_named_in_the_log(guarded, caplog):
    server, token = guarded
    with (
        caplog.at_level(logging.INFO),
        Client(server.address, credentials=Credentials(token=token)) as client,
    ):
        assert len(list(client.sample(SampleRequest(seed=1)))) == 1
    assert "studio ipv4:" in caplog.text and token not in caplog.text


@pytest.mark.parametrize("given", [None, "", "another", "x" * 5000])
def test_a_caller_without_a_known_token_is_refused(guarded, given):
    server, _ = guarded
    metadata = [] if given is None else [("authorization", f"Bearer {given}")]
    with grpc.insecure_channel(server.address) as channel:
        stub = MusicServiceStub(channel)
        for call in (
            lambda: list(stub.Sample(pb.SampleRequest(seed=1), metadata=metadata)),
            lambda: stub.ListModels(pb.ListModelsRequest(), metadata=metadata),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                call()
            assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
            assert "authorization: Bearer TOKEN" in caught.value.details()


def test_our_client_raises_the_refusal(guarded):
    server, _ = guarded
    with (
        Client(server.address, credentials=Credentials()) as client,
        pytest.raises(UnknownCallerError, match="Ask the operator of the server for a token"),
    ):
        client.models()


def test_health_needs_no_token(guarded):
    server, _ = guarded
    with grpc.insecure_channel(server.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        status = health.Check(health_pb2.HealthCheckRequest()).status
    assert status == health_pb2.HealthCheckResponse.SERVING


def test_the_environment_gives_a_token_and_a_token_needs_tls(monkeypatch):
    monkeypatch.setenv("MUSICVAE_TOKEN", "secret")
    assert Credentials.from_environment().metadata() == [("authorization", "Bearer secret")]
    assert "secret" not in repr(Credentials.from_environment())
    with pytest.raises(SettingError, match=r"example\.org:50051, without TLS") as caught:
        Client("example.org:50051")
    assert "secret" not in str(caught.value)
