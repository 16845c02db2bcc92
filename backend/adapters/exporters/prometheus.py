"""Measurements in Prometheus' text format."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hmac import compare_digest
from threading import Thread
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

from backend.core.errors import ConfigurationError
from backend.core.metrics import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from prometheus_client.metrics_core import Metric

MOST_SERIES = 2_000
"""Of one metric. Labels are our own, but for the names of models: whoever has thousands of them sees the rest as one."""
OTHERS = "others"


class PrometheusExporter:
    """Keeps the measurements of a process, and of the process itself: memory, CPU seconds, descriptors."""

    def __init__(self) -> None:
        import prometheus_client  # noqa: PLC0415 - only where somebody listens

        self._client = prometheus_client
        self._registry = prometheus_client.CollectorRegistry()
        prometheus_client.ProcessCollector(registry=self._registry)
        prometheus_client.PlatformCollector(registry=self._registry)
        self._counters: dict[str, prometheus_client.Counter] = {}
        self._histograms: dict[str, prometheus_client.Histogram] = {}
        self._series: dict[str, set[tuple[str, ...]]] = {}

    def add(self, counter: Counter, amount: float, labels: tuple[str, ...]) -> None:
        """See ``Exporter.add``."""
        kept = self._counters.get(counter.name)
        if kept is None:
            kept = self._client.Counter(counter.name, counter.help, counter.labels, registry=self._registry)
            self._counters[counter.name] = kept
        (kept.labels(*self._bounded(counter.name, labels)) if labels else kept).inc(amount)

    def observe(self, histogram: Histogram, value: float, labels: tuple[str, ...]) -> None:
        """See ``Exporter.observe``."""
        kept = self._histograms.get(histogram.name)
        if kept is None:
            kept = self._client.Histogram(
                histogram.name, histogram.help, histogram.labels, buckets=histogram.buckets, registry=self._registry
            )
            self._histograms[histogram.name] = kept
        (kept.labels(*self._bounded(histogram.name, labels)) if labels else kept).observe(value)

    def _bounded(self, name: str, labels: tuple[str, ...]) -> tuple[str, ...]:
        series = self._series.setdefault(name, set())
        if labels in series:
            return labels
        if len(series) >= MOST_SERIES:
            return (OTHERS,) * len(labels)
        series.add(labels)
        return labels

    def render(self, gauges: Sequence[Gauge]) -> tuple[bytes, str]:
        """Return everything, with what was looked at just now, and the media type."""
        registry = self._client.CollectorRegistry()
        registry.register(_Looked(gauges))
        own, looked = self._client.generate_latest(self._registry), self._client.generate_latest(registry)
        return own + looked, self._client.CONTENT_TYPE_PLAIN_0_0_4

    @contextmanager
    def served(self, host: str, port: int, *, token: str | None) -> Iterator[None]:
        """Serve the measurements of a process that serves nothing else, within the block, from a thread of its own.

        Raises:
            ConfigurationError: The port is taken.
        """
        application = self._client.make_wsgi_app(self._registry)

        def guarded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            sent = environ.get("HTTP_AUTHORIZATION", "")
            if environ.get("PATH_INFO") != "/metrics":
                start_response("404 Not Found", [])
                return [b""]
            if token is not None and not compare_digest(sent.encode(), f"Bearer {token}".encode()):
                start_response("401 Unauthorized", [("WWW-Authenticate", "Bearer")])
                return [b""]
            return list(application(environ, start_response))

        try:
            server = make_server(host, port, guarded, handler_class=_Quiet)
        except OSError as error:
            raise ConfigurationError(f"METRICS_PORT: {host}, port {port}: {error.strerror}. Choose another one.") from error
        thread = Thread(target=server.serve_forever, name="metrics", daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class _Quiet(WSGIRequestHandler):
    """Scrapes are no news."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Looked:
    """A collector of what was looked at."""

    def __init__(self, gauges: Sequence[Gauge]) -> None:
        self._gauges = gauges

    def collect(self) -> "Iterator[Metric]":
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - loaded by now

        for gauge in self._gauges:
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
            for labels, value in gauge.values:
                family.add_metric(labels, value)
            yield family
