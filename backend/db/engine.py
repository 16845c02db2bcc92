"""The connection pool."""

from time import monotonic
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

BEHIND_A_POOLER: dict[str, Any] = {
    # Every transaction may meet another server: what was prepared in the one before is not there. An unnamed statement is prepared
    # and executed within one transaction.
    "prepared_statement_cache_size": 0,
    "statement_cache_size": 0,
    "prepared_statement_name_func": str,
}
TRUSTED_SECONDS = 1.0
"""How long after its last use a connection is taken for alive while the driver knows nothing else."""
_USED_AT = "docent.used_at"
WAIT_SECONDS = 30
"""How long a transaction waits for a free connection.

Hundreds of questions at once take turns for more than ten seconds on a small machine, and all are served in the end. A database
that is away refuses at once.
"""


def make_engine(url: str, *, pool_size: int, pooled: bool = False) -> AsyncEngine:
    """Return an engine for an ``asyncpg`` URL. It connects lazily, and hands out no connection that the server has left.

    ``pooled`` says that the URL names a pooler of transactions. Poolers refuse settings at the start of a connection that they do
    not know: there ``jit = off``, which saves short queries from being compiled, is for the role (deploy/postgres-init.sql).
    """
    server_settings = {"application_name": "docent"} | ({} if pooled else {"jit": "off"})
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
        # Parameters hold people's texts, and exceptions end in logs.
        hide_parameters=True,
        connect_args={
            "timeout": 10,
            "command_timeout": 60,
            "server_settings": server_settings,
            **(BEHIND_A_POOLER if pooled else {}),
        },
    )
    event.listen(engine.sync_engine, "connect", _note)
    event.listen(engine.sync_engine, "checkin", _note)
    event.listen(engine.sync_engine, "checkout", _assert_alive)
    return engine


def _note(_connection: object, record: Any) -> None:  # noqa: ANN401 - the library's, untyped
    record.info[_USED_AT] = monotonic()


def _assert_alive(connection: Any, record: Any, _proxy: object) -> None:  # noqa: ANN401 - the same
    """Look at a connection before it is handed out; where it is dead, the pool replaces it and all that are as old.

    The driver knows of one that the server has closed. What nobody has told, a firewall's silence, only asking finds out, and the
    library's ``pool_pre_ping`` asks each time: three round trips, as many as the transaction itself often takes.
    """
    if _was_closed(connection):
        raise InvalidatePoolError
    if monotonic() - record.info[_USED_AT] > TRUSTED_SECONDS:
        try:
            connection.ping()
        except (connection.dbapi.Error, OSError) as error:
            raise InvalidatePoolError from error


def _was_closed(connection: Any) -> bool:  # noqa: ANN401 - the same
    return bool(connection.driver_connection.is_closed())
