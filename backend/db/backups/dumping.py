"""Reading every row, as of one moment."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from backend.core.errors import ConfigurationError
from backend.core.transactions import assert_no_transaction, transaction_open
from backend.db.backups.catalog import SYSTEM, Table, connected, quoted, tables_of
from backend.db.migrations import revisions
from backend.models import Base, ChunkVectorRow

VECTORS = ChunkVectorRow.__tablename__

_CUT = (
    "status = 'streaming' and not exists"
    " (select from tasks t where t.message_id = messages.id and t.state in ('queued', 'running'))"
)

# What is true of the running system only, and what is true of these rows without it.
INSTEAD = {
    # The index is no part of a backup: it is filled again from these vectors, and a NULL is none.
    (VECTORS, "indexed"): "vector is null",
    # Whoever was streaming an answer is not there after a restore. A task's is given there, by a worker.
    ("messages", "status"): f"case when {_CUT} then 'incomplete' else status end",
    ("messages", "error_code"): f"case when {_CUT} then 'answer_cut' else error_code end",
    ("tasks", "state"): "case state when 'running' then 'queued' else state end",
}
# Of a release that had no tasks.
BEFORE_TASKS = {key: value.replace(_CUT, "status = 'streaming'") for key, value in INSTEAD.items()}
ONLY = {
    # Their requests are not running after a restore.
    "idempotency_keys": "status is not null",
    # Good once, for a day: one that was used up after the backup must not be good again.
    "reset_links": "false",
}


class Dump:
    """One snapshot of the database: whatever is written meanwhile is not in it."""

    def __init__(self, driver: Any, revision: str, tables: Sequence[Table]) -> None:  # noqa: ANN401 - asyncpg has no types
        self._driver = driver
        self.revision = revision
        self.tables = tables
        self._instead = INSTEAD if any(table.name == "tasks" for table in tables) else BEFORE_TASKS

    async def copy(self, table: Table, write: Callable[[bytes], None]) -> int:
        """Write all rows in PostgreSQL's text format, piece by piece, and return how many there were."""

        async def take(piece: bytes) -> None:
            write(piece)

        values = ", ".join(self._instead.get((table.name, column), quoted([column])) for column in table.columns)
        query = f"select {values} from {quoted([table.name])} where {ONLY.get(table.name, 'true')}"  # noqa: S608 - quoted, or ours
        done: str = await self._driver.copy_from_query(query, output=take)
        return int(done.rpartition(" ")[2])

    async def blob_keys(self) -> list[str]:
        """Return the keys of all files that the rows name, those of deleted documents included."""
        naming = [table.name for table in self.tables if "blob_key" in table.columns]
        query = " union ".join(f"select blob_key from {quoted([name])} where blob_key is not null" for name in naming)  # noqa: S608 - quoted
        return [row["blob_key"] for row in await self._driver.fetch(f"{query} order by 1")]

    async def embedder(self) -> str | None:
        """Return what the vectors were made with, if anything was."""
        found = await self._driver.fetchval("select value::text from settings where key = 'embedder'")
        return None if found is None else str(json.loads(found))


@asynccontextmanager
async def open_dump(url: str, *, with_vectors: bool) -> AsyncIterator[Dump]:
    """Open a snapshot of everybody's rows, read-only.

    Raises:
        ConfigurationError: This database has never been migrated, so there is nothing in it; or a newer release has.
        DatabaseUnavailableError: PostgreSQL does not answer.
    """
    assert_no_transaction("reading the whole database")
    async with connected(url) as driver:
        if await driver.fetchval("select to_regclass('public.alembic_version')") is None:
            raise ConfigurationError("There is nothing to back up: this database has no tables of Docent.")
        token = transaction_open.set(True)
        try:
            async with driver.transaction(isolation="repeatable_read", readonly=True):
                await driver.execute(SYSTEM)
                revision = await driver.fetchval("select version_num from alembic_version")
                if revision not in revisions():
                    raise ConfigurationError(
                        f"A newer release has migrated this database (revision {revision}), and may keep more in it than this one "
                        "knows. Back it up with that release."
                    )
                tables = [table for table in await tables_of(driver) if table.name in Base.metadata.tables]
                kept = [table for table in tables if with_vectors or table.name != VECTORS]
                yield Dump(driver, revision, kept)
        finally:
            transaction_open.reset(token)
