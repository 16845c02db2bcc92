"""Server-sent events: bytes from whoever has them to the socket, with nothing in between."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from backend.api.encoding import EventEncoder
from backend.api.idempotency import REPLAYED
from backend.core.values.chat import Answer
from backend.schemas.chat import AnswerOut
from backend.services.answering.events import Event
from backend.services.answering.recalling import events_again
from backend.services.answering.turn import Turn

T = TypeVar("T")

FIRST_PIECE_SECONDS = 2.0
"""How long the status line waits for the model: one that is down becomes a status, and a slow one does not look dead."""
HEARTBEAT_SECONDS = 10.0
HEARTBEAT = b": still thinking\n\n"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Source(Protocol):
    """Where events come from."""

    async def opened(self, seconds: float) -> None:
        """Return when there is something to send, or after so many seconds.

        Raises:
            DocentError: There will be nothing: it becomes the status.
        """
        ...

    def leave(self) -> None:
        """Say that nobody reads any more, or that all was read."""
        ...


class Stream(Response, ABC):
    """Streams what a source has. When the client leaves, the source is told at once."""

    media_type = "text/event-stream"

    def __init__(self, source: Source, *, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._source = source
        self._heartbeat_seconds = heartbeat_seconds

    @abstractmethod
    async def portion(self) -> bytes:
        """Return the next events, encoded; nothing after the last one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events.

        Raises:
            DocentError: The source failed before it had anything, and nothing has been sent.
        """
        gone = asyncio.create_task(disconnected(receive))
        try:
            if await _first(self._source.opened(FIRST_PIECE_SECONDS), gone):
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                await _first(self._send(send), gone)
        finally:
            gone.cancel()
            # After the last event this changes nothing.
            self._source.leave()

    async def _send(self, send: Send) -> None:
        loop = asyncio.get_running_loop()
        sent_at = loop.time()

        async def beat() -> None:
            """Keep the line alive while the model thinks; proxies cut silent ones."""
            nonlocal sent_at
            while True:
                await asyncio.sleep(sent_at + self._heartbeat_seconds - loop.time())
                if loop.time() - sent_at >= self._heartbeat_seconds:
                    await send(_body(HEARTBEAT))
                    sent_at = loop.time()

        heart = asyncio.create_task(beat())
        try:
            while portion := await self.portion():
                await send(_body(portion))
                sent_at = loop.time()
        finally:
            heart.cancel()
        # Only now: a heartbeat must not come after the end.
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Following(Source, Protocol):
    """Where the events of a turn come from."""

    async def take(self) -> list[Event]:
        """Return the next events; an empty list after the last one."""
        ...


class EventStream(Stream):
    """Streams a turn, or what comes ``after`` an event of it."""

    def __init__(self, turn: Following, *, after: int = 0, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        super().__init__(turn, heartbeat_seconds=heartbeat_seconds)
        self._turn = turn
        self._encoder = EventEncoder(after)

    async def portion(self) -> bytes:
        """See ``Stream.portion``."""
        return self._encoder.encode(await self._turn.take())


class AnswerStream(EventStream):
    """Streams a turn to whoever asked. It ends with the turn, also where they have left: so it counts as long as it runs."""

    def __init__(self, turn: Turn) -> None:
        super().__init__(turn)
        self._settled = turn.settled

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ``Stream.__call__``."""
        await super().__call__(scope, receive, send)
        await self._settled()


async def respond(turn: Turn, request: Request) -> Response:
    """Return the response that carries a turn: as events, or as JSON once it is complete.

    Raises:
        DocentError: The turn failed; as events, only if that was before the model's first piece.
    """
    if turn.streamed:
        return AnswerStream(turn)
    try:
        answer = await until_gone(turn.answer(), request.receive)
    finally:
        turn.leave()
    if answer is None:
        return Response(status_code=499)  # Nobody reads it.
    return Response(AnswerOut.of(answer).model_dump_json(), media_type="application/json")


def replayed(answer: Answer, *, streamed: bool) -> Response:
    """Return the response that carries a stored answer once more, marked as a replay: its text comes as one delta."""
    if not streamed:
        return Response(AnswerOut.of(answer).model_dump_json(), media_type="application/json", headers=REPLAYED)
    return Response(EventEncoder().encode(events_again(answer)), media_type=EventStream.media_type, headers={**HEADERS, **REPLAYED})


async def until_gone(work: Awaitable[T], receive: Receive) -> T | None:
    """Return what the work results in, or ``None`` if the client leaves before: then it is cancelled."""
    gone = asyncio.create_task(disconnected(receive))
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        return await task if task.done() else None
    finally:
        gone.cancel()
        task.cancel()
        await asyncio.wait({task})


async def _first(work: Awaitable[None], gone: asyncio.Task[None]) -> bool:
    """Run until done, or until the client has left; return whether it was done."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    if task.cancelled():
        return False
    task.result()
    return True


async def disconnected(receive: Receive) -> None:
    """Return when the client has left. The request's body is read before."""
    message: Message = await receive()
    while message["type"] != "http.disconnect":
        message = await receive()


def _body(data: bytes) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": True}
