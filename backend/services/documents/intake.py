"""Taking files in: new documents, and new versions of those that are there."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import PurePath
from uuid import UUID

import structlog

from backend.core.clock import now
from backend.core.errors import (
    DocumentEmptyError,
    DocumentNotFoundError,
    DuplicateDocumentError,
    StorageFullError,
    UnavailableError,
)
from backend.core.failpoints import reach
from backend.core.ids import new_id
from backend.core.values.document import Document, Upload
from backend.core.values.idempotency import upload_fingerprint
from backend.db.uow import Transaction, UnitOfWork
from backend.ports.blob_store import BlobStore, StoredBlob
from backend.ports.document_parser import DocumentParser
from backend.services.indexing.purging import BLOB_KEPT, queue_tidying
from backend.services.quotas import Quotas

log = structlog.get_logger(__name__)

HEAD_BYTES = 8192


@dataclass(slots=True)
class Stored:
    """A file that is in the blob store, and that no row names yet. ``named`` says that one may, if a commit was under way."""

    upload: Upload
    media_type: str
    blob: StoredBlob
    named: bool = False

    def values(self) -> dict[str, object]:
        """Return what a document's row says of its file."""
        return {
            "filename": self.upload.filename,
            "media_type": self.media_type,
            "size": self.blob.size,
            "sha256": self.blob.sha256,
            "blob_key": self.blob.key,
        }


