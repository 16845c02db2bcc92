"""Who collects the spans of this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from backend.core.config import Settings
from backend.core.tracing import trace_to


@contextmanager
def traced(settings: Settings) -> Iterator[None]:
    """Send spans within the block if the settings name a collector.

    Raises:
        ConfigurationError: What sends them is not installed, or the address is none.
    """
    if settings.otel_exporter_otlp_endpoint is None:
        yield
        return
    from backend.adapters.exporters.opentelemetry import OpenTelemetryTracer  # noqa: PLC0415 - only where somebody collects

    tracer = OpenTelemetryTracer.to(settings.otel_exporter_otlp_endpoint, version("docent"))
    trace_to(tracer)
    try:
        yield
    finally:
        trace_to(None)
        tracer.close()
