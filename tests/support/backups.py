"""An empty place to restore into, and what a place holds."""

import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from backend.adapters.blob_stores.object_store import ObjectBlobStore
from backend.core.config import plain_url
from backend.services.backup.manifest import Summary
from backend.services.backup.restoring import Restorer, verified
from backend.services.backup.writing import BackupWriter
from tests.support.cluster import Cluster, Database
from tests.support.workshop import Workshop, open_workshop

KEY = "the key that signs access tokens"


@dataclass(slots=True)
class Place:
    """A migrated database without rows, and an empty store of files."""

    cluster: Cluster
    database: Database
    folder: Path
    secret_key: str | None = None

    @property
    def blobs(self) -> ObjectBlobStore:
        return ObjectBlobStore.at(self.folder / "files")

    async def restore(self, path: Path) -> Summary:
        """Restore a backup into this place."""

        def keep(key: str) -> None:
            self.secret_key = key

        return await Restorer(self.database.owner_url, self.blobs, keep).restore(await verified(path))

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Workshop]:
        """Open the product on it."""
        async with open_workshop(self.cluster, self.database, self.folder) as workshop:
            yield workshop

    def files(self) -> dict[str, bytes]:
        """Return all stored files."""
        root = self.folder / "files"
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


async def backed_up(workshop: Workshop, path: Path, *, with_vectors: bool = True) -> Summary:
    """Back up what a workshop holds."""
    writer = BackupWriter(workshop.database.app_url, ObjectBlobStore.at(workshop.files), KEY)
    return await writer.write(path, with_vectors=with_vectors)


async def rows_past_the_policies(database: Database, tables: list[str]) -> dict[str, list[str]]:
    """Return every row of every table, as the role that owns them sees it where no policy binds it."""
    connection = await asyncpg.connect(plain_url(database.owner_url))
    found: dict[str, list[str]] = {}
    try:
        for table in tables:
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(f"alter table {table} no force row level security")
            rows = await connection.fetch(f"select to_jsonb(t)::text as row from {table} t")  # noqa: S608 - our own tables
            found[table] = sorted(row["row"] for row in rows)
            await transaction.rollback()
    finally:
        await connection.close()
    return found


async def walls(database: Database) -> list[Any]:
    """Return which tables are behind forced policies."""
    connection = await asyncpg.connect(plain_url(database.owner_url))
    try:
        query = "select relname::text, relrowsecurity, relforcerowsecurity from pg_class where relkind = 'r' order by relname"
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


def members(path: Path) -> list[str]:
    """Return the names of what is in a backup, as any program for tar files lists them."""
    with tarfile.open(path) as tar:
        return tar.getnames()
