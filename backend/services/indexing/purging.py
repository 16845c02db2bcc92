"""Deleted means deleted: in PostgreSQL, in the vector index, and in the blob store."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from backend.core.clock import now
from backend.core.errors import VectorIndexBrokenError
from backend.core.failpoints import reach
from backend.db.repositories.generations import Generation
from backend.db.uow import Transaction, UnitOfWork
from backend.ports.blob_store import BlobStore
from backend.ports.vector_index import VectorIndex

log = structlog.get_logger(__name__)

BLOB_KEPT = timedelta(hours=1)
"""How long a deleted file's bytes stay, for backups that are running."""


AFTER_INDEXING = -1
"""A priority. What waits for the index to come back must not hold back the next version of its document: they share a lock."""


async def queue_tidying(tx: Transaction, owner_id: UUID, document_id: UUID) -> None:
    """Queue the removal of what is left of a document's versions that nobody needs."""
    await tx.jobs.defer("tidy_document", lock=str(document_id), priority=AFTER_INDEXING, owner_id=owner_id, document_id=document_id)


class Purger:
    """Removes what is left of documents that are marked as deleted. Each step may be run again at any time."""

    def __init__(self, uow: UnitOfWork, blobs: BlobStore, index: VectorIndex) -> None:
        self._uow = uow
        self._blobs = blobs
        self._index = index

    async def tidy(self, owner_id: UUID, document_id: UUID) -> None:
        """Remove what is left of a document's versions that neither answer nor are being indexed: vectors, chunks and texts.

        Texts of versions that answered once stay, for old citations point into them.

        Raises:
            VectorIndexUnavailableError: The vectors could not be removed; their chunks stay as well, and the job comes again.
        """
        while not await self._tidied(owner_id, document_id):
            log.info("collection_moved_meanwhile", document_id=str(document_id))

    async def _tidied(self, owner_id: UUID, document_id: UUID) -> bool:
        async with self._uow.of(owner_id) as tx:
            generations = await tx.generations.of_owner(owner_id)
            ids = await tx.chunks.dead_ids(owner_id, document_id)
        await self._remove_vectors(owner_id, generations, ids)
        await reach("tidy.vectors_removed")
        async with self._uow.of(owner_id) as tx:
            document = await tx.documents.get(owner_id, document_id, hold=True)  # First, in the order of everybody.
            if await self._have_moved(tx, owner_id, generations):
                return False
            if document is not None:
                # A retry may have begun meanwhile, where this worker was taken for dead: then they are wanted again.
                dead = set(await tx.chunks.dead_ids(owner_id, document_id))
                await tx.chunks.delete(owner_id, document_id, [one for one in ids if one in dead])
                if document.status == "failed" and document.version != document.live_version:
                    await tx.texts.delete(owner_id, document_id, document.version)
        return True

    async def purge(self, owner_id: UUID, document_id: UUID) -> None:
        """Remove a deleted document's vectors, chunks and text, and queue the removal of its file.

        Raises:
            VectorIndexUnavailableError: Its vectors could not be removed; its chunks stay as well, and the job comes again.
        """
        while not await self._purged(owner_id, document_id):
            log.info("collection_moved_meanwhile", document_id=str(document_id))

    async def _purged(self, owner_id: UUID, document_id: UUID) -> bool:
        async with self._uow.of(owner_id) as tx:
            if await tx.documents.deleted(owner_id, document_id) is None:
                return True
            generations = await tx.generations.of_owner(owner_id)
            ids = list(await tx.chunks.ids_of(owner_id, document_id))
        await self._remove_vectors(owner_id, generations, ids)
        await reach("purge.vectors_removed")
        async with self._uow.of(owner_id) as tx:
            document = await tx.documents.deleted(owner_id, document_id)
            if document is None:
                return True
            if await self._have_moved(tx, owner_id, generations):
                return False
            if document.live_version is not None:
                await tx.lexicon.remove_document(owner_id, document_id, document.live_version)
            await tx.chunks.delete(owner_id, document_id)
            await tx.texts.delete(owner_id, document_id)
            for task in ("confirm_vectors", "tidy_document"):
                # There is nothing left to do for them, and they would wait behind the next job for as long as that does.
                await tx.jobs.withdraw(task, document_id=document_id)
            at = now() + BLOB_KEPT
            await tx.jobs.defer("purge_file", lock=str(document_id), at=at, owner_id=owner_id, document_id=document_id)
        await reach("purge.rows_removed")
        return True

    async def _have_moved(self, tx: Transaction, owner_id: UUID, generations: Sequence[Generation]) -> bool:
        """Return whether a collection was rebuilt meanwhile, with the vectors that were removed from the old one.

        Held until the commit: a rebuild that finishes afterwards finds the chunks gone, and leaves their vectors out itself.
        """
        present = await tx.generations.of_owner(owner_id, hold=True)
        return not {found.collection for found in present} <= {found.collection for found in generations}

    async def _remove_vectors(self, owner_id: UUID, generations: Sequence[Generation], ids: Sequence[UUID]) -> None:
        if not ids:
            return
        async with self._uow.of(owner_id) as tx:
            await tx.vectors.withdraw(owner_id, ids)  # Should some of them be wanted again, they are offered again.
        for generation in generations:
            await self._remove(owner_id, generation, ids)

    async def _remove(self, owner_id: UUID, generation: Generation, ids: Sequence[UUID]) -> None:
        try:
            await self._index.delete(generation.collection, ids)
            async with self._uow.of(owner_id) as tx:
                await tx.generations.count_removed(owner_id, generation.id, len(ids))
        except VectorIndexBrokenError as error:
            # Nothing can be taken out of it, so it goes as a whole. Exact search answers until it is filled again from PostgreSQL.
            log.warning("vector_index_dropped", code=error.code, collection=generation.collection)
            async with self._uow.of(owner_id) as tx:
                await tx.generations.lock(owner_id)
                await tx.vectors.unconfirm(owner_id, generation.id)
            await self._index.drop(generation.collection)

    async def purge_file(self, owner_id: UUID, document_id: UUID) -> None:
        """Remove a deleted document's file, and then the last trace of it, its row."""
        async with self._uow.of(owner_id) as tx:
            document = await tx.documents.deleted(owner_id, document_id)
        if document is None:
            return
        await self._blobs.delete(document.blob_key)
        await reach("purge.file_removed")
        async with self._uow.of(owner_id) as tx:
            await tx.documents.remove(owner_id, document_id)

    async def discard_file(self, owner_id: UUID, blob_key: str) -> None:
        """Remove a file that a newer one took the place of, unless a document names it again."""
        async with self._uow.of(owner_id) as tx:
            if await tx.documents.names_file(owner_id, blob_key):
                return
        await self._blobs.delete(blob_key)
