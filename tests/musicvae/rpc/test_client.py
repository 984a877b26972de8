import os
import subprocess
import sys

import grpc
import pytest
from engines import PICKUP, TWO_FOUR_BAR

from musicvae.errors import (
    AttributeNameError,
    BundleError,
    LatentError,
    RepresentationError,
    RequestError,
    ServiceError,
    SettingError,
)
from musicvae.generation.inputs import Excerpt
from musicvae.generation.requests import (
    DecodeRequest,
    EncodeRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
)
from musicvae.music import midi
from musicvae.music.notes import Key, Meter, Note, NoteSequence
from musicvae.rpc.client import Client
from musicvae.server import Settings
from musicvae.v1 import musicvae_pb2 as pb

LATENT = tuple([0.1, -0.7] * 4)


def excerpt():
    notes = NoteSequence(
        notes=(Note(0, 60, 3, 100, 5, offset=0.1), Note(4, 72, 9)),
        length_steps=80,
        qpm=101.01,
        meter=Meter(4, 4),
        key=Key(9, is_minor=True),
    )
    return Excerpt(notes=notes, start_bar=1, meter="4/4", reduce=True)


HOW = {"seed": 2**63 - 1, "temperature": 0.9, "top_p": 0.7}


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("sample", SampleRequest(count=9, qpm=77.7, first_index=3, **HOW)),
        ("sample", SampleRequest(model="other", seed=0)),
        ("sample", SampleRequest(model="other", count=3, key="Em", range="C4-C6", seed=4)),
        ("interpolate", InterpolateRequest(points=[LATENT] * 2, key="Bb", count=2, seed=1)),
        ("decode", DecodeRequest(latents=[LATENT], scale="G dorian", **HOW)),
        ("transform", TransformRequest(point=LATENT, amounts={"c_diatonic": 0.5}, key="A", **HOW)),
        ("interpolate", InterpolateRequest(points=[LATENT, excerpt(), LATENT], count=4, **HOW)),
        ("interpolate", InterpolateRequest(points=[LATENT] * 2, qpm=99.9, count=2, seed=1)),
        ("transform", TransformRequest(point=excerpt(), amounts={"c_diatonic": 0.1}, **HOW)),
        ("encode", EncodeRequest(excerpt=excerpt())),
        ("encode", EncodeRequest(excerpt=excerpt(), seed=0)),
        ("decode", DecodeRequest(latents=[LATENT] * 3, qpm=33.3, **HOW)),
    ],
)
def test_server_answers_as_the_engine_does(client, engine, name, request_):
    ours, theirs = (getattr(musician, name)(request_) for musician in (engine, client))
    if name in ("transform", "encode"):
        assert theirs == ours
    else:
        theirs, ours = list(theirs), list(ours)
        assert theirs == ours
        assert [clip.to_midi() for clip in theirs] == [clip.to_midi() for clip in ours]


def test_models_are_those_of_the_engine(client, engine):
    assert client.models() == engine.models()
    assert [client.model(name) for name in ("", "other")] == [
        engine.model(name) for name in ("", "other")
    ]


@pytest.mark.parametrize(
    ("name", "request_", "kind"),
    [
        ("sample", SampleRequest(model="nobody"), BundleError),
        ("decode", DecodeRequest(latents=[(1.0,)]), LatentError),
        ("transform", TransformRequest(point=LATENT, amounts={"groove": 1.0}), AttributeNameError),
        (
            "encode",
            EncodeRequest(excerpt=Excerpt(notes=NoteSequence(notes=(), length_steps=16))),
            RepresentationError,
        ),
        (
            "encode",
            EncodeRequest(excerpt=Excerpt(TWO_FOUR_BAR, start_bar=2)),
            RepresentationError,
        ),
        (
            "encode",
            EncodeRequest(excerpt=Excerpt(TWO_FOUR_BAR, start_bar=1, meter="3/4")),
            RepresentationError,
        ),
        ("interpolate", InterpolateRequest(points=[(1.0,), (2.0,)]), RequestError),
    ],
)
def test_errors_are_those_of_the_engine(client, engine, name, request_, kind):
    said = []
    for musician in (engine, client):
        with pytest.raises(kind) as caught:
            list(getattr(musician, name)(request_))
        said.append((str(caught.value), caught.value.field, caught.value.violations))
    assert said[0] == said[1]


def test_request_that_only_the_server_refuses_says_the_limit(client):
    with pytest.raises(Exception, match="count=257; expected 1 to 256") as caught:
        list(client.sample(SampleRequest(count=257)))
    assert caught.value.field == "count"


def test_long_music_is_heard_alike(client, engine):
    notes = tuple(Note(step, 60, step + 1) for step in range(60_000))
    music = NoteSequence(notes=notes, length_steps=60_000)
    request = EncodeRequest(excerpt=Excerpt(notes=music, start_bar=3000))
    assert client.encode(request) == engine.encode(request)


