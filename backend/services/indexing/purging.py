"""Deleted means deleted: in PostgreSQL, in the vector index, and in the blob store."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from backend.core.clock import now
from backend.core.errors import VectorIndexBrokenError
from backend.db.repositories.generations import Generation
from backend.db.uow import UnitOfWork
from backend.ports.blob_store import BlobStore
from backend.ports.vector_index import VectorIndex

log = structlog.get_logger(__name__)

BLOB_KEPT = timedelta(hours=1)
"""How long a deleted file's bytes stay, for backups that are running."""


class Purger:
    """Removes what is left of documents that are marked as deleted. Each step may be run again at any time."""

    def __init__(self, uow: UnitOfWork, blobs: BlobStore, index: VectorIndex) -> None:
        self._uow = uow
        self._blobs = blobs
        self._index = index

    async def purge(self, owner_id: UUID, document_id: UUID) -> None:
        """Remove a deleted document's vectors, chunks and text, and queue the removal of its file.

        Raises:
            VectorIndexUnavailableError: Its vectors could not be removed; its chunks stay as well, and the job comes again.
        """
        async with self._uow.of(owner_id) as tx:
            if await tx.documents.deleted(owner_id, document_id) is None:
                return
            generations = await tx.generations.of_owner(owner_id)
            ids = list(await tx.chunks.ids_of(owner_id, document_id))
        for generation in generations if ids else ():
            await self._remove_vectors(owner_id, generation, ids)
        async with self._uow.of(owner_id) as tx:
            document = await tx.documents.deleted(owner_id, document_id)
            if document is None:
                return
            if document.status == "ready":
                await tx.lexicon.remove_document(owner_id, document_id)
            await tx.chunks.delete(owner_id, document_id)
            await tx.texts.delete(owner_id, document_id)
            at = now() + BLOB_KEPT
            await tx.jobs.defer("purge_file", lock=str(document_id), at=at, owner_id=owner_id, document_id=document_id)

    async def _remove_vectors(self, owner_id: UUID, generation: Generation, ids: Sequence[UUID]) -> None:
        try:
            await self._index.delete(generation.collection, ids)
        except VectorIndexBrokenError as error:
            # Nothing can be taken out of it, so it goes as a whole. Exact search answers until it is filled again from PostgreSQL.
            log.warning("vector_index_dropped", code=error.code, collection=generation.collection)
            async with self._uow.of(owner_id) as tx:
                await tx.vectors.unconfirm(owner_id, generation.id)
            await self._index.drop(generation.collection)

    async def purge_file(self, owner_id: UUID, document_id: UUID) -> None:
        """Remove a deleted document's file, and then the last trace of it, its row."""
        async with self._uow.of(owner_id) as tx:
            document = await tx.documents.deleted(owner_id, document_id)
        if document is None:
            return
        await self._blobs.delete(document.blob_key)
        async with self._uow.of(owner_id) as tx:
            await tx.documents.remove(owner_id, document_id)
