"""Who collects what this process measures."""

from collections.abc import Iterator
from contextlib import contextmanager

from backend.adapters.exporters.prometheus import PrometheusExporter
from backend.core.config import Settings
from backend.core.metrics import export_to
from backend.ports.metrics import MetricsExporter


@contextmanager
def measuring(settings: Settings, *, port: int | None = None) -> Iterator[MetricsExporter | None]:
    """Measure within the block if the settings want it; with a ``port``, also serve the measurements there, on HOST.

    Raises:
        ConfigurationError: The port is taken.
    """
    if not settings.measured:
        yield None
        return
    exporter = PrometheusExporter()
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
