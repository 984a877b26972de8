"""The server as a whole: many callers at once, callers who leave, its start and its end."""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from google.protobuf import descriptor_pb2
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status

from musicvae.errors import ServiceError, SettingError
from musicvae.generation.requests import SampleRequest
from musicvae.music import midi
from musicvae.rpc.client import Client
from musicvae.server import Limits, Settings
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub

SERVICE = "musicvae.v1.MusicService"
SERVING, NOT_SERVING = (
    health_pb2.HealthCheckResponse.SERVING,
    health_pb2.HealthCheckResponse.NOT_SERVING,
)


def reply_bytes(stub, melody, call):
    """What one request of each kind is answered, as bytes in a fixed order of map entries.

    The bytes as the server sends them are the matter of the test with two processes.
    """
    excerpt = pb.Excerpt(midi=midi.write(melody))
    point = pb.Point(excerpt=excerpt)
    latent = pb.Point(latent=pb.Latent(values=[0.5] * 8))
    how = {"seed": 9, "temperature": 1.0, "top_p": 0.95}
    replies = {
        "sample": lambda: stub.Sample(pb.SampleRequest(count=11, **how)),
        "interpolate": lambda: stub.Interpolate(
            pb.InterpolateRequest(points=[point, latent], count=10, **how)
        ),
        "transform": lambda: [
            stub.Transform(pb.TransformRequest(point=point, amounts={"c_diatonic": 1}, **how))
        ],
        "encode": lambda: [stub.Encode(pb.EncodeRequest(excerpt=excerpt, seed=9))],
        "decode": lambda: stub.Decode(pb.DecodeRequest(latents=[latent.latent], **how)),
    }
    return [reply.SerializeToString(deterministic=True) for reply in replies[call]()]


def test_same_request_same_bytes_alone_and_among_others(stub, melody):
    calls = ["sample", "interpolate", "transform", "encode", "decode"]
    alone = {call: reply_bytes(stub, melody, call) for call in calls}
    end = threading.Event()

    def disturb(seed):
        while not end.is_set():
            model = ("tiny", "other")[seed % 2]
            list(stub.Sample(pb.SampleRequest(model=model, count=1 + seed, seed=seed)))

    with ThreadPoolExecutor(8) as others:
        noise = [others.submit(disturb, seed) for seed in range(8)]
        try:
            for _ in range(2):
                for call in calls:
                    assert reply_bytes(stub, melody, call) == alone[call], call
        finally:
            end.set()
        for each in noise:
            each.result()


def test_short_request_does_not_wait_for_a_long_one(stub):
    times = {}

    def take(name, count):
        list(stub.Sample(pb.SampleRequest(count=count, seed=3)))
        times[name] = time.monotonic()

    threads = [threading.Thread(target=take, args=each) for each in (("long", 256), ("short", 8))]
    for thread in threads:
        thread.start()
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    assert times["short"] < times["long"]


SMALL = Settings(
    port=0,
    pause_s=0.0,
    limits=Limits(max_count=64, max_points=2, max_path_count=2, max_latents=2, max_steps=64 * 32),
    max_wait_s=1e-6,
)


@pytest.mark.parametrize("how", ["cancel", "deadline"])
def test_caller_who_leaves_frees_the_queue(start_server, how):
    server = start_server(SMALL)
    with grpc.insecure_channel(server.address) as channel:
        stub = MusicServiceStub(channel)
        for _ in range(3):
            call = stub.Sample(
                pb.SampleRequest(count=64, seed=1), timeout=None if how == "cancel" else 0.1
            )
            if how == "cancel":
                next(call)
                call.cancel()
            with pytest.raises(grpc.RpcError) as caught:
                list(call)
            code = {"cancel": "CANCELLED", "deadline": "DEADLINE_EXCEEDED"}[how]
            assert caught.value.code().name == code
            # While the queue holds another request it takes none: it must be free by the next turn.
            deadline = time.monotonic() + 10
            while True:
                try:
                    assert len(list(stub.Sample(pb.SampleRequest(count=64, seed=2)))) == 64
                    break
                except grpc.RpcError as error:
                    if error.code() != grpc.StatusCode.RESOURCE_EXHAUSTED:
                        raise
                    assert time.monotonic() < deadline
                    time.sleep(0.05)


