"""The progress of a document as server-sent events, until its indexing has ended."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated
from uuid import UUID
from weakref import WeakSet

from fastapi import Depends, Request

from backend.api.encoding import encoded_event
from backend.api.sse import Stream
from backend.core.errors import DocumentNotFoundError, UnavailableError
from backend.core.values.document import Document
from backend.schemas.documents import DocumentOut

LONGEST_SECONDS = 900.0
"""How long a stream goes on at most: who watches for longer asks again, and shows again who they are."""
OUTAGE_SECONDS = 5.0
ENDS = frozenset({"ready", "failed"})

Watch = Callable[[UUID, UUID], AsyncIterator[Document]]
"""What ``DocumentService.watch`` is."""


class Watching:
    """A document's states, as the source of a stream."""

    def __init__(self, watch: Watch, owner_id: UUID, document_id: UUID) -> None:
        self._watch = watch
        self._owner_id = owner_id
        self._document_id = document_id
        self._states = watch(owner_id, document_id)
        self._first: Document | None = None
        self._seen: Document | None = None
        self._over = False
        self._until = asyncio.get_running_loop().time() + LONGEST_SECONDS
        self._waiting: asyncio.Timeout | None = None

    async def opened(self, seconds: float) -> None:
        """See ``Source.opened``."""
        self._first = await anext(self._states)

    async def take(self) -> Document | UUID | None:
        """Return the document each time it has changed, its id alone if it was deleted, and ``None`` when that was the end.

        It also ends, early, after a quarter of an hour, and where it was told to ``leave``.
        """
        if self._over:
            return None
        try:
            async with asyncio.timeout_at(self._until) as self._waiting:
                found = await self._next()
        except TimeoutError:
            return None
        finally:
            self._waiting = None
        self._seen = found
        self._over = found is None or found.status in ENDS
        return self._document_id if found is None else found

    async def _next(self) -> Document | None:
        """Return the next state; ``None`` once there is no such document. An outage is waited for."""
        if self._first is not None:
            found, self._first = self._first, None
            return found
        while True:
            try:
                found = await anext(self._states)
                if found != self._seen:
                    return found
            except (StopAsyncIteration, DocumentNotFoundError):
                return None
            except UnavailableError as error:
                await asyncio.sleep(OUTAGE_SECONDS if error.retry_after_seconds is None else error.retry_after_seconds)
                self._states = self._watch(self._owner_id, self._document_id)

    def leave(self) -> None:
        """See ``Source.leave``."""
        self._until = 0.0
        if self._waiting is not None:
            self._waiting.reschedule(0.0)


class ProgressStream(Stream):
    """Streams a document: an event ``document`` at first and whenever it has changed, or ``deleted`` as the last one."""

    def __init__(self, watching: Watching) -> None:
        super().__init__(watching)
        self._watching = watching
        self._number = 0

    async def portion(self) -> bytes:
        """See ``Stream.portion``."""
        found = await self._watching.take()
        self._number += 1
        if found is None:
            return b""
        if isinstance(found, UUID):
            return encoded_event(b"deleted", self._number, {"id": found})
        return encoded_event(b"document", self._number, DocumentOut.of(found).model_dump(mode="json"))


class Watches:
    """All that are being watched in this process, so that a server that stops need not wait for documents."""

    def __init__(self) -> None:
        self._watching: WeakSet[Watching] = WeakSet()
        self._stopped = False

    def begin(self, watch: Watch, owner_id: UUID, document_id: UUID) -> Watching:
        """Return what tells a document's states."""
        watching = Watching(watch, owner_id, document_id)
        self._watching.add(watching)
        if self._stopped:
            watching.leave()
        return watching

    def stream(self, watch: Watch, owner_id: UUID, document_id: UUID) -> ProgressStream:
        """Return the response that carries a document's progress."""
        return ProgressStream(self.begin(watch, owner_id, document_id))

    def stop(self) -> None:
        """End all streams, without a last event: their clients come back, and find another server or this one again."""
        self._stopped = True
        for watching in list(self._watching):
            watching.leave()


async def _watches(request: Request) -> Watches:
    watches: Watches = request.app.state.watches
    return watches


OpenWatches = Annotated[Watches, Depends(_watches)]
