"""The blob store, compared with what the documents say of their files."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from backend.core.clock import now
from backend.core.errors import BlobNotFoundError
from backend.core.values.defect import Compared, Defect
from backend.db.repositories.stored import StoredFile
from backend.db.uow import UnitOfWork
from backend.ports.blob_store import BlobStore

FILES_AT_ONCE = 50_000
"""How many documents are remembered while the store is listed; with more than that it is listed several times."""
KEYS_AT_ONCE = 1000
JUST_STORED = timedelta(hours=1)
"""A file may be on its way to its row, or kept for a backup that is running."""


class FileExaminer:
    """Looks at stored files. Sizes come with the listing; what seems to be wrong is then read."""

    def __init__(self, uow: UnitOfWork, blobs: BlobStore) -> None:
        self._uow = uow
        self._blobs = blobs
        self._ours: bool | None = None

    async def documents(self, owner_id: UUID | None, compared: Compared, *, deep: bool) -> AsyncIterator[Defect]:
        """Yield documents whose file is gone or is not what was uploaded: an owner's, or all. ``deep`` reads every file."""
        after: UUID | None = None
        self._ours = None
        while True:
            async with self._uow.system() as tx:
                files = await tx.stored.files(owner_id, after=after, limit=FILES_AT_ONCE)
            if not files:
                return
            after = files[-1].document_id
            compared.files += len(files)
            for file in await self._doubtful(files, deep=deep):
                if (defect := await self._judged(file)) is not None:
                    yield replace(defect, repairable=await self._is_our_store())

    async def orphans(self) -> AsyncIterator[Defect]:
        """Yield files that no document names, and that nothing will name or discard by and by."""
        async for page in self._pages(older_than=JUST_STORED):
            for key in await self._unnamed(page):
                yield Defect("file_orphan", None, key, repairable=await self._is_our_store())

    async def _pages(self, *, older_than: timedelta) -> AsyncIterator[list[str]]:
        page: list[str] = []
        async for blob in self._blobs.keys():
            if blob.modified < now() - older_than:
                page.append(blob.key)
            if len(page) == KEYS_AT_ONCE:
                yield page
                page = []
        yield page

    async def _is_our_store(self) -> bool:
        """Return whether the store holds any file that the database names. Looked up once.

        If not, one of the two is somebody else's, by a setting or a mount that went wrong, and mending would destroy it.
        """
        if self._ours is None:
            self._ours = False
            async for page in self._pages(older_than=timedelta(0)):
                if len(await self._unnamed(page)) < len(page):
                    self._ours = True
                    break
        return self._ours

    async def is_whole(self, file: StoredFile) -> bool:
        """Return whether the stored file is there, and is the one that was uploaded."""
        digest = await self._digest(file.blob_key)
        return digest == file.sha256

    async def _doubtful(self, files: Sequence[StoredFile], *, deep: bool) -> list[StoredFile]:
        """Return files that are not listed, or with another size; or all."""
        if deep:
            return list(files)
        wanted = {file.blob_key: file for file in files}
        doubtful = []
        async for blob in self._blobs.keys():
            file = wanted.pop(blob.key, None)
            if file is not None and file.size != blob.size:
                doubtful.append(file)
        return [*doubtful, *wanted.values()]

    async def _judged(self, file: StoredFile) -> Defect | None:
        digest = await self._digest(file.blob_key)
        if digest == file.sha256:
            return None
        return Defect("file_missing" if digest is None else "file_damaged", file.owner_id, str(file.document_id))

    async def _digest(self, key: str) -> str | None:
        """Return the sha256 of a file, ``None`` if it is gone."""
        digest = hashlib.sha256()
        try:
            async for piece in self._blobs.open(key):
                await asyncio.to_thread(digest.update, piece)
        except BlobNotFoundError:
            return None
        return digest.hexdigest()

    async def _unnamed(self, keys: Sequence[str]) -> list[str]:
        if not keys:
            return []
        async with self._uow.system() as tx:
            named = await tx.stored.named_files(keys)
        return [key for key in keys if key not in named]
