"""The metrics of the real server, as Prometheus reads them, and the dashboard over them."""

import json
import re
import socket
import urllib.request
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families

from musicvae.errors import SettingError
from musicvae.rpc.client import Client
from musicvae.server import Settings
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub

DASHBOARD = Path(__file__).parents[2] / "deploy/grafana-dashboard.json"
METERED = Settings(port=0, pause_s=0.0, metrics_port=0, max_rpcs=7)


def read(server):
    """The values of all metrics by their names and labels."""
    with urllib.request.urlopen(server.metrics_url, timeout=10) as reply:  # noqa: S310  # our own
        assert reply.headers["content-type"].startswith("text/plain; version=")
        families = list(text_string_to_metric_families(reply.read().decode()))
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_calls_groups_and_first_clips_are_counted(start_server):
    server = start_server(METERED)
    before = read(server)
    with grpc.insecure_channel(server.address) as channel:
        stub = MusicServiceStub(channel)
        list(stub.Sample(pb.SampleRequest(model="tiny", count=3)))
        stub.Encode(pb.EncodeRequest(excerpt=pb.Excerpt(notes=pb.NoteSequence(
            notes=[pb.Note(end_step=4, pitch=60)], length_steps=32))))  # fmt: skip
        with pytest.raises(grpc.RpcError):
            list(stub.Sample(pb.SampleRequest(model="nobody")))
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        found = read(server)
    assert found["musicvae_requests_total", "OK", "Sample"] == 1
    assert found["musicvae_requests_total", "NOT_FOUND", "Sample"] == 1
    assert found["musicvae_requests_total", "OK", "grpc.health.v1.Health/Check"] == 1
    assert found["musicvae_request_duration_seconds_count", "Sample"] == 2
    assert found["musicvae_first_clip_seconds_count", "tiny"] == 2

    def made(name):
        return found[name, "tiny"] - before[name, "tiny"]

    assert made("musicvae_group_rows_count") == 2
    assert made("musicvae_group_rows_sum") == 4
    assert made("musicvae_group_seconds_sum") > 0
    assert found["musicvae_batch_rows_count",] > before["musicvae_batch_rows_count",]
    assert found["musicvae_step_seconds_sum",] > before["musicvae_step_seconds_sum",]
    assert found["musicvae_model_bytes", "tiny"] > 1000
    assert found["process_resident_memory_bytes",] > 1e7


def test_places_bodies_and_queue_are_shown_as_they_are(start_server):
    server = start_server(METERED)
    with grpc.insecure_channel(
        server.address, [("grpc.http2.lookahead_bytes", 1024), ("grpc.http2.bdp_probe", 0)]
    ) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        music = MusicServiceStub(channel).Sample(pb.SampleRequest(count=256))
        next(watch), next(music)
        found = read(server)
        for each in (watch, music):
            each.cancel()
    assert found["musicvae_open_streams",] == 1
    assert found["musicvae_max_open_calls",] == 7
    assert {found["musicvae_open_calls",], found["musicvae_waiting_replies",]} & {1}
    for name in ("queue_clips", "queue_wait_seconds", "waiting_bodies", "reading_bytes"):
        assert found[f"musicvae_{name}",] >= 0


def test_words_of_callers_are_no_labels(start_server):
    server = start_server(METERED)
    with grpc.insecure_channel(server.address) as channel:
        for number in range(5):
            name = f"made-up-{number}"
            for call in (
                lambda name=name: next(
                    MusicServiceStub(channel).Sample(pb.SampleRequest(model=name))
                ),
                lambda name=name: channel.unary_unary(f"/{name}/Call")(b""),
                lambda name=name: channel.unary_unary(f"/musicvae.v1.MusicService/{name}")(b""),
            ):
                with pytest.raises(grpc.RpcError):
                    call()
    assert "made-up" not in str(read(server))


def test_dashboard_asks_for_what_the_server_exports_and_for_all_of_it(start_server):
    server = start_server(METERED)
    with Client(server.address) as client:
        client.models()
    with grpc.insecure_channel(server.address) as channel:
        list(MusicServiceStub(channel).Sample(pb.SampleRequest()))
    exported = {name for name, *_ in read(server)}
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = {
        name
        for panel in panels
        for target in panel["targets"]
        for name in re.findall(r"\b(?:musicvae|process)_\w+", target["expr"])
    }
    assert asked <= exported
    series = re.compile(r"_(?:bucket|sum|count)$")
    ours = {series.sub("", name) for name in exported if name.startswith("musicvae_")}
    assert ours == {series.sub("", name) for name in asked if name.startswith("musicvae_")}


def test_port_of_metrics_is_for_this_machine_and_must_be_free(start_server):
    server = start_server(METERED)
    assert server.metrics_url.startswith("http://127.0.0.1:")
    port = int(server.metrics_url.rpartition(":")[2].partition("/")[0])
    with pytest.raises(SettingError, match=f"metrics_port {port}: .*Choose another `metrics_port`"):
        start_server(Settings(port=0, pause_s=0.0, metrics_port=port))
    server.stop()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)
