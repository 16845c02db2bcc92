"""Documents: in, listed, read, and out again."""

from collections.abc import AsyncIterator
from pathlib import PurePath
from uuid import UUID

import structlog

from backend.core.errors import DocumentEmptyError, DocumentNotFoundError, DuplicateDocumentError, UnavailableError
from backend.core.ids import new_id
from backend.core.values.document import Document, Upload
from backend.core.values.idempotency import upload_fingerprint
from backend.core.values.page import Cursor, Page
from backend.core.values.user import EVERYTHING, Reach
from backend.db.uow import Transaction, UnitOfWork
from backend.ports.blob_store import BlobStore, StoredBlob
from backend.ports.document_parser import DocumentParser
from backend.ports.vector_index import VectorIndex
from backend.services.indexing.indexer import Indexer
from backend.services.indexing.purging import Purger
from backend.services.quotas import Quotas

log = structlog.get_logger(__name__)

HEAD_BYTES = 8192


class DocumentService:
    """Owns the life of a document. Somebody else's is missing, here as everywhere."""

    def __init__(
        self, uow: UnitOfWork, blobs: BlobStore, parser: DocumentParser, index: VectorIndex, indexer: Indexer, *, quotas: Quotas
    ) -> None:
        self._uow = uow
        self._blobs = blobs
        self._parser = parser
        self._indexer = indexer
        self._quotas = quotas
        self._purger = Purger(uow, blobs, index)

    async def upload(self, owner_id: UUID, upload: Upload, *, idempotency_key: str | None = None) -> Document:
        """Store a document and queue its indexing: both or neither.

        The same bytes again after a failure retry the document that failed, with the new file, name and type.

        Raises:
            DocumentTypeError: No parser reads this type, or name and bytes disagree.
            DocumentEmptyError: There are no bytes.
            DuplicateDocumentError: The owner already has these exact bytes; ``details`` names the document.
            QuotaExceededError: The owner's tier has no room for it; nothing was stored.
            StorageFullError: No room; nothing was stored.
        """
        head, pieces = await _peek(upload.pieces)
        if not head:
            raise DocumentEmptyError
        media_type = self._parser.media_type(upload.filename, head)
        blob = await self._blobs.put(pieces)  # Hashed and counted while it streams.
        try:
            document, replaced = await self._accept(owner_id, upload, blob, media_type, idempotency_key)
        except BaseException:
            await self._discard(blob.key)
            raise
        if replaced is not None:
            await self._discard(replaced)
        return document

    async def _accept(
        self, owner_id: UUID, upload: Upload, blob: StoredBlob, media_type: str, key: str | None
    ) -> tuple[Document, str | None]:
        """Return the document, and the key of the blob that it needs no longer."""
        try:
            return await self._add(owner_id, upload, blob, media_type, key), None
        except DuplicateDocumentError:
            return await self._retry_failed(owner_id, upload, blob, media_type, key)

    async def _add(self, owner_id: UUID, upload: Upload, blob: StoredBlob, media_type: str, key: str | None) -> Document:
        async with self._uow.of(owner_id) as tx:
            await self._quotas.check_room(tx, owner_id, blob.size)
            document = await tx.documents.add(
                owner_id,
                id=new_id(),
                title=upload.title or PurePath(upload.filename).stem or upload.filename,
                filename=upload.filename,
                media_type=media_type,
                size=blob.size,
                sha256=blob.sha256,
                blob_key=blob.key,
            )
            await _queue(tx, "index_document", document)
            await _finish(tx, key, document, upload)
        return document

    async def _retry_failed(
        self, owner_id: UUID, upload: Upload, blob: StoredBlob, media_type: str, key: str | None
    ) -> tuple[Document, str]:
        """The failure may have been that the old file was lost, or read as the wrong type: the new one takes its place."""
        async with self._uow.of(owner_id) as tx:
            document = await tx.documents.by_sha256(owner_id, blob.sha256)
            if document is None or document.status != "failed":
                raise DuplicateDocumentError(document_id=None if document is None else str(document.id))
            retried = await tx.documents.update(
                owner_id,
                document.id,
                title=upload.title or document.title,
                filename=upload.filename,
                media_type=media_type,
                blob_key=blob.key,
                status="pending",
                attempts=0,
                error_code=None,
                error_message=None,
            )
            await _queue(tx, "index_document", document)
            await _finish(tx, key, document, upload)
        return _existing(retried), document.blob_key

    async def _discard(self, key: str) -> None:
        try:
            await self._blobs.delete(key)
        except UnavailableError as error:
            log.warning("blob_left_behind", key=key, code=error.code)

    async def page(self, owner_id: UUID, *, limit: int, after: Cursor | None, reach: Reach = EVERYTHING) -> Page[Document]:
        """Return the documents within reach, newest first."""
        async with self._uow.of(owner_id) as tx:
            return await tx.documents.page(owner_id, limit=limit, after=after, within=reach.document_ids)

    async def get(self, owner_id: UUID, document_id: UUID) -> Document:
        """Return one document.

        Raises:
            DocumentNotFoundError: The caller has no such document.
        """
        async with self._uow.of(owner_id) as tx:
            return _existing(await tx.documents.get(owner_id, document_id))

    async def rename(self, owner_id: UUID, document_id: UUID, title: str) -> Document:
        """Change a document's title.

        Raises:
            DocumentNotFoundError: The caller has no such document.
        """
        async with self._uow.of(owner_id) as tx:
            return _existing(await tx.documents.rename(owner_id, document_id, title))

    async def text(self, owner_id: UUID, document_id: UUID, *, start: int, end: int) -> tuple[str, int]:
        """Return the canonical text at [start:end] in code points, and the length of the whole.

        Raises:
            DocumentNotFoundError: The caller has no such document, or its text has not been read yet.
        """
        async with self._uow.of(owner_id) as tx:
            _existing(await tx.documents.get(owner_id, document_id))
            found = await tx.texts.slice(owner_id, document_id, start=start, end=end)
        if found is None:
            raise DocumentNotFoundError
        return found

    async def file(self, owner_id: UUID, document_id: UUID) -> tuple[Document, AsyncIterator[bytes]]:
        """Return a document and its original bytes.

        Raises:
            DocumentNotFoundError: The caller has no such document.
        """
        document = await self.get(owner_id, document_id)
        return document, self._blobs.open(document.blob_key)

    async def delete(self, owner_id: UUID, document_id: UUID) -> None:
        """Make a document disappear at once; a job removes what it consists of.

        Raises:
            DocumentNotFoundError: The caller has no such document.
        """
        async with self._uow.of(owner_id) as tx:
            document = _existing(await tx.documents.get(owner_id, document_id))
            await tx.documents.mark_deleted(owner_id, document_id)
            await _queue(tx, "purge_document", document)

    # --- jobs ---------------------------------------------------------------------------------------------------------
    async def index(self, owner_id: UUID, document_id: UUID) -> None:
        """Make one attempt at indexing; see ``Indexer.index``."""
        await self._indexer.index(owner_id, document_id)

    async def confirm(self, owner_id: UUID, document_id: UUID) -> None:
        """Give the vector index what it lacks of a document; see ``IndexingPipeline.confirm``."""
        await self._indexer.confirm(owner_id, document_id)

    async def purge(self, owner_id: UUID, document_id: UUID) -> None:
        """Remove what a deleted document was made into; see ``Purger.purge``."""
        await self._purger.purge(owner_id, document_id)

    async def purge_file(self, owner_id: UUID, document_id: UUID) -> None:
        """Remove a deleted document's file and row; see ``Purger.purge_file``."""
        await self._purger.purge_file(owner_id, document_id)


async def _peek(pieces: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    """Return the first bytes, and an iterator over all bytes."""
    taken: list[bytes] = []
    async for piece in pieces:
        taken.append(piece)
        if sum(map(len, taken)) >= HEAD_BYTES:
            break

    async def everything() -> AsyncIterator[bytes]:
        for piece in taken:
            yield piece
        async for piece in pieces:
            yield piece

    return b"".join(taken)[:HEAD_BYTES], everything()


async def _queue(tx: Transaction, task: str, document: Document) -> None:
    """Queue a job of a document; those of one document run one after the other."""
    await tx.jobs.defer(task, lock=str(document.id), owner_id=document.owner_id, document_id=document.id)


async def _finish(tx: Transaction, key: str | None, document: Document, upload: Upload) -> None:
    """Note under the request's key which document it made, in the transaction that makes it."""
    if key is not None:
        fingerprint = upload_fingerprint(upload.filename, upload.title, document.sha256)
        await tx.idempotency.finish(document.owner_id, key, status=202, subject_id=document.id, fingerprint=fingerprint)


def _existing(document: Document | None) -> Document:
    if document is None:
        raise DocumentNotFoundError
    return document
