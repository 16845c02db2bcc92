"""Measurements, for whoever collects them."""

from collections.abc import Sequence
from typing import Protocol

from backend.core.metrics import Exporter, Gauge


class MetricsExporter(Exporter, Protocol):
    """Keeps what this process measures, and renders it."""

    def render(self, gauges: Sequence[Gauge]) -> tuple[bytes, str]:
        """Return all measurements, with those that were looked at just now, and the media type."""
        ...
