"""Models are loaded, swapped and unloaded while the server answers calls."""

import asyncio
import shutil
import threading
from dataclasses import replace

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rpc_replies import refused

from musicvae.bundle.format import WEIGHTS_FILE
from musicvae.errors import BusyError, MusicVAEError
from musicvae.generation.engine import Engine
from musicvae.generation.requests import SampleRequest
from musicvae.rpc.client import Client
from musicvae.server import Settings
from musicvae.server.health import Health
from musicvae.server.model_folder import ModelFolder
from musicvae.server.models import Models
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import AdminServiceStub


@pytest.fixture
def other_folder(make_bundle, tmp_path):
    make_bundle(tmp_path / "other", name="other", seed=1, latent_size=9, draws_events=True)
    return tmp_path / "other"


@pytest.fixture
def served(start_server):
    """A server with a port for its operator; a stub of that port, and a client."""
    server = start_server(Settings(port=0, admin_port=0, pause_s=0.0))
    with grpc.insecure_channel(server.admin_address) as channel, Client(server.address) as client:
        yield server, AdminServiceStub(channel), client


def names(client):
    return [model.name for model in client.models()]


def test_a_model_is_loaded_under_its_name_or_another(served, other, other_folder):
    _, admin, client = served
    loaded = admin.LoadModel(pb.LoadModelRequest(folder=str(other_folder))).model
    assert (loaded.name, loaded.version) == ("other", other.version)
    folder = str(other_folder)
    admin.LoadModel(pb.LoadModelRequest(folder=folder, name="other@canary"))
    assert names(client) == ["tiny", "other", "other@canary"]
    first, again = (
        next(iter(client.sample(SampleRequest(model=name, seed=1))))
        for name in ("other", "other@canary")
    )
    assert replace(again, model="other") == first


def test_no_call_is_lost_while_a_model_is_swapped(served, tiny, bundle_folder, other_folder):
    server, admin, _ = served
    stop, clips, mistakes = threading.Event(), [], []

    def call():
        with Client(server.address) as client:
            seed = 0
            while not stop.is_set():
                try:
                    clips.extend(client.sample(SampleRequest(model="tiny", seed=seed, count=3)))
                except MusicVAEError as mistake:
                    mistakes.append(mistake)
                seed = (seed + 1) % 5

    callers = [threading.Thread(target=call) for _ in range(4)]
    for each in callers:
        each.start()
    versions = set()
    for folder in (other_folder, bundle_folder, other_folder, bundle_folder):
        request = pb.LoadModelRequest(folder=str(folder), name="tiny")
        versions.add(admin.LoadModel(request).model.version)
        wanted = len(clips) + 12
        while len(clips) < wanted and not mistakes:
            stop.wait(0.01)
    stop.set()
    for each in callers:
        each.join()
    assert not mistakes
    assert {clip.model_version for clip in clips} == versions
    engines = {each.version: Engine([each]) for each in (tiny,)}
    own = [clip for clip in clips if clip.model_version == tiny.version]
    expected = {
        seed: list(engines[tiny.version].sample(SampleRequest(seed=seed, count=3)))
        for seed in range(5)
    }
    assert all(clip == expected[clip.seed][clip.index] for clip in own)


def test_a_damaged_bundle_replaces_nothing(served, other_folder):
    _, admin, client = served
    weights = other_folder / WEIGHTS_FILE
    weights.write_bytes(weights.read_bytes()[:-8])
    request = pb.LoadModelRequest(folder=str(other_folder), name="tiny")
    code, info, _ = refused(admin.LoadModel, request)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "damaged" in info.metadata["found"] + info.metadata["expected"]
    assert names(client) == ["tiny"]
    assert next(iter(client.sample(SampleRequest(seed=1)))).notes.notes


def test_what_is_not_there_is_told(served, tmp_path):
    _, admin, _ = served
    for call, request, field in (
        (admin.LoadModel, pb.LoadModelRequest(folder=str(tmp_path / "no")), "bundle"),
        (admin.UnloadModel, pb.UnloadModelRequest(name="nobody"), "model"),
    ):
        code, info, _ = refused(call, request)
        assert (code, info.metadata["field"]) == (grpc.StatusCode.NOT_FOUND, field)
    code, info, _ = refused(admin.LoadModel, pb.LoadModelRequest())
    assert (code, info.metadata["field"]) == (grpc.StatusCode.INVALID_ARGUMENT, "folder")


def test_a_model_is_unloaded_but_not_the_last(served, other_folder):
    server, admin, client = served
    admin.LoadModel(pb.LoadModelRequest(folder=str(other_folder)))
    admin.UnloadModel(pb.UnloadModelRequest(name="tiny"))
    assert names(client) == ["other"]
    with grpc.insecure_channel(server.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", "other"):
            said = health.Check(health_pb2.HealthCheckRequest(service=service))
            assert said.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError, match="NOT_FOUND"):
            health.Check(health_pb2.HealthCheckRequest(service="tiny"))
    code, info, _ = refused(admin.UnloadModel, pb.UnloadModelRequest(name="other"))
    assert (code, info.metadata["field"]) == (grpc.StatusCode.INVALID_ARGUMENT, "name")


@pytest.mark.parametrize("name", ["two\nlines", "x" * 101])
def test_names_that_would_forge_a_line_are_refused(served, other_folder, name):
    _, admin, client = served
    request = pb.LoadModelRequest(folder=str(other_folder), name=name)
    code, info, _ = refused(admin.LoadModel, request)
    assert (code, info.metadata["field"]) == (grpc.StatusCode.INVALID_ARGUMENT, "name")
    assert names(client) == ["tiny"]


def test_models_are_bounded_in_bytes(start_server, other_folder):
    server = start_server(Settings(port=0, admin_port=0, pause_s=0.0, max_model_bytes=1_000))
    with grpc.insecure_channel(server.admin_address) as channel:
        request = pb.LoadModelRequest(folder=str(other_folder))
        code, info, _ = refused(AdminServiceStub(channel).LoadModel, request)
    assert (code, info.metadata["field"]) == (grpc.StatusCode.INVALID_ARGUMENT, "folder")


def test_callers_of_music_have_no_calls_of_the_operator(channel):
    with pytest.raises(grpc.RpcError) as caught:
        AdminServiceStub(channel).UnloadModel(pb.UnloadModelRequest(name="tiny"))
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_folder_is_followed(tiny, bundle_folder, other_folder, tmp_path, caplog):
    folder = tmp_path / "models"
    shutil.copytree(bundle_folder, folder / "tiny")

    async def prove(model, engine):
        if is_busy:
            raise BusyError("much", expected="less", action="Wait.")
        assert next(engine.sample(SampleRequest(model=model.name, seed=1))).notes.notes

    is_busy = True

    async def check():
        nonlocal is_busy
        models = Models([tiny], Health("service"), prove, 1 << 30)
        followed = ModelFolder(folder, models)
        await followed.look()
        assert [*models.names] == ["tiny"]
        (folder / "other").mkdir()
        for path in sorted(other_folder.iterdir()):  # a look may come between two files
            shutil.copy(path, folder / "other")
            await followed.look()
        assert [*models.names] == ["tiny"]
        is_busy = False
        await followed.look()
        assert [*models.names] == ["tiny", "other"]
        assert "other is not loaded" in caplog.text
        shutil.rmtree(folder / "tiny")
        await followed.look()
        assert [*models.names] == ["other"]
        shutil.rmtree(folder / "other")
        await followed.look()  # the last stays
        assert [*models.names] == ["other"]

    asyncio.run(check())
