"""The API as the pages may meet it: the real one behind a server that answers some calls in its own way."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
from aiohttp import web

HOP = {"host", "connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "accept-encoding"}
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Rule:
    """What is answered instead to calls of a method (`*`: of any) whose path matches."""

    method: str
    path: re.Pattern[str]
    answer: Answer

    def fits(self, request: web.Request) -> bool:
        return self.method in {"*", request.method} and self.path.fullmatch(request.path) is not None


class FaultyApi:
    """Passes on what comes, streams too, but for what a rule answers. The newest rule that fits counts.

    ``seen`` holds the method and path of every call.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.url = ""
        self.seen: list[str] = []
        self.transports: set[asyncio.Transport] = set()
        self._rules: list[Rule] = []

    def answer(self, method: str, path: str, answer: Answer) -> Self:
        """Let ``answer`` do it, for paths that match a regular expression as a whole."""
        self._rules.insert(0, Rule(method, re.compile(path), answer))
        return self

    def say(self, method: str, path: str, body: object, status: int = 200) -> Self:
        """Answer with JSON."""

        async def answer(_: web.Request) -> web.Response:
            return web.json_response(body, status=status)

        return self.answer(method, path, answer)

    def refuse(self, method: str, path: str, status: int, code: str, detail: str, **headers: str) -> Self:
        """Answer with a problem, as the API does."""

        async def answer(_: web.Request) -> web.Response:
            problem = {"type": "about:blank", "title": code, "status": status, "code": code, "detail": detail}
            return web.json_response(problem, status=status, headers=headers, content_type="application/problem+json")

        return self.answer(method, path, answer)

    def send(self, method: str, path: str, data: bytes, status: int = 200, content_type: str = "text/html") -> Self:
        """Answer with any bytes."""

        async def answer(_: web.Request) -> web.Response:
            return web.Response(body=data, status=status, content_type=content_type)

        return self.answer(method, path, answer)

    def drop(self, method: str, path: str) -> Self:
        """Break the connection."""

        async def answer(request: web.Request) -> web.Response:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()

        return self.answer(method, path, answer)

    async def cut(self) -> None:
        """Break every connection that is open now, and go on."""
        for transport in list(self.transports):
            transport.abort()
        await asyncio.sleep(0)

    def clear(self) -> None:
        """Pass everything on again."""
        self._rules.clear()


@asynccontextmanager
async def faulty_api(upstream: str) -> AsyncIterator[FaultyApi]:
    """Run one on a free port of the running loop, before the API at ``upstream``."""
    api = FaultyApi(upstream)
    async with aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(sock_read=120)) as http:

        async def handle(request: web.Request) -> web.StreamResponse:
            api.seen.append(f"{request.method} {request.path}")
            transport = request.transport
            if transport is not None:
                api.transports = {known for known in api.transports if not known.is_closing()} | {transport}
            rule = next((rule for rule in api._rules if rule.fits(request)), None)
            return await (rule.answer(request) if rule else _passed_on(http, api.upstream, request))

        app = web.Application(client_max_size=256 << 20)
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        api.url = f"http://127.0.0.1:{_port(runner)}"
        try:
            yield api
        finally:
            await runner.cleanup()


def _port(runner: web.AppRunner) -> int:
    address: Any = runner.addresses[0]
    return int(address[1])


async def _passed_on(http: aiohttp.ClientSession, upstream: str, request: web.Request) -> web.StreamResponse:
    headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP}
    body = await request.read()
    async with http.request(
        request.method, upstream + request.raw_path, headers=headers, data=body, allow_redirects=False
    ) as upstreams:
        kept = {name: value for name, value in upstreams.headers.items() if name.lower() not in HOP}
        response = web.StreamResponse(status=upstreams.status, headers=kept)
        await response.prepare(request)
        async for piece in upstreams.content.iter_any():
            await response.write(piece)
        await response.write_eof()
        return response
