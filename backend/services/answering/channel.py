"""From a turn to its reader, bounded."""

import asyncio

from backend.services.answering.events import Event

LIMIT = 256
"""Events that may wait for a slow reader; then the model's socket is left unread until it catches up."""


class Channel:
    """One writer, one reader, in one event loop: no lock, and no task per event.

    The reader takes all that waits at once, so a slow one gets fewer and larger portions.
    """

    def __init__(self) -> None:
        self._waiting: list[Event] = []
        self._closed = False
        self._abandoned = False
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    def push(self, event: Event) -> None:
        """Add an event; after ``abandon`` it is dropped."""
        if not self._abandoned:
            self._waiting.append(event)
            _wake(self._reader)

    @property
    def full(self) -> bool:
        """Whether the writer should wait for ``room``."""
        return len(self._waiting) >= LIMIT

    async def room(self) -> None:
        """Wait until the reader has caught up, or is gone."""
        while self.full and not self._abandoned:
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer

    def close(self) -> None:
        """Say that no event follows."""
        self._closed = True
        _wake(self._reader)

    def abandon(self) -> None:
        """Say that nobody reads any more."""
        self._abandoned = True
        self._waiting.clear()
        _wake(self._writer)

    async def take(self) -> list[Event]:
        """Return the events that wait, at least one; an empty list once the channel is closed and read to its end."""
        while not self._waiting and not self._closed:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        taken, self._waiting = self._waiting, []
        _wake(self._writer)
        return taken


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