def test_too_much_at_once_is_resource_exhausted_with_details(start_server):
    server = start_server(SMALL)
    with grpc.insecure_channel(server.address) as channel:
        stub = MusicServiceStub(channel)
        long = stub.Sample(pb.SampleRequest(count=64, seed=1))
        next(long)
        with pytest.raises(grpc.RpcError) as caught:
            list(stub.Sample(pb.SampleRequest(count=64, seed=1)))
        long.cancel()
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        for detail in rpc_status.from_call(caught.value).details:
            _ = detail.Unpack(info) or detail.Unpack(retry)
        assert (info.reason, info.domain) == ("BUSY", "musicvae")
        assert retry.retry_delay.seconds == 1


def test_health_is_serving_once_a_clip_was_made(channel):
    health = health_pb2_grpc.HealthStub(channel)
    for service in ("", SERVICE):
        request = health_pb2.HealthCheckRequest(service=service)
        assert health.Check(request).status == SERVING
    with pytest.raises(grpc.RpcError) as caught:
        health.Check(health_pb2.HealthCheckRequest(service="another"))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_reflection_tells_the_contract(channel):
    database = ProtoReflectionDescriptorDatabase(channel)
    assert {SERVICE, "grpc.health.v1.Health"} <= set(database.get_services())
    file = database.FindFileContainingSymbol(SERVICE)
    ours = descriptor_pb2.FileDescriptorProto()
    pb.DESCRIPTOR.CopyToProto(ours)
    assert file == ours


def test_stop_lets_calls_finish_and_takes_no_new_ones(start_server):
    server = start_server(SMALL)
    with grpc.insecure_channel(server.address) as channel, Client(server.address) as late:
        health = health_pb2_grpc.HealthStub(channel)
        said = health.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
        assert next(said).status == SERVING
        stub = MusicServiceStub(channel)
        call = stub.Sample(pb.SampleRequest(count=64, seed=1))
        next(call)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert next(said).status == NOT_SERVING
        said.cancel()
        time.sleep(0.1)
        with pytest.raises(ServiceError, match="UNAVAILABLE"):
            list(late.sample(SampleRequest(seed=1)))
        assert sum(1 for _ in call) == 63
        stopping.join(10)
        assert not stopping.is_alive()


def test_port_that_is_taken_is_told_without_noise(server, start_server, capfd):
    port = int(server.address.rpartition(":")[2])
    with pytest.raises(SettingError, match=r"in use.*an address of this machine.*`port`"):
        start_server(Settings(port=port))
    with pytest.raises(SettingError, match=r"'no such host' and port 0: "):
        start_server(Settings(host="no such host", port=0, allow_plain=True))
    with pytest.raises(SettingError, match=r"'a\.\.b'.*no host name"):
        start_server(Settings(host="a..b", port=0, allow_plain=True))
    assert capfd.readouterr() == ("", "")


def test_request_for_too_much_music_is_told_how_much_is_taken(start_server):
    limits = Limits(max_steps=10 * 32)
    with Client(start_server(Settings(port=0, pause_s=0.0, limits=limits)).address) as client:
        assert len(list(client.sample(SampleRequest(count=10, seed=1)))) == 10
        with pytest.raises(SettingError, match="11 clips of 32 steps; expected at most 10 clips"):
            list(client.sample(SampleRequest(count=11, seed=1)))


def test_call_that_takes_too_long_ends_and_frees_the_queue(start_server):
    limits = replace(SMALL.limits, max_count=4096, max_steps=4096 * 32)
    settings = replace(SMALL, limits=limits, max_call_s=0.2)
    with Client(start_server(settings).address) as client:
        for _ in range(2):
            with pytest.raises(ServiceError, match=r"a call of more than 0.2 s.*less in one call"):
                list(client.sample(SampleRequest(count=4096, seed=1)))


