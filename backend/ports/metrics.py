"""Measurements, for whoever collects them."""

from collections.abc import Sequence
from typing import Protocol

from backend.core.metrics import Exporter, Gauge


class MetricsExporter(Exporter, Protocol):
    """Keeps what this process measures, and renders it; where several processes serve one address, what all of them measure."""

    def render(self, gauges: Sequence[Gauge]) -> tuple[bytes, str]:
        """Return all measurements, with those that were looked at just now, and the media type."""
        ...

    def share(self, gauges: Sequence[Gauge]) -> None:
        """Tell the other processes of the same address what is true of this one, with its memory and descriptors."""
        ...
