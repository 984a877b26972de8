"""The metrics of a server, in the form of Prometheus, and the port that shows them.

No label holds a word of a caller: methods are those of the contract, models those that are served.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from socketserver import ThreadingMixIn
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    make_wsgi_app,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from .port import listen

# Without a further series for each, which tells only when the series began.
disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0)
_STEP_SECONDS = (1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1)
_ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)


class Metrics:
    """The metrics of one server.

    Args:
        version: The version of the program.
    """

    def __init__(self, version: str) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        info = Info("musicvae_server", "The version of the program.", registry=self._registry)
        info.info({"version": version})
        self._requests = Counter(
            "musicvae_requests",
            "Calls that have ended, by method and status code.",
            ("method", "code"),
            registry=self._registry,
        )
        self._duration = self._histogram(
            "musicvae_request_duration_seconds", "Seconds from the head of a call to its end.",
            "method", _SECONDS,
        )  # fmt: skip
        self._first_clip = self._histogram(
            "musicvae_first_clip_seconds", "Seconds from the head of a call to its first clip.",
            "model", _SECONDS,
        )  # fmt: skip
        self._rows = self._histogram(
            "musicvae_group_rows", "Clips of a group: the most that a call gets at once.",
            "model", _ROWS,
        )  # fmt: skip
        self._group = self._histogram(
            "musicvae_group_seconds", "Seconds that a group took, by its share of each step.",
            "model", _SECONDS,
        )  # fmt: skip
        self._batch_rows = Histogram(
            "musicvae_batch_rows",
            "Rows of all calls that take their steps of music together: the width of each batch.",
            buckets=_ROWS,
            registry=self._registry,
        )
        self._step = Histogram(
            "musicvae_step_seconds",
            "Mean seconds of a step of each batch.",
            buckets=_STEP_SECONDS,
            registry=self._registry,
        )

    def count_call(self, method: str, code: str, seconds: float) -> None:
        """Counts a call that has ended."""
        self._requests.labels(method, code).inc()
        self._duration.labels(method).observe(seconds)

    def count_first_clip(self, model: str, seconds: float) -> None:
        """Counts the first clip of a call."""
        self._first_clip.labels(model).observe(seconds)

    def count_group(self, model: str, rows: int, seconds: float) -> None:
        """Counts a group of clips of one call."""
        self._rows.labels(model).observe(rows)
        self._group.labels(model).observe(seconds)

    def count_batch(self, rows: int, step_s: float) -> None:
        """Counts a batch that has ended."""
        self._batch_rows.observe(rows)
        self._step.observe(step_s)

    def show(self, name: str, about: str, read: Callable[[], float]) -> None:
        """Adds a metric whose value is read when it is asked for, in another thread."""
        Gauge(f"musicvae_{name}", about, registry=self._registry).set_function(read)

    def show_each(
        self, name: str, about: str, label: str, read: Callable[[], Mapping[str, float]]
    ) -> None:
        """Adds a metric whose values are read by their labels."""
        self._registry.register(_Each(f"musicvae_{name}", about, label, read))

    def open(self, host: str, port: int) -> MetricsPort:
        """Opens a port of HTTP that shows the metrics.

        Raises:
            SettingError: If the server can't listen there.
        """
        listening = listen(host, port, "metrics_port")
        server = _Server(("", 0), _Handler, bind_and_activate=False)
        server.socket.close()
        server.socket, server.address_family = listening, listening.family
        server.server_address = listening.getsockname()[:2]
        server.server_name, server.server_port = host, listening.getsockname()[1]
        server.setup_environ()
        server.set_app(make_wsgi_app(self._registry))
        return MetricsPort(server)

    def _histogram(
        self, name: str, about: str, label: str, buckets: tuple[float, ...]
    ) -> Histogram:
        return Histogram(name, about, (label,), buckets=buckets, registry=self._registry)


class _Each(Collector):
    """A metric whose labels may change."""

    def __init__(
        self, name: str, about: str, label: str, read: Callable[[], Mapping[str, float]]
    ) -> None:
        self._name, self._about, self._label, self._read = name, about, label, read

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Reads the values."""
        family = GaugeMetricFamily(self._name, self._about, labels=(self._label,))
        for key, value in self._read().items():
            family.add_metric((key,), value)
        return [family]


class MetricsPort:
    """The open port of the metrics, which a thread answers.

    Attributes:
        url: Its address.
    """

    def __init__(self, server: _Server) -> None:
        host, port = server.server_name, server.server_port
        is_v6 = server.address_family == socket.AF_INET6
        self.url = f"http://{f'[{host}]' if is_v6 else host}:{port}/metrics"
        self._server = server
        # The pause between looks whether to stop; closing waits for a look.
        self._thread = Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Closes the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False


class _Handler(WSGIRequestHandler):
    timeout = 10  # seconds for a request, so that idle connections end

    def log_message(self, *_: object) -> None:
        """Logs no line for a look at the metrics."""
