"""Documents: listed, read, renamed, tried again and deleted."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from backend.core.errors import BlobNotFoundError, DocumentNotFoundError, DocumentStateError
from backend.core.values.document import UNFINISHED, Document, DocumentStatus, Excerpt, Upload
from backend.core.values.page import Cursor, Page
from backend.core.values.user import EVERYTHING, Reach
from backend.db.uow import UnitOfWork
from backend.ports.blob_store import BlobStore
from backend.ports.document_parser import DocumentParser, PageSpan
from backend.services.documents.intake import Intake, existing, queue
from backend.services.indexing.indexer import Indexer
from backend.services.indexing.pipeline import IndexingPipeline
from backend.services.indexing.purging import Purger
from backend.services.quotas import Quotas

GLANCE_SECONDS = 0.5
"""How often somebody who watches a document is told what is new."""


class DocumentService:
    """Owns the life of a document. Somebody else's is missing, here as everywhere."""

    def __init__(
        self,
        uow: UnitOfWork,
        blobs: BlobStore,
        parser: DocumentParser,
        pipeline: IndexingPipeline,
        purger: Purger,
        *,
        quotas: Quotas,
    ) -> None:
        self._uow = uow
        self._blobs = blobs
        self._indexer = Indexer(uow, pipeline)
        self._pipeline = pipeline
        self._purger = purger
        self._intake = Intake(uow, blobs, parser, quotas=quotas)

    async def upload(self, owner_id: UUID, upload: Upload, *, idempotency_key: str | None = None) -> Document:
        """Store a document and queue its indexing: both or neither; see ``Intake.upload``."""
        return await self._intake.upload(owner_id, upload, idempotency_key=idempotency_key)

    async def replace(self, owner_id: UUID, document_id: UUID, upload: Upload, *, idempotency_key: str | None = None) -> Document:
        """Store a new version of a document and queue its indexing: both or neither; see ``Intake.replace``."""
        return await self._intake.replace(owner_id, document_id, upload, idempotency_key=idempotency_key)

    async def page(
        self,
        owner_id: UUID,
        *,
        limit: int,
        after: Cursor | None,
        search: str | None = None,
        statuses: Sequence[DocumentStatus] | None = None,
        reach: Reach = EVERYTHING,
    ) -> Page[Document]:
        """Return the documents within reach, newest first; ``search`` looks into titles and filenames, without case."""
        named = None if search is None else unicodedata.normalize("NFC", search).strip()
        async with self._uow.of(owner_id) as tx:
            return await tx.documents.page(
                owner_id, limit=limit, after=after, within=reach.document_ids, named=named, statuses=statuses
            )

    async def get(self, owner_id: UUID, document_id: UUID) -> Document:
        """Return one document.

        Raises:
            DocumentNotFoundError: The caller has no such document.
        """
        async with self._uow.of(owner_id) as tx:
            return existing(await tx.documents.get(owner_id, document_id))

    async def rename(self, owner_id: UUID, document_id: UUID, title: str) -> Document:
        """Change a document's title.

        Raises:
            DocumentNotFoundError: The caller has no such document.
        """
        async with self._uow.of(owner_id) as tx:
            return existing(await tx.documents.rename(owner_id, document_id, title))

    async def text(
        self, owner_id: UUID, document_id: UUID, *, start: int, end: int, version: int | None = None
    ) -> tuple[str, int, int]:
        """Return the canonical text at [start:end] in code points, the length of the whole, and the version that was read.

        Without a version it is the one that answers, or the newest while none does.

        Raises:
            DocumentNotFoundError: The caller has no such document or version, or its text has not been read yet.
        """
        async with self._uow.of(owner_id) as tx:
            document = existing(await tx.documents.get(owner_id, document_id))
            version = version or document.live_version or document.version
            found = await tx.texts.slice(owner_id, document_id, version, start=start, end=end)
        if found is None:
            raise DocumentNotFoundError
        return *found, version

    async def excerpt(
        self, owner_id: UUID, document_id: UUID, *, start: int, end: int, context: int = 0, version: int | None = None
    ) -> Excerpt:
        """Return the canonical text at [start:end], and so many code points before and after it as there are up to ``context``.

        Raises:
            DocumentNotFoundError: As for ``text``.
        """
        first = max(start - context, 0)
        found, length, version = await self.text(owner_id, document_id, start=first, end=end + context, version=version)
        before, text, after = found[: start - first], found[start - first : end - first], found[end - first :]
        return Excerpt(before, text, after, start, start + len(text), length, version)

    async def pages(self, owner_id: UUID, document_id: UUID, *, version: int | None = None) -> tuple[Sequence[PageSpan], int]:
        """Return where the pages of the text are, none if it has none, and the version that was looked at: as ``text`` has it.

        Raises:
            DocumentNotFoundError: As for ``text``.
        """
        async with self._uow.of(owner_id) as tx:
            document = existing(await tx.documents.get(owner_id, document_id))
            version = version or document.live_version or document.version
            found = await tx.texts.pages(owner_id, document_id, version)
        if found is None:
            raise DocumentNotFoundError
        return found, version

    async def file(self, owner_id: UUID, document_id: UUID) -> tuple[Document, AsyncIterator[bytes]]:
        """Return a document and its original bytes.

        Raises:
            DocumentNotFoundError: The caller has no such document.
            BlobNotFoundError: Its file is lost, though not what was read from it.
        """
        document = await self.get(owner_id, document_id)
        if document.file_lost:
            raise BlobNotFoundError
        return document, self._blobs.open(document.blob_key)

    async def watch(self, owner_id: UUID, document_id: UUID) -> AsyncIterator[Document]:
        """Yield a document now, and again whenever it has changed, until its indexing has ended or it is deleted.

        Raises:
            DocumentNotFoundError: At the first step, if the caller has no such document.
        """
        seen = await self.get(owner_id, document_id)
        yield seen
        while seen.status in UNFINISHED:
            await asyncio.sleep(GLANCE_SECONDS)
            async with self._uow.of(owner_id) as tx:
                found = await tx.documents.get(owner_id, document_id)
            if found is None:
                return
            if found != seen:
                seen = found
                yield seen

    async def retry(self, owner_id: UUID, document_id: UUID) -> Document:
        """Queue a failed document's indexing again, with all its attempts before it.

        Raises:
            DocumentNotFoundError: The caller has no such document.
            DocumentStateError: It has not failed.
        """
        async with self._uow.of(owner_id) as tx:
            document = existing(await tx.documents.get(owner_id, document_id))
            if not await tx.documents.lock(owner_id, document_id, status="failed"):
                raise DocumentStateError("Only a document that failed can be tried again.")
            await queue(tx, "index_document", document)
            return existing(await tx.documents.queue_again(owner_id, document_id))

    async def cancel(self, owner_id: UUID, document_id: UUID) -> Document:
        """End the indexing of a document: it is ``failed`` with the code ``cancelled``, and the work stops within seconds.

        A version that was live before goes on answering.

        Raises:
            DocumentNotFoundError: The caller has no such document.
            DocumentStateError: Its indexing has ended already.
        """
        async with self._uow.of(owner_id) as tx:
            document = existing(await tx.documents.get(owner_id, document_id))
            if not any([await tx.documents.lock(owner_id, document_id, status=status) for status in sorted(UNFINISHED)]):
                raise DocumentStateError("This document is not being indexed any more.")
            await queue(tx, "tidy_document", document)
            cancelled = await tx.documents.end(owner_id, document_id, code="cancelled", message="Indexing was cancelled.")
            return existing(cancelled)

    async def delete(self, owner_id: UUID, document_id: UUID) -> None:
        """Make a document disappear at once; a job removes what it consists of.

        Raises:
            DocumentNotFoundError: The caller has no such document.
        """
        async with self._uow.of(owner_id) as tx:
            document = existing(await tx.documents.get(owner_id, document_id))
            await tx.documents.mark_deleted(owner_id, document_id)
            await queue(tx, "purge_document", document)

    # --- jobs ---------------------------------------------------------------------------------------------------------
    async def index(self, owner_id: UUID, document_id: UUID) -> None:
        """Make one attempt at indexing; see ``Indexer.index``."""
        await self._indexer.index(owner_id, document_id)

    async def confirm(self, owner_id: UUID, document_id: UUID) -> None:
        """Give the vector index what it lacks of a document; see ``IndexingPipeline.confirm``."""
        await self._pipeline.confirm(owner_id, document_id)

    async def tidy(self, owner_id: UUID, document_id: UUID) -> None:
        """Remove what is left of versions that nobody needs; see ``Purger.tidy``."""
        await self._purger.tidy(owner_id, document_id)

    async def discard_file(self, owner_id: UUID, blob_key: str) -> None:
        """Remove a file that a newer one took the place of; see ``Purger.discard_file``."""
        await self._purger.discard_file(owner_id, blob_key)

    async def purge(self, owner_id: UUID, document_id: UUID) -> None:
        """Remove what a deleted document was made into; see ``Purger.purge``."""
        await self._purger.purge(owner_id, document_id)

    async def purge_file(self, owner_id: UUID, document_id: UUID) -> None:
        """Remove a deleted document's file and row; see ``Purger.purge_file``."""
        await self._purger.purge_file(owner_id, document_id)
