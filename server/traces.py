"""Traces of calls: a span a call, with parts for reading, waiting and making.

The variables of OpenTelemetry turn traces on and say where they go. Its packages are the extra
`musicvae[traces]`; only `otlp.py` imports them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from importlib import import_module
from typing import Protocol, TypeVar, runtime_checkable

from musicvae.errors import SettingError

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_EXPORTER = "OTEL_TRACES_EXPORTER"

Item = TypeVar("Item")


@runtime_checkable
class Part(Protocol):
    """A part of a call that has begun."""

    def close(self) -> None:
        """Ends the part; a second time it does nothing."""


@runtime_checkable
class Span(Protocol):
    """A call in a trace."""

    def part(self, name: str) -> Part:
        """Begins a part of the call."""

    def end(self, code: str, model: str) -> None:
        """Ends the call."""


@runtime_checkable
class Traces(Protocol):
    """Records the spans of calls."""

    def span(
        self, service: str, method: str, request_id: str, metadata: Sequence[tuple[str, str]]
    ) -> Span:
        """Begins a call; its metadata may hold the trace of the caller."""

    def close(self) -> None:
        """Sends the spans that are left."""


class _NoSpan:
    def part(self, _: str) -> Part:
        return self

    def end(self, *_: str) -> None:
        pass

    def close(self) -> None:
        pass


NO_SPAN: Span = _NoSpan()
"""The span of a call that is not traced."""


def traced(work: Iterator[Item], span: Span) -> Iterator[Item]:
    """Yields the items of `work`; the time before the first is waiting, the rest is making."""
    waiting = span.part("wait")

    def make() -> Iterator[Item]:
        waiting.close()
        with closing(span.part("make")):
            yield from work

    return make()


def start_traces(environment: Mapping[str, str]) -> Traces | None:
    """Starts traces if the environment asks for them: names an exporter, or an endpoint.

    Raises:
        SettingError: If the packages are missing, or the exporter is unknown.
    """
    asked = [name for name in (_EXPORTER, *_ENDPOINTS) if environment.get(name)]
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if not asked or is_off or environment.get(_EXPORTER) == "none":
        return None
    try:
        module = import_module("musicvae.server.otlp")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        raise SettingError(
            f"the variable {asked[0]}, without OpenTelemetry",
            expected="its packages, to send traces",
            action="Run `pip install 'musicvae[traces]'`, or set OTEL_SDK_DISABLED=true.",
            field=asked[0],
        ) from error
    traces: Traces = module.OtlpTraces(environment)
    return traces
