"""How transactions begin: on a connection that lives, and with nothing but their own view."""

import asyncio
from contextlib import AsyncExitStack
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.core.config import plain_url
from backend.db.beginning import give_scope
from backend.db.engine import make_engine
from backend.db.uow import UnitOfWork
from tests.support.workshop import Workshop

SETTINGS = text("select current_setting('docent.owner_id', true), current_setting('docent.mode', true), pg_backend_pid()")


async def test_connections_that_the_server_has_closed_are_replaced_and_nobody_notices(workshop: Workshop) -> None:
    alice = await workshop.furnished("alice")
    engine = make_engine(workshop.database.app_url, pool_size=3)
    uow = UnitOfWork(engine)
    async with AsyncExitStack() as stack:
        held = [await stack.enter_async_context(engine.connect()) for _ in range(3)]
        pids = [(await connection.execute(SETTINGS)).one()[2] for connection in held]

    async def documents(owner_id: UUID) -> int:
        async with uow.of(owner_id) as tx:
            return len((await tx.documents.page(owner_id, limit=9, after=None)).items)

    other = await asyncpg.connect(plain_url(workshop.database.app_url))  # A role may end its own sessions.
    await other.execute("select pg_terminate_backend(pid) from unnest($1::int[]) pid", pids)
    await other.close()

    assert await asyncio.gather(*(documents(alice) for _ in range(3))) == [1, 1, 1]
    await uow.aclose()


async def test_a_scope_is_of_one_transaction_and_says_what_it_was_given(workshop: Workshop) -> None:
    engine = make_engine(workshop.database.app_url, pool_size=1)
    async with engine.connect() as connection:
        give_scope(connection, "somebody', true), set_config('docent.mode', 'system", "owner")
        owner, mode, pid = (await connection.execute(SETTINGS)).one()
        await connection.rollback()
        again = (await connection.execute(SETTINGS)).one()

    assert (owner, mode) == ("somebody', true), set_config('docent.mode', 'system", "owner")
    assert tuple(again) == ("", "", pid)
    await engine.dispose()


async def test_a_transaction_that_cannot_have_its_scope_leaves_no_connection_half_begun(workshop: Workshop) -> None:
    alice = await workshop.furnished("alice")
    engine = make_engine(workshop.database.app_url, pool_size=1)
    async with engine.connect() as connection:
        before = (await connection.execute(SETTINGS)).one()[2]
        await connection.rollback()
        driver = connection.sync_connection.connection.driver_connection  # type: ignore[union-attr] # it is open
        driver.scope = "select 1 / 0"  # type: ignore[union-attr] # the engine made it
        with pytest.raises(DBAPIError):
            await connection.begin()
    uow = UnitOfWork(engine)
    async with uow.of(alice) as tx:
        assert len((await tx.documents.page(alice, limit=9, after=None)).items) == 1
    async with engine.connect() as connection:
        assert (await connection.execute(SETTINGS)).one()[2] != before
    await uow.aclose()
