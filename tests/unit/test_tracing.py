"""Spans, where somebody collects them and where nobody does."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from backend.adapters.exporters.opentelemetry import OpenTelemetryTracer
from backend.core.errors import ConfigurationError
from backend.core.origin import about_job, origin
from backend.core.tracing import span, trace_to, traceparent, tracing

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOTHING_LOADED = """
import sys
import backend.api.middleware, backend.bootstrap.tracing, backend.core.origin, backend.adapters.wire.http_session
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""


@pytest.fixture
def collected() -> Iterator[None]:
    """Spans are collected, for a collector that is away: it disturbs nobody."""
    tracer = OpenTelemetryTracer.to("http://127.0.0.1:9", "0")
    trace_to(tracer)
    yield
    trace_to(None)
    tracer.close()


def test_where_nobody_collects_nothing_is_made_and_nothing_loaded() -> None:
    assert not tracing()
    assert span("one") is span("another", {"a": 1}, kind="server", parent=CALLER)
    with span("one") as nothing:
        nothing.rename("other")
        nothing.set({"a": 1})
        nothing.event("now")
        nothing.fail("so")
    assert (traceparent(), origin()) == (None, {})

    loaded = subprocess.run([sys.executable, "-c", NOTHING_LOADED], capture_output=True, text=True, check=True, timeout=240)
    assert loaded.stdout.strip() == "[]"


@pytest.mark.usefixtures("collected")
def test_what_a_span_passes_on_is_itself_in_the_trace_of_its_caller() -> None:
    assert traceparent() is None
    with span("request", kind="server", parent=CALLER):
        outer = traceparent()
        assert outer is not None
        assert origin() == {"traceparent": outer}
        with span("part"):
            inner = traceparent()
    assert outer.split("-")[1] == CALLER.split("-")[1]
    assert len({CALLER, outer, inner}) == 3


@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("sent", ["", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "\r\n", "x" * 10_000])
def test_what_is_no_trace_begins_a_new_one(sent: str) -> None:
    with span("request", kind="server", parent=sent):
        assert (traceparent() or "").startswith("00-")


@pytest.mark.usefixtures("collected")
def test_what_is_raised_passes_through_a_span() -> None:
    with pytest.raises(ZeroDivisionError), span("part"):
        raise ZeroDivisionError


def test_an_address_that_is_none_is_told_at_the_start() -> None:
    with pytest.raises(ConfigurationError, match="OTEL_EXPORTER_OTLP_ENDPOINT"):
        OpenTelemetryTracer.to("collector:4318", "0")


def test_without_the_extra_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    with pytest.raises(ConfigurationError, match="uv sync --extra otel"):
        OpenTelemetryTracer.to("http://127.0.0.1:9", "0")


@pytest.mark.parametrize("came_from", [None, "a text", {}, {"request_id": None}, ["request"]])
def test_a_job_that_came_from_nobody_is_its_own_beginning(came_from: object) -> None:
    assert about_job("tidy", 17, {"document_id": "d"}, came_from) == {
        "request_id": "job-17",
        "job": "tidy",
        "job_id": "17",
        "document_id": "d",
    }
