"""Attempts at indexing, and how each of them may end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import structlog

from backend.core.clock import now
from backend.core.errors import (
    BlobNotFoundError,
    DatabaseUnavailableError,
    EmbeddingRefusedError,
    ParsingError,
    StorageFullError,
    UnavailableError,
)
from backend.core.metrics import DOCUMENTS, INGESTION
from backend.core.values.document import Document
from backend.db.uow import UnitOfWork
from backend.services.indexing.pipeline import DocumentGoneError, GenerationSwitchedError, IndexingPipeline
from backend.services.indexing.purging import queue_tidying

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 3
LONGEST_WAIT_SECONDS = 300
GLANCE_SECONDS = 1.0
"""How often an attempt looks whether anybody still wants it."""
DATABASE_SECONDS = 60
"""How long an attempt that the database's outage ended tries to say that it does not count."""
GAVE_UP = "Reading this file failed three times, so it was given up. Try another copy or format of it."


class Indexer:
    """Takes a pending document to ``ready`` or ``failed``. One attempt at a time for a document: its job holds a lock."""

    def __init__(self, uow: UnitOfWork, pipeline: IndexingPipeline) -> None:
        self._uow = uow
        self._pipeline = pipeline

    async def index(self, owner_id: UUID, document_id: UUID) -> None:
        """Make one attempt. A document that is gone or has ended is left alone.

        A document that cannot be read ends ``failed`` with a reason. An outage is not the document's fault: it goes back to
        ``pending``, says what it waits for, and is queued again, without the attempt being counted. Any other exception is a
        defect of ours: it passes through after it was counted, and the third one ends the document. An attempt that stored
        something before it died begins the count again, for it was not the document that ended it.
        """
        async with self._uow.of(owner_id) as tx:
            document = await tx.documents.start_attempt(owner_id, document_id)
        if document is None:
            return
        if document.attempts > MOST_ATTEMPTS:
            await self._fail(document, "indexing_crashed", GAVE_UP)
            return
        try:
            await self._run(document)
        except asyncio.CancelledError:
            # A shutdown, not a crash: the next process takes over where this one stopped.
            await asyncio.shield(self._hand_back(document, waiting_for=None))
            raise
        except (DatabaseUnavailableError, StorageFullError) as error:
            await self._outlast(document, error)
        except Exception:
            if document.attempts >= MOST_ATTEMPTS:
                await self._fail(document, "indexing_failed", GAVE_UP)
            raise

    async def _run(self, document: Document) -> None:
        try:
            async with self._while_wanted(document):
                with INGESTION.timed("whole"):
                    await self._pipeline.run(document)
            DOCUMENTS.add(1, "ready")
        except DocumentGoneError:
            log.info("indexing_dropped", document_id=str(document.id))
        except GenerationSwitchedError:
            log.info("embedding_model_switched", document_id=str(document.id))
            await self._hand_back(document, waiting_for=None, delay=0)
        except (ParsingError, EmbeddingRefusedError, BlobNotFoundError) as error:
            await self._fail(document, error.code, error.message)
        except DatabaseUnavailableError:
            raise
        except (UnavailableError, StorageFullError) as error:
            await self._wait(document, error)

    @asynccontextmanager
    async def _while_wanted(self, document: Document) -> AsyncIterator[None]:
        """Run the block while the document is being processed: what somebody cancels or deletes stops within a second or two.

        Raises:
            DocumentGoneError: It was cancelled, deleted or replaced.
        """
        try:
            async with asyncio.timeout(None) as scope:
                watcher = asyncio.create_task(self._watch(document, scope))
                try:
                    yield
                finally:
                    watcher.cancel()
                    await asyncio.wait([watcher])
        except TimeoutError:
            if not scope.expired():
                raise
            raise DocumentGoneError from None

    async def _watch(self, document: Document, scope: asyncio.Timeout) -> None:
        while True:
            await asyncio.sleep(GLANCE_SECONDS)
            try:
                async with self._uow.of(document.owner_id) as tx:
                    found = await tx.documents.get(document.owner_id, document.id)
            except UnavailableError:
                continue  # The attempt itself will find out.
            if found is None or found.status != "processing" or found.version != document.version:
                scope.reschedule(0)
                return

    async def _fail(self, document: Document, code: str, message: str) -> None:
        """End a document's version. A version that was live before goes on answering."""
        owner_id = document.owner_id
        async with self._uow.of(owner_id) as tx:
            if not await tx.documents.lock(owner_id, document.id, status="processing", version=document.version):
                return  # Deleted, cancelled, replaced, or ended by another attempt.
            await tx.documents.end(owner_id, document.id, code=code, message=message)
            await queue_tidying(tx, document.owner_id, document.id)
        DOCUMENTS.add(1, "failed")
        log.info("document_failed", document_id=str(document.id), code=code)

    async def _wait(self, document: Document, error: UnavailableError | StorageFullError) -> None:
        waited = (now() - document.queued_at).total_seconds()
        delay = min(max(getattr(error, "retry_after_seconds", None) or 5, waited / 10), LONGEST_WAIT_SECONDS)
        log.warning("indexing_waits", document_id=str(document.id), code=error.code, seconds=round(delay))
        await self._hand_back(document, waiting_for=error.message, delay=delay)

    async def _outlast(self, document: Document, error: DatabaseUnavailableError | StorageFullError) -> None:
        """Wait for the database, to tell it that this attempt does not count; give up after a minute, and then it does."""
        for _ in range(DATABASE_SECONDS):
            await asyncio.sleep(1)
            try:
                return await self._hand_back(document, waiting_for=None, delay=0)
            except (DatabaseUnavailableError, StorageFullError):
                log.info("waiting_for_the_database", document_id=str(document.id))
        raise error

    async def _hand_back(self, document: Document, *, waiting_for: str | None, delay: float | None = None) -> None:
        """Return the document to ``pending`` without counting the attempt, and queue it again after ``delay`` seconds.

        One that is not being processed is left alone: what interrupted the attempt may have come after its last commit, or another
        attempt was faster. Once it is ready its lexemes are counted, and a second run would count them twice.
        """
        owner_id = document.owner_id
        async with self._uow.of(owner_id) as tx:
            if not await tx.documents.lock(owner_id, document.id, status="processing", version=document.version):
                return
            await tx.documents.hand_back(owner_id, document.id, waiting_for=waiting_for)
            if delay is not None:
                await tx.jobs.defer(
                    "index_document",
                    lock=str(document.id),
                    at=now() + timedelta(seconds=delay),
                    owner_id=owner_id,
                    document_id=document.id,
                )
