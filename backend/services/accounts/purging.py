"""Removing what a deleted account leaves behind."""

from datetime import timedelta
from uuid import UUID

from backend.core.clock import now
from backend.db.uow import UnitOfWork
from backend.ports.blob_store import BlobStore
from backend.ports.vector_index import VectorIndex

FILES_AT_ONCE = 500
FILES_KEPT = timedelta(hours=1)
"""How long files stay, for backups that are running; whatever a job was still writing meanwhile is found by the second pass."""


class AccountPurger:
    """Removes vectors, rows and files in two passes. Again from any point gives the same result."""

    def __init__(self, uow: UnitOfWork, blobs: BlobStore, index: VectorIndex) -> None:
        self._uow = uow
        self._blobs = blobs
        self._index = index

    async def purge(self, owner_id: UUID) -> None:
        """Remove the vectors, texts and conversations of a deleted account, and queue the removal of its files.

        Raises:
            VectorIndexUnavailableError: The index is away; the job comes again.
        """
        await self._drop_collections(owner_id)
        async with self._uow.system() as tx:
            if await tx.leftovers.clear(owner_id):
                await tx.jobs.defer("purge_account_files", lock=str(owner_id), at=now() + FILES_KEPT, owner_id=owner_id)

    async def purge_files(self, owner_id: UUID) -> None:
        """Remove the files of a deleted account, and then the last trace of it, its row.

        Raises:
            UnavailableError: The index or the blob store is away; the job comes again.
        """
        await self._drop_collections(owner_id)
        while True:
            async with self._uow.system() as tx:
                files = await tx.leftovers.files(owner_id, limit=FILES_AT_ONCE)
            if not files:
                break
            for _, key in files:
                await self._blobs.delete(key)
            async with self._uow.system() as tx:
                await tx.leftovers.remove_documents(owner_id, [document_id for document_id, _ in files])
        async with self._uow.system() as tx:
            await tx.leftovers.remove_account(owner_id)

    async def _drop_collections(self, owner_id: UUID) -> None:
        async with self._uow.system() as tx:
            collections = await tx.leftovers.collections(owner_id)
        for collection in collections:
            await self._index.drop(collection)
