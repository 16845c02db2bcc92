"""Who collects what this process measures."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backend.adapters.exporters.prometheus import PrometheusExporter, SharedPrometheusExporter
from backend.core.config import Settings
from backend.core.metrics import export_to
from backend.ports.metrics import MetricsExporter


@dataclass(frozen=True, slots=True)
class Member:
    """One of several processes of a ``docent serve``: a number that no other has meanwhile, and where they measure together."""

    number: int
    measurements: Path


def forget_member(exporter: MetricsExporter | None, number: int) -> None:
    """Drop what was true of a process that has ended; what it has counted stays."""
    if isinstance(exporter, SharedPrometheusExporter):
        exporter.forget(number)


@contextmanager
def measuring(settings: Settings, *, port: int | None = None, beside: Member | None = None) -> Iterator[MetricsExporter | None]:
    """Measure within the block if the settings want it; with a ``port``, also serve the measurements there, on HOST.

    As a ``Member`` it measures together with the other processes of its address.

    Raises:
        ConfigurationError: The port is taken.
    """
    if not settings.measured:
        yield None
        return
    exporter = PrometheusExporter() if beside is None else SharedPrometheusExporter(beside.measurements, beside.number)
    export_to(exporter)
    try:
        if port is None:
            yield exporter
        else:
            token = settings.metrics_token
            with exporter.served(settings.host, port, token=token.get_secret_value() if token else None):
                yield exporter
    finally:
        export_to(None)
