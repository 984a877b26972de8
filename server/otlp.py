"""Traces by OpenTelemetry, sent by OTLP; `traces.py` imports this file where traces are asked for.

Sources: the semantic conventions of OpenTelemetry for gRPC, and its variables of the environment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from threading import Timer

import grpc
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

from musicvae.errors import SettingError

_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_LAST_SPANS_S = 2.0
"""Seconds for sending the last spans, since orchestrators kill a server that stops too late."""
_FAULTS = {
    *("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"),
}
"""The codes that are errors of a server by the conventions."""


class OtlpTraces:
    """Records the spans of calls, and sends them.

    Args:
        environment: The variables of OpenTelemetry.

    Raises:
        SettingError: If the exporter or its protocol is unknown.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        resource = Resource.create()
        if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: "musicvae"}))
        self._provider = TracerProvider(resource=resource)
        self._exporter = _exporter(environment)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("musicvae", version("musicvae"))

    def span(
        self, service: str, method: str, request_id: str, metadata: Sequence[tuple[str, str]]
    ) -> OtlpSpan:
        """Begins a call; its metadata may hold the trace of the caller."""
        attributes = {
            "rpc.system": "grpc",
            "rpc.service": service,
            "rpc.method": method,
            "musicvae.request_id": request_id,
        }
        span = self._tracer.start_span(
            f"{service}/{method}",
            propagate.extract(dict(metadata)),
            trace.SpanKind.SERVER,
            attributes,
        )
        return OtlpSpan(self._tracer, span)

    def close(self) -> None:
        """Sends the spans that are left, but does not wait long for a collector that is gone."""
        ending = Timer(_LAST_SPANS_S, self._exporter.shutdown)
        ending.start()
        self._provider.shutdown()
        ending.cancel()


class OtlpSpan:
    """A call in a trace."""

    def __init__(self, tracer: trace.Tracer, span: trace.Span) -> None:
        self._tracer = tracer
        self._span = span

    def part(self, name: str) -> OtlpPart:
        """Begins a part of the call."""
        return OtlpPart(self._tracer.start_span(name, trace.set_span_in_context(self._span)))

    def end(self, code: str, model: str) -> None:
        """Ends the call."""
        self._span.set_attribute("rpc.grpc.status_code", grpc.StatusCode[code].value[0])
        self._span.set_attribute("musicvae.model", model)
        if code in _FAULTS:
            self._span.set_status(trace.StatusCode.ERROR, code)
        self._span.end()


class OtlpPart:
    """A part of a call that has begun."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def close(self) -> None:
        """Ends the part; a second time it does nothing."""
        if self._span.is_recording():
            self._span.end()


def _exporter(environment: Mapping[str, str]) -> SpanExporter:
    name = environment.get("OTEL_TRACES_EXPORTER") or "otlp"
    if name == "console":
        return ConsoleSpanExporter()
    if name != "otlp":
        raise _unknown("OTEL_TRACES_EXPORTER", name, "otlp, console or none")
    given = [each for each in _PROTOCOLS if environment.get(each)]
    protocol = environment[given[0]] if given else "http/protobuf"
    if protocol == "grpc":
        return GrpcExporter()
    if protocol == "http/protobuf":
        return HttpExporter()
    raise _unknown(given[0], protocol, "grpc or http/protobuf")


def _unknown(variable: str, value: str, expected: str) -> SettingError:
    return SettingError(
        f"{variable}={value}",
        expected=expected,
        action="Change the variable, or unset it.",
        field=variable,
    )
