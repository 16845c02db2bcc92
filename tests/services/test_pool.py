"""Connections that PostgreSQL has left are replaced before somebody gets one."""

import asyncio

import asyncpg

from backend.core.config import plain_url
from backend.db.engine import make_engine
from backend.db.uow import UnitOfWork
from tests.support.cluster import Database

TOGETHER = 3


async def test_after_the_server_has_ended_all_connections_the_next_transactions_know_nothing_of_it(
    database: Database,
) -> None:
    uow = UnitOfWork(make_engine(database.app_url, pool_size=TOGETHER))
    together = asyncio.Barrier(TOGETHER)

    async def transaction() -> None:
        async with uow.system() as tx:
            await together.wait()
            await tx.tiers.all()

    async def all_of_them() -> None:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for _ in range(TOGETHER):
                group.create_task(transaction())

    await all_of_them()
    ended = await _end_connections(database)
    await all_of_them()
    await uow.aclose()

    assert ended == TOGETHER


async def _end_connections(database: Database) -> int:
    connection = await asyncpg.connect(plain_url(database.app_url))
    try:
        others = "select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = user and pid <> pg_backend_pid()"
        return len(await connection.fetch(f"{others} and datname = current_database()"))
    finally:
        await connection.close()
