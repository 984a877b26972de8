"""Traces of the real program, as a collector of OpenTelemetry gets them."""

import sys
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as otlp
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as otlp_grpc
from programs import serving

from musicvae.errors import SettingError
from musicvae.server.traces import start_traces
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def http_collector():
    """The address of a collector, and the messages that it gets."""
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):  # the name that the library calls
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(otlp.ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()


@pytest.fixture
def grpc_collector():
    got = []

    class Servicer(otlp_grpc.TraceServiceServicer):
        def Export(self, request, _):  # noqa: N802  # the name of the contract
            got.append(request)
            return otlp.ExportTraceServiceResponse()

    server = grpc.server(ThreadPoolExecutor(1))
    otlp_grpc.add_TraceServiceServicer_to_server(Servicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"http://127.0.0.1:{port}", got
    server.stop(0).wait()


def attributes(thing):
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value")) for each in thing.attributes
    }


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_call_is_a_span_of_the_callers_trace_with_its_parts(bundle_folder, request, protocol):
    endpoint, got = request.getfixturevalue(f"{protocol}_collector")
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    if protocol == "grpc":
        environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc"
    with (
        serving("--bundle", bundle_folder, "--port", "0", env=environment) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        stub = MusicServiceStub(channel)
        known = [("traceparent", f"00-{TRACE}-{PARENT}-01"), ("x-request-id", "mine")]
        list(stub.Sample(pb.SampleRequest(model="tiny", count=3), metadata=known))
        with pytest.raises(grpc.RpcError):
            list(stub.Sample(pb.SampleRequest(count=0)))
    assert not [line for line in server.log if " Sample " not in line]
    resources = [each for message in got for each in message.resource_spans]
    assert {attributes(each.resource)["service.name"] for each in resources} == {"musicvae"}
    spans = [span for each in resources for scope in each.scope_spans for span in scope.spans]
    whole, wrong = [each for each in spans if each.name == "musicvae.v1.MusicService/Sample"]
    assert (whole.trace_id.hex(), whole.parent_span_id.hex()) == (TRACE, PARENT)
    assert attributes(whole) == {
        "rpc.system": "grpc",
        "rpc.service": "musicvae.v1.MusicService",
        "rpc.method": "Sample",
        "rpc.grpc.status_code": 0,
        "musicvae.request_id": "mine",
        "musicvae.model": "tiny",
    }
    parts = [each for each in spans if each.parent_span_id == whole.span_id]
    assert [each.name for each in parts] == ["read", "wait", "make"]
    times = [whole.start_time_unix_nano]
    for part in parts:
        times += [part.start_time_unix_nano, part.end_time_unix_nano]
    assert sorted(times) == times
    assert attributes(wrong)["rpc.grpc.status_code"] == 3
    assert wrong.trace_id.hex() != TRACE
    assert wrong.status.code == 0  # not an error of the server


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_SERVICE_NAME": "music"},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://there"},
        {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://there"},
    ],
)
def test_no_traces_unless_they_are_asked_for(environment):
    assert start_traces(environment) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("OTEL_TRACES_EXPORTER", "zipkin"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")],
)
def test_unknown_way_to_send_is_told(name, value):
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", name: value}
    with pytest.raises(SettingError, match=f"{name}={value}; expected .*unset it"):
        start_traces(environment)


def test_traces_that_are_asked_for_need_the_extra(monkeypatch):
    for name in [
        name for name in sys.modules if name.startswith(("opentelemetry", "musicvae.server.otlp"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(SettingError, match=r"pip install 'musicvae\[traces\]'"):
        start_traces({"OTEL_TRACES_EXPORTER": "otlp"})
    assert start_traces({}) is None
