"""Beginning a transaction: one round trip, in which the policies are told whose it is."""

from typing import Any

import asyncpg
from sqlalchemy import PoolProxiedConnection
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.util import await_only

DRIVER = "postgresql+docent"


class ScopedConnection(asyncpg.Connection):  # type: ignore[misc] # asyncpg is untyped
    """A connection whose next transaction begins with the statement ``scope``, if there is one: none inherits it."""

    __slots__ = ("scope",)

    def __init__(self, *args: Any, **settings: Any) -> None:  # noqa: ANN401 - the driver's own
        super().__init__(*args, **settings)
        self.scope = ""

    async def execute(self, query: str, *args: object, timeout: float | None = None) -> str:
        """Execute a statement, as the driver does. A transaction that cannot have its scope takes its connection along."""
        if not query.startswith("BEGIN") or not self.scope:
            return str(await super().execute(query, *args, timeout=timeout))
        query, self.scope = query + self.scope, ""
        try:
            return str(await super().execute(query, timeout=timeout))
        except BaseException:
            self.terminate()
            raise


class ScopedDialect(PGDialect_asyncpg):
    """asyncpg's, but a transaction begins when it is begun and not with its first statement.

    So a connection that the server has closed is found out while another one can still be taken.
    """

    supports_statement_cache = True

    def do_begin(self, dbapi_connection: PoolProxiedConnection) -> None:
        """Begin."""
        await_only(dbapi_connection.dbapi_connection._start_transaction())  # type: ignore[union-attr] # SQLAlchemy's for asyncpg


registry.register(DRIVER.replace("+", "."), __name__, ScopedDialect.__name__)


def give_scope(connection: AsyncConnection, owner: str, mode: str) -> None:
    """Say what the next transaction of a connection can see. The settings are local to it: nothing leaks to the next one."""
    settings = f"set_config('docent.owner_id', {_quoted(owner)}, true), set_config('docent.mode', {_quoted(mode)}, true)"
    driver = connection.sync_connection.connection.driver_connection  # type: ignore[union-attr] # it is open
    driver.scope = f"select {settings}"  # type: ignore[union-attr] # the engine made it


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
