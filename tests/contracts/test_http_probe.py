"""What counts as an answer of a service, and what is never done to find out."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from backend.adapters.probes.http import HttpProbe
from backend.core.errors import ServiceUnavailableError
from tests.support.web_server import web_server


class Service:
    """Answers as its path says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.sent = 0
        self.app = Starlette(routes=[Route("/{what}", self._answer)])

    async def _answer(self, request: Request) -> Response:
        what = request.path_params["what"]
        self.asked.append(f"{request.method} {what}")
        if what == "elsewhere":
            return RedirectResponse("/500")
        if what == "endless":
            return StreamingResponse(self._endless())
        if what == "silent":
            while (await request.receive())["type"] != "http.disconnect":
                pass
            return Response()
        return Response(status_code=int(what))

    async def _endless(self) -> AsyncIterator[bytes]:
        while True:
            self.sent += 1
            yield b"x" * 65_536
            await asyncio.sleep(0)  # What is written to a connection that was closed does not wait for anything.


@pytest.fixture
async def probe() -> AsyncIterator[HttpProbe]:
    opened = HttpProbe(within=30)
    yield opened
    await opened.aclose()


async def test_any_answer_below_500_is_an_answer_and_nothing_is_followed_or_read(probe: HttpProbe) -> None:
    service = Service()
    async with web_server(service.app, H11Protocol) as server:
        for what in ("200", "204", "401", "404", "429", "elsewhere", "endless"):
            await probe.check(f"http://user:secret@127.0.0.1:{server.port}/{what}?token=secret")

    assert service.asked == [f"GET {what}" for what in ("200", "204", "401", "404", "429", "elsewhere", "endless")]
    assert service.sent < 1000


async def test_a_service_that_says_it_cannot_serve_is_down_with_its_status(probe: HttpProbe) -> None:
    async with web_server(Service().app, H11Protocol) as server:
        with pytest.raises(ServiceUnavailableError, match="status 503"):
            await probe.check(f"http://127.0.0.1:{server.port}/503")


async def test_what_does_not_answer_or_speaks_something_else_is_down(probe: HttpProbe) -> None:
    async with web_server(Service().app, H11Protocol) as server:
        port = server.port
        with pytest.raises(ServiceUnavailableError, match="does not answer"):
            await probe.check(f"https://127.0.0.1:{port}/200")
    for url in (f"http://127.0.0.1:{port}/200", "http://nowhere.invalid/", "http://[::1", "http://a..b/"):
        with pytest.raises(ServiceUnavailableError, match="does not answer"):
            await probe.check(url)


async def test_a_service_that_says_nothing_is_waited_for_no_longer_than_it_may_take() -> None:
    probe = HttpProbe(within=0.2)
    async with web_server(Service().app, H11Protocol) as server:
        with pytest.raises(ServiceUnavailableError):
            await probe.check(f"http://127.0.0.1:{server.port}/silent")
    await probe.aclose()
