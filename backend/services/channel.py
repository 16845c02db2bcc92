"""From whoever generates to those who read it."""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")

LIMIT = 256
"""Events that may wait for a slow reader; then the model's socket is left unread until it catches up."""


class Channel(Generic[T]):
    """One writer and its readers, in one event loop: no lock, and no task per event.

    A reader takes all that is new to it at once, so a slow one gets fewer and larger portions. A channel that ``keeps`` its events
    may be read by any number of readers from the beginning, and waits for none of them. Any other one has a single reader: what
    that has taken is gone, and the writer waits for it where too much is left.
    """

    def __init__(self, *, keeps: bool = False) -> None:
        self._keeps = keeps
        self._events: list[T] = []
        self._forgotten = 0
        self._closed = False
        self._abandoned = False
        self._readers: list[asyncio.Future[None]] = []
        self._writer: asyncio.Future[None] | None = None

    def push(self, event: T) -> None:
        """Add an event; after ``abandon`` it is dropped."""
        if not self._abandoned:
            self._events.append(event)
            self._wake_readers()

    @property
    def full(self) -> bool:
        """Whether the writer should wait for ``room``."""
        return not self._keeps and len(self._events) >= LIMIT

    async def room(self) -> None:
        """Wait until the reader has caught up, or is gone. One that never reads is gone once its connection is cut for that."""
        while self.full and not self._abandoned:
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer

    def close(self) -> None:
        """Say that no event follows."""
        self._closed = True
        self._wake_readers()

    def abandon(self) -> None:
        """Say that nobody reads any more."""
        self._abandoned = True
        self._forget()

    async def after(self, taken: int) -> list[T]:
        """Return the events after the first ``taken`` ones, at least one; an empty list once the channel is closed and read."""
        while taken >= self._forgotten + len(self._events) and not self._closed:
            reader = asyncio.get_running_loop().create_future()
            self._readers.append(reader)
            await reader
        events = self._events[taken - self._forgotten :]
        if not self._keeps:
            self._forget()
        return events

    def _forget(self) -> None:
        self._forgotten += len(self._events)
        self._events = []
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    def _wake_readers(self) -> None:
        if self._readers:
            waiting, self._readers = self._readers, []
            for reader in waiting:
                if not reader.done():
                    reader.set_result(None)


class Reader(Generic[T]):
    """A place in a channel."""

    def __init__(self, channel: Channel[T]) -> None:
        self._channel = channel
        self._taken = 0

    async def take(self) -> list[T]:
        """Return the events that are new, at least one; an empty list after the last one. Cancelled, it loses nothing."""
        events = await self._channel.after(self._taken)
        self._taken += len(events)
        return events