class Intake:
    """Stores files and queues their indexing: both or neither."""

    def __init__(self, uow: UnitOfWork, blobs: BlobStore, parser: DocumentParser, *, quotas: Quotas) -> None:
        self._uow = uow
        self._blobs = blobs
        self._parser = parser
        self._quotas = quotas

    async def upload(self, owner_id: UUID, upload: Upload, *, idempotency_key: str | None) -> Document:
        """Store a document.

        The same bytes again after a failure retry the document that failed, with the new file, name and type.

        Raises:
            DocumentTypeError: No parser reads this type, or name and bytes disagree.
            DocumentEmptyError: There are no bytes.
            DuplicateDocumentError: The owner already has these exact bytes; ``details`` names the document.
            QuotaExceededError: The owner's tier has no room for it; nothing was stored.
            StorageFullError: No room; nothing was stored.
        """
        stored = await self._store(upload)
        try:
            await reach("upload.stored")
            try:
                document = await self._add(owner_id, stored, idempotency_key)
            except DuplicateDocumentError:
                document = await self._retry_failed(owner_id, stored, idempotency_key)
        except BaseException:
            await asyncio.shield(self._take_back(owner_id, stored))
            raise
        await reach("upload.accepted")
        return document

    async def replace(self, owner_id: UUID, document_id: UUID, upload: Upload, *, idempotency_key: str | None) -> Document:
        """Store a new version of a document. The version before it answers until the new one is ready, and if it fails.

        The bytes that the document has already change nothing, or retry it where they failed.

        Raises:
            DocumentNotFoundError: The caller has no such document.
            DuplicateDocumentError: Another document of the owner has these exact bytes; ``details`` names it.
            DocumentTypeError, DocumentEmptyError, QuotaExceededError, StorageFullError: As at the upload; nothing was changed.
        """
        stored = await self._store(upload)
        try:
            await reach("upload.stored")
            document = await self._replace(owner_id, document_id, stored, idempotency_key)
        except BaseException:
            await asyncio.shield(self._take_back(owner_id, stored))
            raise
        if document.blob_key != stored.blob.key:
            await self._discard(stored.blob.key)
        await reach("upload.accepted")
        return document

    async def _store(self, upload: Upload) -> Stored:
        head, pieces = await _peek(upload.pieces)
        if not head:
            raise DocumentEmptyError
        media_type = self._parser.media_type(upload.filename, head)
        return Stored(upload, media_type, await self._blobs.put(pieces))  # Hashed and counted while it streams.

    async def _add(self, owner_id: UUID, stored: Stored, key: str | None) -> Document:
        upload = stored.upload
        async with self._uow.of(owner_id) as tx:
            await tx.usage.hold(owner_id)
            await self._quotas.check_room(tx, owner_id, stored.blob.size)
            title = upload.title or PurePath(upload.filename).stem or upload.filename
            document = await tx.documents.add(owner_id, id=new_id(), title=title, **stored.values())
            await queue(tx, "index_document", document)
            await _finish(tx, key, document, stored)
        return document

    async def _retry_failed(self, owner_id: UUID, stored: Stored, key: str | None) -> Document:
        """The failure may have been that the old file was lost, or read as the wrong type: the new one takes its place."""
        async with self._uow.of(owner_id) as tx:
            await tx.usage.hold(owner_id)
            document = await tx.documents.by_sha256(owner_id, stored.blob.sha256)
            if document is None or document.status != "failed":
                raise DuplicateDocumentError(document_id=None if document is None else str(document.id))
            retried = await self._take(tx, document, stored, version=document.version)
            await _finish(tx, key, retried, stored)
        return retried

    async def _replace(self, owner_id: UUID, document_id: UUID, stored: Stored, key: str | None) -> Document:
        async with self._uow.of(owner_id) as tx:
            await tx.usage.hold(owner_id)
            document = existing(await tx.documents.get(owner_id, document_id, hold=True))
            twin = await tx.documents.by_sha256(owner_id, stored.blob.sha256)
            if twin is not None and twin.id != document_id:
                raise DuplicateDocumentError(document_id=str(twin.id))
            if twin is None:
                await self._quotas.check_room(tx, owner_id, stored.blob.size, replacing=document.size)
                document = await self._take(tx, document, stored, version=document.version + 1)
            elif document.status == "failed" or document.file_lost:
                document = await self._take(tx, document, stored, version=document.version)
            await _finish(tx, key, document, stored)
        return document

    async def _take(self, tx: Transaction, document: Document, stored: Stored, *, version: int) -> Document:
        """Let a document have this file instead of its present one, which stays for an hour, for backups that are running."""
        owner_id = document.owner_id
        at = now() + BLOB_KEPT
        await tx.jobs.defer("discard_file", at=at, owner_id=owner_id, blob_key=document.blob_key)
        title = stored.upload.title or document.title
        values = {**stored.values(), "title": title, "version": version, "file_lost": False}
        if version == document.live_version:
            # It was read before, and only its file was lost: nothing has to be read again.
            return existing(await tx.documents.update(owner_id, document.id, **values))
        if document.version != document.live_version:
            # It never answered, so no citation points into its text.
            await tx.texts.delete(owner_id, document.id, document.version)
            await queue(tx, "tidy_document", document)
        await queue(tx, "index_document", document)
        return existing(await tx.documents.queue_again(owner_id, document.id, **values))

    async def _take_back(self, owner_id: UUID, stored: Stored) -> None:
        """Remove a file whose row was not written. The answer to a commit may get lost where the commit does not: then it stays."""
        if not stored.named or not await self._names(owner_id, stored.blob.key):
            await self._discard(stored.blob.key)

    async def _names(self, owner_id: UUID, key: str) -> bool:
        """Return whether a row names a file, or whether that cannot be known now."""
        try:
            async with self._uow.of(owner_id) as tx:
                await tx.usage.hold(owner_id)  # A commit that is still under way is waited for.
                return await tx.documents.names_file(owner_id, key)
        except (UnavailableError, StorageFullError) as error:
            log.warning("blob_left_behind", key=key, code=error.code)
            return True

    async def _discard(self, key: str) -> None:
        try:
            await self._blobs.delete(key)
        except UnavailableError as error:
            log.warning("blob_left_behind", key=key, code=error.code)


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


async def queue(tx: Transaction, task: str, document: Document) -> None:
    """Queue a job of a document that somebody asked for; those of one document run one after the other.

    What waits for its time, after an outage, does not hold it back.
    """
    await tx.jobs.hasten(str(document.id))
    if task == "tidy_document":
        await queue_tidying(tx, document.owner_id, document.id)
    else:
        await tx.jobs.defer(task, lock=str(document.id), owner_id=document.owner_id, document_id=document.id)


async def _finish(tx: Transaction, key: str | None, document: Document, stored: Stored) -> None:
    """Note under the request's key which document it made, as the last thing in the transaction that makes it."""
    if key is not None:
        fingerprint = upload_fingerprint(stored.upload.filename, stored.upload.title, document.sha256)
        await tx.idempotency.finish(document.owner_id, key, status=202, subject_id=document.id, fingerprint=fingerprint)
    stored.named = True


def existing(document: Document | None) -> Document:
    """Return the document, for one that is missing is an error everywhere."""
    if document is None:
        raise DocumentNotFoundError
    return document