def test_streams_of_health_and_reflection_end_and_free_their_calls(start_server):
    with grpc.insecure_channel(
        start_server(Settings(port=0, pause_s=0.0, max_rpcs=2, max_call_s=1.0)).address
    ) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for _ in range(3):
            watch = health.Watch(health_pb2.HealthCheckRequest())
            assert next(watch).status == SERVING
            idle = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(
                waiting(threading.Event())
            )
            for stream in (watch, idle):
                with pytest.raises(grpc.RpcError, match="a call of more than 1") as caught:
                    next(stream)
                assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert next(MusicServiceStub(channel).Sample(pb.SampleRequest(seed=1))).clip.seed == 1


def waiting(told):
    """Requests that never come."""
    told.wait(20)
    yield from ()


PROGRAM = """
import sys
from pathlib import Path
from musicvae import bundle
from musicvae.server import Settings, serve
settings = Settings(port=0, pause_s=0.0)
serve(settings, [bundle.load(Path(sys.argv[1]))], lambda line: print(line, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_program_after_the_calls_in_flight(bundle_folder, number):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(bundle_folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        first, second, third = (process.stdout.readline() for _ in range(3))
        address = first.split()[-1]
        assert first.startswith("serving tiny ")
        assert f"musicvae sample --server {address}" in second
        assert f"http://{address}/{SERVICE}/Sample" in third
        with Client(address) as client:
            clips = client.sample(SampleRequest(count=64, seed=1))
            next(clips)
            process.send_signal(number)
            assert sum(1 for _ in clips) == 63
        assert process.wait(20) == 0
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_second_signal_ends_the_program_at_once(bundle_folder, number):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(bundle_folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        first, _, _ = (process.stdout.readline() for _ in range(3))
        address = first.split()[-1]
        with grpc.insecure_channel(address) as channel:
            # A call that its caller never ends.
            said = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
            next(said)
            process.send_signal(number)
            assert process.stdout.readline().startswith("stopping")
            process.send_signal(number)
            assert process.wait(10) != 0
    finally:
        process.kill()
        process.communicate()


def test_same_request_same_bytes_from_another_process(bundle_folder, melody):
    def answers(hash_seed):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(bundle_folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )
        try:
            address = process.stdout.readline().split()[-1]
            with grpc.insecure_channel(address) as channel:
                excerpt = pb.Excerpt(midi=midi.write(melody)).SerializeToString()
                sample = pb.SampleRequest(count=5, seed=9).SerializeToString()
                encode = pb.EncodeRequest(excerpt=pb.Excerpt.FromString(excerpt))
                # Bytes as they come: no serialiser of ours puts them in order.
                clips = channel.unary_stream(f"/{SERVICE}/Sample")(sample)
                encoding = channel.unary_unary(f"/{SERVICE}/Encode")(encode.SerializeToString())
                return [*clips, encoding]
        finally:
            process.kill()
            process.communicate()

    assert answers("1") == answers("2")


def test_buf_curl_gets_a_clip_through_reflection(server):
    buf = Path(sys.executable).with_name("buf")
    request = json.dumps({"count": 2, "seed": 7, "temperature": 0.8})
    done = subprocess.run(
        [
            *(buf, "curl", "--protocol", "grpc", "--http2-prior-knowledge", "--reflect"),
            *("-d", request, f"http://{server.address}/{SERVICE}/Sample"),
        ],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
    )
    assert done.returncode == 0, done.stderr
    decoder, at, replies = json.JSONDecoder(), 0, []
    text = done.stdout.strip()
    while at < len(text):
        reply, at = decoder.raw_decode(text, at)
        at += len(text[at:]) - len(text[at:].lstrip())
        replies.append(reply["clip"])
    files = [midi.read(base64.b64decode(clip["midi"])) for clip in replies]
    with Client(server.address) as client:
        clips = list(client.sample(SampleRequest(count=2, seed=7, temperature=0.8)))
    assert files == [clip.notes for clip in clips]
