"""The door for agents: what the application holds of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request, Response
from starlette.exceptions import HTTPException

from backend.api.mcp.call import CALL, Call
from backend.api.mcp.exchange import Exchange, Refusal, Running
from backend.core.config import Settings
from backend.core.errors import OriginRefusedError
from backend.core.values.user import Caller
from backend.services.registry import Services

if TYPE_CHECKING:
    from backend.api.mcp.server import Server

SESSION = "mcp-session-id"


class Door:
    """Answers the messages of the Model Context Protocol. The SDK is loaded, in a thread, when the first one comes.

    Browsers are let in where CORS_ORIGINS names them: any other page may have been led here by DNS rebinding. The Host is not
    looked at, for every message has to bear a token, which no such page has.
    """

    def __init__(self, settings: Settings, version: str) -> None:
        self._settings = settings
        self._version = version
        self._wanted: asyncio.Event
        self._server: asyncio.Future[Server]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Answer within the block. At its end, calls that still run are cancelled."""
        self._wanted, self._server = asyncio.Event(), asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(self._serve(), name="mcp")
        try:
            yield
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving

    async def _serve(self) -> None:
        await self._wanted.wait()
        try:
            server = await asyncio.to_thread(self._load)
        except Exception as error:
            self._server.set_exception(error)
            raise
        async with server.running():
            self._server.set_result(server)
            await asyncio.Event().wait()

    def _load(self) -> "Server":
        from backend.api.mcp.server import Server  # noqa: PLC0415 - the SDK takes a second and 25 MB

        return Server(version=self._version, max_body_bytes=self._settings.max_body_bytes)

    async def answer(self, request: Request, caller: Caller, services: Services) -> Response:
        """Return the response that carries the answer to a message.

        Raises:
            OriginRefusedError: A page of an origin that is not let in has sent it.
            HTTPException: 415 if it is no JSON, 406 if the client takes none.
        """
        self._assert_let_in(request)
        accepted = _accepted(request)
        body = await request.body()
        self._wanted.set()
        server = await asyncio.shield(self._server)
        try:
            message = server.read(body)
        except Refusal as refusal:
            return refusal.response()
        session = request.headers.get(SESSION, "")
        if message.cancels is not None:
            await services.calls.cancel(caller.user_id, session, message.cancels)
        request.scope[CALL] = Call(caller, services, request.app.state.watches, self._settings.max_upload_bytes)
        app = server.app(request.headers, message, events="text/event-stream" in accepted)
        running: Running = nullcontext
        if message.id is not None and session:
            running = partial(services.calls.running, caller.user_id, session, message.id)
        return Exchange(app, body, begins_session=message.begins_session, running=running)

    def _assert_let_in(self, request: Request) -> None:
        origin = request.headers.get("origin")
        if origin is not None and not {origin, "*"} & set(self._settings.cors_origins):
            raise OriginRefusedError


def _accepted(request: Request) -> set[str]:
    """Return which of the two kinds of answers the client takes."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415)
    named = {part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "*/*").split(",")}
    kinds = {kind for kind in ("application/json", "text/event-stream") if named & {kind, "*/*", kind.partition("/")[0] + "/*"}}
    if "application/json" not in kinds:
        raise HTTPException(406)
    return kinds


async def _door(request: Request) -> Door:
    door: Door = request.app.state.mcp
    return door


OpenDoor = Annotated[Door, Depends(_door)]
