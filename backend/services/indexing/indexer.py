"""Attempts at indexing, and how each of them may end."""

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog

from backend.core.clock import now
from backend.core.errors import BlobNotFoundError, EmbeddingRefusedError, ParsingError, UnavailableError
from backend.core.values.document import Document
from backend.db.uow import UnitOfWork
from backend.ports.vector_index import VectorIndex
from backend.services.indexing.forgetting import forget
from backend.services.indexing.pipeline import DocumentGoneError, IndexingPipeline

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 3
LONGEST_WAIT_SECONDS = 300
GAVE_UP = "Reading this file failed three times, so it was given up. Try another copy or format of it."


class Indexer:
    """Takes a pending document to ``ready`` or ``failed``. One attempt at a time for a document: its job holds a lock."""

    def __init__(self, uow: UnitOfWork, index: VectorIndex, pipeline: IndexingPipeline) -> None:
        self._uow = uow
        self._index = index
        self._pipeline = pipeline

    async def index(self, owner_id: UUID, document_id: UUID) -> None:
        """Make one attempt. A document that is gone or has ended is left alone.

        A document that cannot be read ends ``failed`` with a reason. An outage is not the document's fault: it goes back to
        ``pending``, says what it waits for, and is queued again, without the attempt being counted. Any other exception is a
        defect of ours: it passes through after it was counted, and the third one ends the document.
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
        except UnavailableError:
            # The database itself: it could not be told that the attempt does not count, nor could a failure.
            raise
        except Exception:
            if document.attempts >= MOST_ATTEMPTS:
                await self._fail(document, "indexing_failed", GAVE_UP)
            raise

    async def confirm(self, owner_id: UUID, document_id: UUID) -> None:
        """Give the index what it lacks of a document's vectors; see ``IndexingPipeline.confirm``."""
        await self._pipeline.confirm(owner_id, document_id)

    async def _run(self, document: Document) -> None:
        try:
            await self._pipeline.run(document)
        except DocumentGoneError:
            log.info("indexing_dropped", document_id=str(document.id))
        except (ParsingError, EmbeddingRefusedError, BlobNotFoundError) as error:
            await self._fail(document, error.code, error.message)
        except UnavailableError as error:
            await self._wait(document, error)

    async def _fail(self, document: Document, code: str, message: str) -> None:
        """End a document, and drop what its attempts have stored of it."""
        owner_id = document.owner_id
        async with self._uow.of(owner_id) as tx:
            if not await tx.documents.lock(owner_id, document.id, status="processing"):
                return  # Deleted, or ended by another attempt.
            collections = [generation.collection for generation in await tx.generations.of_owner(owner_id)]
            ids = list(await tx.chunks.ids_of(owner_id, document.id))
            await tx.chunks.delete(owner_id, document.id)
            await tx.texts.delete(owner_id, document.id)
            await tx.documents.update(
                owner_id,
                document.id,
                status="failed",
                error_code=code,
                error_message=message,
                progress_done=0,
                progress_total=0,
                chunks=0,
            )
        log.info("document_failed", document_id=str(document.id), code=code)
        await forget(self._index, collections, ids)

    async def _wait(self, document: Document, error: UnavailableError) -> None:
        waited = (now() - document.created_at).total_seconds()
        delay = min(max(error.retry_after_seconds or 5, waited / 10), LONGEST_WAIT_SECONDS)
        log.warning("indexing_waits", document_id=str(document.id), code=error.code, seconds=round(delay))
        await self._hand_back(document, waiting_for=error.message, delay=delay)

    async def _hand_back(self, document: Document, *, waiting_for: str | None, delay: float | None = None) -> None:
        """Return the document to ``pending`` without counting the attempt, and queue it again after ``delay`` seconds.

        One that is not being processed is left alone: what interrupted the attempt may have come after its last commit, or another
        attempt was faster. Once it is ready its lexemes are counted, and a second run would count them twice.
        """
        owner_id = document.owner_id
        async with self._uow.of(owner_id) as tx:
            if not await tx.documents.lock(owner_id, document.id, status="processing"):
                return
            await tx.documents.update(
                owner_id, document.id, status="pending", attempts=document.attempts - 1, waiting_for=waiting_for
            )
            if delay is not None:
                await tx.jobs.defer(
                    "index_document",
                    lock=str(document.id),
                    at=now() + timedelta(seconds=delay),
                    owner_id=owner_id,
                    document_id=document.id,
                )
