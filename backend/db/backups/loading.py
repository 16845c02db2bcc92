"""Writing every row into an empty database: all or nothing."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from backend.core.errors import ConfigurationError, PlaceNotEmptyError
from backend.core.transactions import assert_no_transaction, transaction_open
from backend.db.backups.catalog import SYSTEM, Table, connected, quoted, tables_of

INHABITED = "select exists (select from users) or exists (select from documents)"
# Collections get new names: another place may share the server of the index, and what an earlier life of this place left
# in its own is not of these vectors.
RENAME_COLLECTIONS = (
    "update index_generations set collection ="
    " concat('docent-', replace(owner_id::text, '-', ''), '-', right(replace(gen_random_uuid()::text, '-', ''), 12))"
)


async def is_inhabited(url: str) -> bool:
    """Return whether the database has accounts or documents, deleted ones included. One without tables has none."""
    assert_no_transaction("looking into the database")
    async with connected(url) as driver, driver.transaction(readonly=True):
        await driver.execute(SYSTEM)
        if await driver.fetchval("select to_regclass('public.users')") is None:
            return False
        return bool(await driver.fetchval(INHABITED))


class Load:
    """One transaction that fills the tables."""

    def __init__(self, driver: Any, tables: Sequence[Table]) -> None:  # noqa: ANN401 - asyncpg has no types
        self._driver = driver
        self._tables = {table.name: table for table in tables}

    async def table(self, name: str, columns: Sequence[str], pieces: AsyncIterator[bytes]) -> int:
        """Add the rows of a table and return how many there were. Parents come before their children.

        Raises:
            ConfigurationError: The database has no such table or column.
        """
        known = self._tables.get(name)
        if known is None or not set(columns) <= set(known.columns):
            raise ConfigurationError(f"The database has no table {name!r} with the columns of the backup.")
        done: str = await self._driver.copy_to_table(name, schema_name="public", columns=list(columns), source=pieces)
        return int(done.rpartition(" ")[2])

    async def settle(self) -> None:
        """Do what follows once all rows are there."""
        await self._driver.execute(RENAME_COLLECTIONS)
        await self._driver.execute(f"analyze {quoted(list(self._tables))}")


@asynccontextmanager
async def open_load(url: str) -> AsyncIterator[Load]:
    """Open the transaction that fills an empty database. It commits unless the block raises.

    The role has to own the tables. COPY is refused where policies bind, so they are lifted from the owner within this transaction,
    which holds the tables alone, and stand again when it commits.

    Raises:
        PlaceNotEmptyError: There are accounts or documents.
        ConfigurationError: The role does not own the tables, or somebody is using them.
    """
    assert_no_transaction("filling the database")
    async with connected(url) as driver:
        token = transaction_open.set(True)
        try:
            async with driver.transaction():
                await driver.execute(SYSTEM)
                await driver.execute("set local lock_timeout = '10s'")
                tables = await tables_of(driver)
                forced = [quoted([table.name]) for table in tables if table.forced]
                await _take(driver, tables, forced)
                load = Load(driver, tables)
                yield load
                await load.settle()
                for name in forced:
                    await driver.execute(f"alter table {name} force row level security")
        finally:
            transaction_open.reset(token)


async def _take(driver: Any, tables: Sequence[Table], forced: Sequence[str]) -> None:  # noqa: ANN401 - asyncpg has no types
    """Hold all tables alone, and empty them of what every new database begins with."""
    try:
        await driver.execute(f"lock table {quoted([table.name for table in tables])} in access exclusive mode")
    except asyncpg.LockNotAvailableError as error:
        raise ConfigurationError("A running Docent is using this database. Stop it, then restore again.") from error
    if await driver.fetchval(INHABITED):
        raise PlaceNotEmptyError
    for name in forced:
        await driver.execute(f"alter table {name} no force row level security")
    await driver.execute(f"truncate {quoted([table.name for table in tables])}")
