"""One message and its answer."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from secrets import token_hex

import orjson
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SESSION_HEADER = "Mcp-Session-Id"

Running = Callable[[Callable[[], object]], AbstractContextManager[object]]
"""Has what it is given called, within the block, if the client cancels the request."""


class Refusal(Exception):  # noqa: N818 - it is raised to be answered
    """The body is not a message. ``code`` is one of JSON-RPC's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def response(self) -> Response:
        """Return the error as JSON-RPC has it: without an id, for none could be read."""
        error = {"jsonrpc": "2.0", "id": None, "error": {"code": self.code, "message": self.message}}
        return Response(orjson.dumps(error), 400, media_type="application/json")


class Exchange(Response):
    """Has a message answered by the SDK, as long as the client is there and has not cancelled it.

    Nothing is kept between messages. Clients of versions before 2026-07-28 are given an id of their session all the same: it says
    which of a person's running requests they mean when they cancel one. Clients since then cancel by closing the connection.
    """

    def __init__(self, app: ASGIApp, body: bytes, *, begins_session: bool, running: Running) -> None:
        super().__init__()
        self._app = app
        self._bytes = body
        self._begins_session = begins_session
        self._running = running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        line = _Line(receive, send, self._bytes, begins_session=self._begins_session)
        work = asyncio.ensure_future(self._app(scope, line.receive, line.send))
        line.gone.add_done_callback(lambda _: work.cancel())
        try:
            with self._running(work.cancel):
                await asyncio.wait({work})
            if work.cancelled() and not line.gone.done():
                await line.end()
        finally:
            line.gone.cancel()
            work.cancel()
            await asyncio.wait({work})
        if not work.cancelled():
            work.result()


class _Line:
    """The client's line as the SDK sees it: with the body, which was read before, and the end of the line after it."""

    def __init__(self, receive: Receive, send: Send, body: bytes, *, begins_session: bool) -> None:
        self.gone = asyncio.create_task(_gone(receive))
        self._send = send
        self._body: bytes | None = body
        self._begins_session = begins_session
        self._started = False

    async def receive(self) -> Message:
        """Return the body, and then wait for the client to leave."""
        body, self._body = self._body, None
        if body is not None:
            return {"type": "http.request", "body": body, "more_body": False}
        await asyncio.wait({self.gone})
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Send, with the id of a session that begins."""
        if message["type"] == "http.response.start":
            self._started = True
            if self._begins_session:
                MutableHeaders(scope=message)[SESSION_HEADER] = token_hex(16)
        await self._send(message)

    async def end(self) -> None:
        """End the response to a cancelled request, which is never answered."""
        if not self._started:
            await self._send({"type": "http.response.start", "status": 202, "headers": []})
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
