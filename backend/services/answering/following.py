"""Following a turn that this process cannot read itself: it runs in another one, or is over."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog

from backend.core.errors import NotFoundError, RelayUnavailableError, UnavailableError
from backend.core.values.chat import Message
from backend.ports.relay import Relay, Relayed
from backend.services.answering.events import FOUND, STARTED, Delta, Event, Failed, Found, Rest, Started
from backend.services.answering.recalling import events_of
from backend.services.answering.relaying import sources_of

log = structlog.get_logger(__name__)

LONGEST_SECONDS = 900.0
"""How long one waits at most: who wants to go on after that asks again, and shows again who they are."""
LOOK_SECONDS = 0.5
"""How often the message is looked at, for its end."""
RELAY_SECONDS = 0.1
"""How often the relay is asked for what was said."""


class DistantTurn:
    """Reads what comes after an event of a turn: from the relay while it is being said, and the rest from the stored answer.

    Without a relay, and where that has lost something, it waits for the stored answer. While it is being read, the process that
    gives the answer is told so with ``keep`` every ``keep_seconds``.
    """

    def __init__(
        self,
        message: Message,
        look: Callable[[], Awaitable[Message]],
        keep: Callable[[], Awaitable[None]],
        relay: Relay | None,
        *,
        after: int,
        keep_seconds: float,
    ) -> None:
        self._message = message
        self._look = look
        self._keep = keep
        self._keep_seconds = keep_seconds
        self._relay = relay
        self._number = after
        self._portions = self._read()
        self._left = asyncio.Event()

    async def opened(self, seconds: float) -> None:
        """Return at once."""

    async def take(self) -> list[Event]:
        """Return the next events; an empty list after the last one, after ``leave``, and after a quarter of an hour."""
        return await anext(self._portions, [])

    def leave(self) -> None:
        """Wait no longer."""
        self._left.set()

    async def _read(self) -> AsyncIterator[list[Event]]:
        loop = asyncio.get_running_loop()
        until, keep_at = loop.time() + LONGEST_SECONDS, loop.time() + self._keep_seconds
        if self._message.status == "streaming" and self._number < STARTED:
            self._number = STARTED
            yield [Started(self._message.session_id, self._message.id)]
        while self._message.status == "streaming":
            async for events in self._relayed(until=loop.time() + LOOK_SECONDS):
                yield events
            if self._left.is_set() or loop.time() > until:
                return
            try:
                if loop.time() >= keep_at:
                    keep_at = loop.time() + self._keep_seconds
                    await self._keep()
                self._message = await self._look()
            except NotFoundError as error:
                yield [Failed(error)]
                return
            except UnavailableError:
                # The answer may well go on, so this is waited for like the answer itself.
                await self._pause(LOOK_SECONDS)
        yield Rest(self._number).of(events_of(self._message))

    async def _relayed(self, *, until: float) -> AsyncIterator[list[Event]]:
        """Yield what the relay brings until then, or until the turn seems to be over."""
        loop = asyncio.get_running_loop()
        while self._relay is not None and not self._left.is_set() and loop.time() < until:
            try:
                pieces = await self._relay.read(self._message.id, after=self._number)
            except RelayUnavailableError as error:
                log.warning("answer_not_followed", message_id=str(self._message.id), reason=type(error.__cause__).__name__)
                pieces, self._relay = [], None
            for piece in pieces:
                if piece.after > self._number or not piece.data:
                    self._relay = None
                    return
                yield [self._event(piece)]
            if not pieces:
                await self._pause(RELAY_SECONDS)
        if self._relay is None:
            await self._pause(until - loop.time())

    def _event(self, piece: Relayed) -> Event:
        known, self._number = self._number - piece.after, piece.number
        return Found(sources_of(piece)) if piece.number == FOUND else Delta(piece.data[known:])

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._left.wait()
        except TimeoutError:
            return
