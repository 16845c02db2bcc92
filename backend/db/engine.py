"""The connection pool."""

from typing import Any

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from backend.db.beginning import DRIVER, ScopedConnection

BEHIND_A_POOLER: dict[str, Any] = {
    # Every transaction may meet another server: what was prepared in the one before is not there. An unnamed statement is prepared
    # and executed within one transaction.
    "prepared_statement_cache_size": 0,
    "statement_cache_size": 0,
    "prepared_statement_name_func": str,
}
WAIT_SECONDS = 30
"""How long a transaction waits for a free connection.

Hundreds of questions at once take turns for more than ten seconds on a small machine, and all are served in the end. A database
that is away refuses at once.
"""


def make_engine(url: str, *, pool_size: int, pooled: bool = False) -> AsyncEngine:
    """Return an engine for an ``asyncpg`` URL. It connects lazily. Whether a connection still lives is found out by beginning.

    ``pooled`` says that the URL names a pooler of transactions. Poolers refuse settings at the start of a connection that they do
    not know: there ``jit = off``, which saves short queries from being compiled, is for the role (deploy/postgres-init.sql).
    """
    server_settings = {"application_name": "docent"} | ({} if pooled else {"jit": "off"})
    return create_async_engine(
        make_url(url).set(drivername=DRIVER),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
        # The one that was used last: it has prepared what is asked most, and PostgreSQL has planned it.
        pool_use_lifo=True,
        # Parameters hold people's texts, and exceptions end in logs.
        hide_parameters=True,
        connect_args={
            "connection_class": ScopedConnection,
            "timeout": 10,
            "command_timeout": 60,
            "server_settings": server_settings,
            **(BEHIND_A_POOLER if pooled else {}),
        },
    )
