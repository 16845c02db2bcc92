"""A collector of OpenTelemetry's traces: it takes what a real one takes, and remembers it."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import KeyValue


@dataclass(frozen=True, slots=True)
class Seen:
    """A span that arrived. Ids are in hexadecimal digits, ``parent`` is empty where there is none."""

    name: str
    trace: str
    id: str
    parent: str
    kind: int
    failed: bool
    attributes: dict[str, str]
    events: tuple[str, ...]
    process: str


@dataclass(slots=True)
class Collector:
    """Where it listens, what arrived, and all of it as it came over the wire."""

    url: str
    spans: list[Seen] = field(default_factory=list)
    raw: bytearray = field(default_factory=bytearray)

    async def until(self, enough: Callable[[list[Seen]], bool], *, within: float = 60) -> list[Seen]:
        """Return what has arrived once it is enough."""
        async with asyncio.timeout(within):
            while not enough(self.spans):  # noqa: ASYNC110 - spans arrive when they arrive
                await asyncio.sleep(0.05)
        return list(self.spans)

    async def take(self, request: web.Request) -> web.Response:
        """Take a batch."""
        body = await request.read()
        batch = ExportTraceServiceRequest.FromString(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        self.raw += batch.SerializeToString()
        for of_process in batch.resource_spans:
            process = _plain(of_process.resource.attributes).get("process.pid", "")
            for scope in of_process.scope_spans:
                for span in scope.spans:
                    self.spans.append(
                        Seen(
                            span.name,
                            span.trace_id.hex(),
                            span.span_id.hex(),
                            span.parent_span_id.hex(),
                            span.kind,
                            span.status.code == 2,
                            _plain(span.attributes),
                            tuple(event.name for event in span.events),
                            process,
                        )
                    )
        return web.Response(body=ExportTraceServiceResponse().SerializeToString(), content_type="application/x-protobuf")


def _plain(pairs: "list[KeyValue]") -> dict[str, str]:
    return {pair.key: str(getattr(pair.value, pair.value.WhichOneof("value") or "string_value")) for pair in pairs}


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """Listen within the block."""
    found = Collector("")
    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/traces", found.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        found.url = f"http://{host}:{port}"
        yield found
    finally:
        await runner.cleanup()
