"""What PostgreSQL holds, has written, and whom it serves."""

import asyncio
from collections import Counter
from dataclasses import dataclass

import asyncpg

SIZES = (
    "select relname, pg_table_size(c.oid) + pg_indexes_size(c.oid) from pg_class c"
    " where relnamespace = 'public'::regnamespace and relkind = 'r'"
)
CONNECTED = (
    "select application_name from pg_stat_activity where datname = current_database() and usename = 'docent_app'"
    " and pid <> pg_backend_pid()"
)


@dataclass(frozen=True, slots=True)
class Stand:
    """The bytes of each table with its indexes, and how much was ever written to the log of the server."""

    tables: dict[str, int]
    written: int

    @property
    def bytes(self) -> int:
        """All tables together; the queue's rows come and go, and are not counted."""
        return sum(size for name, size in self.tables.items() if not name.startswith("procrastinate"))


class Database:
    """A look from outside."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._connection_is_free = asyncio.Lock()

    async def stand(self) -> Stand:
        """Return where it stands."""
        tables = {str(row[0]): int(row[1]) for row in await self._connection.fetch(SIZES)}
        written = await self._connection.fetchval("select pg_current_wal_lsn() - '0/0'::pg_lsn")
        return Stand(tables, int(written))

    async def connected(self) -> Counter[str]:
        """Return how many connections there are by the name that they give."""
        return Counter(row[0] for row in await self._connection.fetch(CONNECTED))

    async def ready(self, document_id: str) -> int:
        """Wait until a document is ready, and return how many passages it has."""
        while True:
            async with self._connection_is_free, self._connection.transaction():
                await self._connection.execute("select set_config('docent.mode', 'system', true)")
                status, passages = await self._connection.fetchrow(
                    "select status, chunks from documents where id = $1", document_id
                )
            if status == "ready":
                return int(passages)
            if status == "failed":
                message = f"the document {document_id} failed"
                raise RuntimeError(message)
            await asyncio.sleep(0.2)
