"""Spans, sent to a collector of OpenTelemetry's protocol (OTLP over HTTP, as protobuf)."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Thread
from typing import TYPE_CHECKING
from uuid import uuid4

from backend.core.errors import ConfigurationError
from backend.core.tracing import Attributes, Kind, Span

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as VendorSpan

PATH = "v1/traces"
"""Appended to OTEL_EXPORTER_OTLP_ENDPOINT, as OpenTelemetry's specification says."""
LAST_SPANS_SECONDS = 3.0
"""How long the end of a process waits for a collector that does not take the last spans."""


class OpenTelemetryTracer:
    """Collects spans, and sends them from a thread of its own; while the collector is away the oldest that wait are dropped.

    The SDK's own variables in the environment count: OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER (and _ARG),
    OTEL_BSP_* and OTEL_EXPORTER_OTLP_HEADERS, _TIMEOUT, _COMPRESSION and _CERTIFICATE. No library is instrumented.
    """

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry import context, trace  # noqa: PLC0415 - only where somebody collects
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        self._provider = provider
        self._trace = trace
        self._nowhere = context.Context()
        self._tracer = provider.get_tracer("docent")
        self._header = TraceContextTextMapPropagator()
        self._kinds = {
            "internal": trace.SpanKind.INTERNAL,
            "server": trace.SpanKind.SERVER,
            "client": trace.SpanKind.CLIENT,
            "consumer": trace.SpanKind.CONSUMER,
        }

    @classmethod
    def to(cls, endpoint: str, version: str) -> "OpenTelemetryTracer":
        """Return one that sends to a collector.

        Raises:
            ConfigurationError: The packages of the extra ``otel`` are missing, or the endpoint is no address of HTTP.
        """
        if not endpoint.startswith(("http://", "https://")):
            raise ConfigurationError("OTEL_EXPORTER_OTLP_ENDPOINT has to begin with http:// or https://")
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - only where set
            from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        except ImportError as error:
            missing = "OTEL_EXPORTER_OTLP_ENDPOINT is set, and what sends traces is not installed: `uv sync --extra otel`."
            raise ConfigurationError(missing) from error
        ours: dict[str, str | int] = {
            "service.name": "docent",
            "service.version": version,
            "service.instance.id": str(uuid4()),
            "process.pid": os.getpid(),
        }
        resource = Resource.create({**ours}).merge(OTELResourceDetector().detect())
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/{PATH}")))
        return cls(provider)

    def span(self, name: str, kind: Kind, attributes: Attributes, parent: str | None) -> AbstractContextManager[Span]:
        """See ``tracing.span``."""
        around = None if parent is None else self._header.extract({"traceparent": parent}, context=self._nowhere)
        return self._running(name, kind, attributes, around)

    @contextmanager
    def _running(self, name: str, kind: Kind, attributes: Attributes, around: "Context | None") -> "Iterator[Span]":
        # The messages of exceptions may quote what people wrote: only their kind is told.
        started = self._tracer.start_as_current_span(
            name,
            context=around,
            kind=self._kinds[kind],
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        )
        with started as vendor:
            own = _OpenTelemetrySpan(vendor, self._trace.Status(self._trace.StatusCode.ERROR))
            try:
                yield own
            except BaseException as error:
                own.fail(type(error).__name__)
                raise

    def traceparent(self) -> str | None:
        """See ``tracing.traceparent``."""
        carrier: dict[str, str] = {}
        self._header.inject(carrier)
        return carrier.get("traceparent")

    def close(self) -> None:
        """Send what is still to be sent, for a moment: a collector that is away does not keep the process."""
        sending = Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        sending.start()
        sending.join(LAST_SPANS_SECONDS)


class _OpenTelemetrySpan:
    """A span as the SDK has it."""

    def __init__(self, vendor: "VendorSpan", failed: object) -> None:
        self._vendor = vendor
        self._failed = failed

    def rename(self, name: str) -> None:
        """See ``Span.rename``."""
        self._vendor.update_name(name)

    def set(self, attributes: Attributes) -> None:
        """See ``Span.set``."""
        self._vendor.set_attributes(attributes)

    def event(self, name: str) -> None:
        """See ``Span.event``."""
        self._vendor.add_event(name)

    def fail(self, kind: str) -> None:
        """See ``Span.fail``."""
        self._vendor.set_attribute("error.type", kind)
        self._vendor.set_status(self._failed)  # type: ignore[arg-type] # a Status of the same library
