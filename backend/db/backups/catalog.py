"""The tables as the database itself describes them, whichever release made them."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from backend.core.errors import ConfigurationError, DatabaseUnavailableError, StorageFullError
from backend.db.conflicts import DISK_FULL, UNAVAILABLE, translated

SYSTEM = "select set_config('docent.mode', 'system', true)"
NOT_ALLOWED = "42501"

# The queue's tables are left out: what still has to be done follows from the rows, and jobs of another place mean nothing.
TABLES = r"""
select c.relname::text as name, c.relforcerowsecurity as forced,
       (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
       array(select distinct p.relname::text from pg_constraint k join pg_class p on p.oid = k.confrelid
              where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid order by 1) as parents
  from pg_class c
 where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
   and c.relname <> 'alembic_version' and c.relname not like 'procrastinate\_%'
 order by c.relname
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its columns. ``forced`` says that its policies bind the role that owns it, too."""

    name: str
    columns: tuple[str, ...]
    forced: bool


async def tables_of(driver: Any) -> list[Table]:  # noqa: ANN401 - asyncpg has no types
    """Return all tables of ours, parents before their children."""
    rows = {row["name"]: row for row in await driver.fetch(TABLES)}
    order = TopologicalSorter({name: row["parents"] for name, row in rows.items()}).static_order()
    return [Table(name, tuple(rows[name]["columns"]), rows[name]["forced"]) for name in order]


def quoted(names: Sequence[str]) -> str:
    """Return names as SQL has them, separated by commas."""
    return ", ".join('"' + name.replace('"', '""') + '"' for name in names)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    """Connect for one piece of work that may take hours: no statement has a time limit. Yields asyncpg's own connection.

    Raises:
        DatabaseUnavailableError: PostgreSQL does not answer, or is gone in the middle.
        StorageFullError: The database has no room.
        ConfigurationError: The role may not do this.
    """
    engine = create_async_engine(
        url, poolclass=NullPool, connect_args={"timeout": 10, "server_settings": {"application_name": "docent backup"}}
    )
    try:
        with translated(), _driver_translated():
            async with engine.connect() as connection:
                yield (await connection.get_raw_connection()).driver_connection
    finally:
        await engine.dispose()


@contextmanager
def _driver_translated() -> Iterator[None]:
    """Name the situations that the driver reports by itself, without SQLAlchemy around it."""
    try:
        yield
    except asyncpg.InterfaceError as error:  # The connection is closed under us.
        raise DatabaseUnavailableError from error
    except asyncpg.PostgresError as error:
        state = error.sqlstate or ""
        if state == DISK_FULL:
            raise StorageFullError("The database has no room left.") from error
        if state.startswith(UNAVAILABLE):
            raise DatabaseUnavailableError from error
        if state == NOT_ALLOWED:
            raise ConfigurationError(
                "The database role may not do this. Set DATABASE_OWNER_URL to the role that owns the tables."
            ) from error
        raise
