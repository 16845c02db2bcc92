"""Restoring a backup into an empty place."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Final

from backend.core.errors import BackupRefusedError, PlaceNotEmptyError
from backend.db.backups.loading import is_inhabited, open_load
from backend.db.migrations import migrate, reach, revisions
from backend.ports.blob_store import BlobStore
from backend.services.backup.manifest import Summary, summary
from backend.services.backup.reading import BackupFile

END: Final = object()


async def verified(path: Path) -> BackupFile:
    """Read a whole backup and return it if it can be restored.

    Raises:
        BackupRefusedError: It is no backup, damaged, incomplete, or of a newer release.
    """
    return await asyncio.to_thread(BackupFile.verified, path, revisions())


class Restorer:
    """Fills a place from a backup.

    The rows come last and all at once, so a place is either empty or restored. A restore that was cut has left files at most, and
    the same backup may be restored again.
    """

    def __init__(self, owner_url: str, blobs: BlobStore, keep_secret_key: Callable[[str], None] | None) -> None:
        """``keep_secret_key`` stores the key that signs access tokens; ``None`` where the settings have their own."""
        self._url = owner_url
        self._blobs = blobs
        self._keep_secret_key = keep_secret_key

    async def restore(self, backup: BackupFile) -> Summary:
        """Restore a backup and return what was in it.

        Raises:
            BackupRefusedError: Its rows are not those that were written, or it was changed meanwhile; there is no row of it.
            PlaceNotEmptyError: There are accounts, documents or files; nothing was changed.
            UnavailableError: PostgreSQL or the store does not answer.
        """
        begun = perf_counter()
        await self._assert_empty(backup)
        await self._files(backup)
        secret_key = backup.secret_key()
        if secret_key is not None and self._keep_secret_key is not None:
            self._keep_secret_key(secret_key)
        # The rows fit the schema that they came from; from there on the migrations know the way.
        await reach(self._url, backup.header.revision)
        await self._rows(backup)
        await migrate(self._url)
        return summary(backup.header, backup.manifest, size=backup.size, seconds=perf_counter() - begun)

    async def _assert_empty(self, backup: BackupFile) -> None:
        if await is_inhabited(self._url):
            raise PlaceNotEmptyError
        own = backup.files()
        async for blob in self._blobs.keys():
            if blob.key not in own:
                raise PlaceNotEmptyError(
                    "There are files already, in DATA_DIR or at BLOB_URL, that are not of this backup. "
                    "A backup is restored into an empty place; nothing was changed."
                )

    async def _files(self, backup: BackupFile) -> None:
        for key, member in backup.files().items():
            try:
                stored = await self._blobs.write(key, _in_thread(backup.content(member)))
            except ValueError as error:
                raise BackupRefusedError(f"The backup names a file that no store has: {member.name!r}.") from error
            if (stored.size, stored.sha256) != (member.size, member.sha256):
                raise BackupRefusedError(f"The backup changed while it was restored: {member.name}. Restore it again.")

    async def _rows(self, backup: BackupFile) -> None:
        async with open_load(self._url) as load:
            for table in backup.manifest.tables:
                rows = await load.table(table.name, table.columns, _in_thread(backup.rows(table.name)))
                if rows != table.rows:
                    raise BackupRefusedError(
                        f"The backup is damaged: {table.name} has {rows:,} rows, and not {table.rows:,}. Nothing was restored."
                    )


async def _in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Read and unpack beside the event loop, a piece at a time."""
    while (piece := await asyncio.to_thread(next, pieces, END)) is not END:
        assert isinstance(piece, bytes)  # noqa: S101 - what is not the end is a piece
        yield piece
