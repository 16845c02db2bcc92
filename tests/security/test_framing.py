"""Broken framing against both of uvicorn's parsers: no 5xx, no hang, and the server goes on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import pytest
from fastapi import Body, FastAPI, Request

from backend.api.errors import add_error_handlers
from backend.api.guard import BodyLimits, RequestGuard
from backend.api.middleware import RequestContext
from backend.cli.connections import UNREAD_BYTES, BoundedH11Protocol, BoundedHttpToolsProtocol
from tests.security.framing import ATTACKS, dripping, get, post
from tests.support.web_server import WebServer, web_server

LIMITS = BodyLimits(bytes=10_000, idle_seconds=0.5, total_seconds=1.5)
SECONDS = 0.8
BOUND = 30.0
"""Far more than all of the deadlines together: what is open after that would be open for ever."""


class QuickH11(BoundedH11Protocol):
    header_seconds = SECONDS


class QuickHttpTools(BoundedHttpToolsProtocol):
    header_seconds = SECONDS


def an_application() -> FastAPI:
    app = FastAPI()

    @app.get("/health")
    async def health() -> str:
        return "healthy"

    @app.post("/echo")
    async def echo(body: Annotated[dict[str, str], Body()]) -> dict[str, str]:
        return body

    @app.post("/upload")
    async def upload(request: Request) -> int:
        return sum([len(piece) async for piece in request.stream()])

    @app.post("/think")
    async def think(body: Annotated[dict[str, str], Body()], request: Request) -> str:
        try:
            async with asyncio.timeout(LIMITS.total_seconds * 1.2):
                return str((await request.receive())["type"])
        except TimeoutError:
            return f"thought about {len(body)} things"

    add_error_handlers(app)
    app.add_middleware(RequestGuard, limits=LIMITS, upload_paths=["/upload"])
    app.add_middleware(RequestContext)
    return app


@pytest.fixture(params=[QuickH11, QuickHttpTools], ids=["h11", "httptools"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[WebServer]:
    async with web_server(
        an_application(), request.param, timeout_keep_alive=1, h11_max_incomplete_event_size=UNREAD_BYTES
    ) as running:
        yield running


async def test_no_framing_breaks_or_blocks_the_server(server: WebServer) -> None:
    async def wrong(name: str) -> str | None:
        attack = ATTACKS[name]
        exchange = await server.send(*attack.pieces, end=attack.end, within=BOUND)
        got = set(exchange.statuses)
        if not exchange.closed:
            return f"{name}: still open after {BOUND} s, with {got or 'no answer'}"
        if got - attack.right or not (got or attack.silent):
            return f"{name}: {got or 'no answer'}, right is {set(attack.right)}"
        return None

    found = await asyncio.gather(*map(wrong, ATTACKS))

    assert "\n".join(line for line in found if line) == ""
    assert (await server.send(get(b"Connection: close\r\n"))).statuses == [200]


@pytest.mark.parametrize(
    ("status", "code", "request_"),
    [
        (408, b"request_too_slow", post(b"Content-Length: 9\r\n", b"{")),
        (413, b"request_too_large", post(b"Transfer-Encoding: chunked\r\n", b"ffff\r\n" + b" " * 65_535)),
        (414, b"target_too_long", get(target=b"/" + b"a" * 9000)),
        (431, b"headers_too_large", get(b"X-A: b\r\n" * 101)),
    ],
)
async def test_a_refusal_is_a_problem(server: WebServer, status: int, code: bytes, request_: bytes) -> None:
    exchange = await server.send(request_)

    assert exchange.statuses == [status]
    assert b"content-type: application/problem+json" in exchange.received
    assert b'"code":"%b"' % code in exchange.received


async def test_an_upload_may_take_its_time_as_long_as_it_goes_on(server: WebServer) -> None:
    pieces = dripping(b"a", 24)
    exchange = await server.send(post(b"Content-Length: 24\r\n").replace(b"/echo", b"/upload"), *pieces)

    assert exchange.statuses == [200]
    assert exchange.received.endswith(b"24")


async def test_a_complete_request_may_be_thought_about_for_longer_than_bodies_may_take(server: WebServer) -> None:
    exchange = await server.send(post(b"Content-Length: 2\r\n", b"{}").replace(b"/echo", b"/think"))

    assert exchange.statuses == [200]
    assert b"thought about 0 things" in exchange.received


async def test_above_the_limit_of_connections_the_answer_is_503_and_below_it_all_is_well() -> None:
    async with web_server(an_application(), QuickHttpTools, limit_concurrency=2) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert (await server.send(get(b"Connection: close\r\n"))).statuses == [503]
        writer.close()
        await writer.wait_closed()
        assert await reader.read() == b""
        assert (await server.send(get(b"Connection: close\r\n"))).statuses == [200]
