"""Measurements in Prometheus' text format."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hmac import compare_digest
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Literal
from wsgiref.simple_server import WSGIRequestHandler, make_server

from backend.core.errors import ConfigurationError
from backend.core.metrics import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    import prometheus_client
    from prometheus_client.metrics_core import Metric

MOST_SERIES = 2_000
"""Of one metric. Labels are our own, but for the names of models: whoever has thousands of them sees the rest as one."""
OTHERS = "others"
MODES: Mapping[str, Literal["livemin"]] = {"process_start_time_seconds": "livemin", "process_max_fds": "livemin"}
"""What several processes have is added up, but for these."""


class PrometheusExporter:
    """Keeps the measurements of a process, and of the process itself: memory, CPU seconds, descriptors."""

    def __init__(self) -> None:
        import prometheus_client  # noqa: PLC0415 - only where somebody listens

        self._client = prometheus_client
        self._registry = prometheus_client.CollectorRegistry()
        self._tell_of_the_process()
        self._counters: dict[str, prometheus_client.Counter] = {}
        self._histograms: dict[str, prometheus_client.Histogram] = {}
        self._series: dict[str, set[tuple[str, ...]]] = {}

    def _tell_of_the_process(self) -> None:
        self._client.ProcessCollector(registry=self._registry)
        self._client.PlatformCollector(registry=self._registry)

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

    def share(self, gauges: Sequence[Gauge]) -> None:
        """See ``MetricsExporter.share``: there is no other process."""

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


class SharedPrometheusExporter(PrometheusExporter):
    """Keeps the measurements of a process in files beside those of others, so that any of them tells what all have measured.

    ``number`` names the files: no two processes that live at the same time share one. Who takes a number after another counts on
    from there, so counts never shrink, and there are never more files than processes. The memory and the descriptors of all are
    added up as well.
    """

    def __init__(self, folder: Path, number: int) -> None:
        # The library is told by the environment, once, when it is imported.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        from prometheus_client import values  # noqa: PLC0415 - only where somebody listens

        values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call] # the library's
        self._folder = folder
        self._gauges: dict[str, prometheus_client.Gauge] = {}
        self._cpu_seconds = 0.0
        super().__init__()

    def _tell_of_the_process(self) -> None:
        self._process = self._client.ProcessCollector(registry=None)

    def render(self, gauges: Sequence[Gauge]) -> tuple[bytes, str]:
        """See ``MetricsExporter.render``."""
        from prometheus_client import multiprocess  # noqa: PLC0415 - loaded by now

        self.share([gauge for gauge in gauges if gauge.own])
        registry = self._client.CollectorRegistry()
        multiprocess.MultiProcessCollector(registry, path=str(self._folder))  # type: ignore[no-untyped-call] # the library's
        self._client.PlatformCollector(registry=registry)
        registry.register(_Looked([gauge for gauge in gauges if not gauge.own]))
        return self._client.generate_latest(registry), self._client.CONTENT_TYPE_PLAIN_0_0_4

    def share(self, gauges: Sequence[Gauge]) -> None:
        """See ``MetricsExporter.share``."""
        for gauge in gauges:
            for labels, value in gauge.values:
                kept = self._gauge(gauge.name, gauge.help, gauge.labels)
                (kept.labels(*labels) if labels else kept).set(value)
        for family in self._process.collect():
            value = sum(sample.value for sample in family.samples)
            if family.type == "gauge":
                self._gauge(family.name, family.documentation).set(value)
            else:
                grown, self._cpu_seconds = value - self._cpu_seconds, value
                self.add(Counter(f"{family.name}_total", family.documentation), grown, ())

    def forget(self, number: int) -> None:
        """What was true of a process is no more: it has ended. What it has counted stays."""
        from prometheus_client import multiprocess  # noqa: PLC0415 - loaded by now

        multiprocess.mark_process_dead(number, path=str(self._folder))  # type: ignore[no-untyped-call] # the library's

    def _gauge(self, name: str, text: str, labels: tuple[str, ...] = ()) -> "prometheus_client.Gauge":
        kept = self._gauges.get(name)
        if kept is None:
            kept = self._client.Gauge(name, text, labels, registry=self._registry, multiprocess_mode=MODES.get(name, "livesum"))
            self._gauges[name] = kept
        return kept


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