@pytest.mark.parametrize(
    ("notes", "bar", "meter"),
    [(TWO_FOUR_BAR, 4, None), (PICKUP, 2, None), (TWO_FOUR_BAR, 3, "4/4")],
)
def test_bars_are_the_musics_own_as_notes_and_as_midi(client, engine, stub, notes, bar, meter):
    request = EncodeRequest(excerpt=Excerpt(notes, start_bar=bar, meter=meter))
    encoding = client.encode(request)
    assert encoding == engine.encode(request)
    assert encoding.notes.notes[0].pitch == 59 + bar
    message = pb.EncodeRequest(
        excerpt=pb.Excerpt(midi=midi.write(notes), start_bar=bar, meter=meter)
    )
    assert tuple(stub.Encode(message).mean) == encoding.mean


@pytest.mark.parametrize("qpm", [0.5, 6e6])
def test_music_of_any_tempo_is_heard_alike(client, engine, qpm):
    notes = NoteSequence(notes=(Note(0, 60, 4),), length_steps=16, qpm=qpm)
    request = EncodeRequest(excerpt=Excerpt(notes=notes))
    assert client.encode(request) == engine.encode(request)


def test_name_of_a_model_that_is_no_unicode_is_refused(client):
    with pytest.raises(SettingError, match="expected valid Unicode"):
        client.model("\udcff")


WRONG_ADDRESSES = [
    *("localhost:1,", "localhost:1,b", "localhost:1, localhost:2", "https://a.b:1,c.d:2"),
    *("127.0.0.1:1,[::1]:1", "a.invalid:1,localhost:2"),
    *("", "localhost", ":50051", "http://localhost:1", "localhost:1/", "a b:1", "a..b:1"),
    *("localhost:0", "localhost:65536", "localhost:http", "::1:50051", "[localhost]:1", "\n:1"),
]


@pytest.mark.parametrize("address", WRONG_ADDRESSES)
def test_address_that_is_none_is_told_without_noise(capfd, address):
    with pytest.raises(SettingError, match="expected HOST:PORT") as caught:
        Client(address)
    assert caught.value.field == "server"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("address", ["localhost:1", "10.0.0.1:65535", "[::1]:50051", "a-b.c_d.:2"])
def test_address_of_any_host_is_taken(address):
    Client(address).close()


def test_no_server_says_where_none_was_found():
    with (
        Client("127.0.0.1:1", timeout_s=5.0) as client,
        pytest.raises(ServiceError, match=r"UNAVAILABLE from 127.0.0.1:1.*musicvae serve"),
    ):
        client.models()


def test_server_that_takes_too_long_is_told(server):
    with (
        Client(server.address, timeout_s=0.001) as client,
        pytest.raises(ServiceError, match=r"DEADLINE_EXCEEDED.*allow more time"),
    ):
        list(client.sample(SampleRequest(count=256)))


def test_another_service_is_told(start_server):
    running = start_server(Settings(port=0, pause_s=0.0, max_message_bytes=1000))
    with Client(running.address) as client:
        with pytest.raises(ServiceError, match=r"RESOURCE_EXHAUSTED.*Send less"):
            list(client.decode(DecodeRequest(latents=[(0.5,) * 8] * 100)))
        assert len(client.models()) == 1


def test_port_of_http_is_told_from_the_port_of_grpc(http_server):
    address = http_server.http_url.removeprefix("http://")
    with Client(address) as client, pytest.raises(ServiceError, match=r"415.*`--http-port`"):
        client.models()


def test_closed_client_raises_at_once(server):
    client = Client(server.address)
    client.close()
    with pytest.raises((ValueError, grpc.RpcError)):
        client.models()


LIST_MODELS = """
import os, sys
from musicvae.errors import ServiceError
from musicvae.rpc.client import Client
client = Client(sys.argv[1], timeout_s=10)
print(len(client.models()), flush=True)
if len(sys.argv) > 2 and os.fork() == 0:
    try:
        client.models()
    except ServiceError as error:
        print(error, flush=True)
    os._exit(0)
os.wait() if len(sys.argv) > 2 else None
"""


def run_client(*arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LIST_MODELS, *arguments],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.stdout.splitlines()


def test_loopback_goes_through_no_proxy(server):
    port = server.address.rpartition(":")[2]
    for host in ("localhost", "127.0.0.1"):
        proxy = {"http_proxy": "http://127.0.0.1:1", "no_proxy": "", "no_grpc_proxy": ""}
        assert run_client(f"{host}:{port}", **proxy) == ["2"]


def test_forked_client_says_why_it_cannot_work(server):
    counted, said = run_client(server.address, "fork")
    assert counted == "2"
    assert "opened before a fork" in said and "Open a Client in each process" in said
