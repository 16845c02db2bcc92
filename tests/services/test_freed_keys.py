"""Keys of requests that failed because the database was away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from backend.core.errors import DatabaseUnavailableError, IdempotencyKeyBusyError
from backend.db.engine import make_engine
from backend.db.uow import Transaction, UnitOfWork
from backend.services.idempotency import IdempotencyService
from tests.support.workshop import Workshop


class RestartingUnitOfWork(UnitOfWork):
    """Is refused so many times, as while PostgreSQL restarts."""

    refusals = 0

    @asynccontextmanager
    async def of(self, owner_id: UUID) -> AsyncIterator[Transaction]:
        if self.refusals:
            self.refusals -= 1
            raise DatabaseUnavailableError
        async with super().of(owner_id) as tx:
            yield tx


async def test_a_key_is_free_as_soon_as_the_database_is_back(workshop: Workshop) -> None:
    alice = await workshop.user()
    uow = RestartingUnitOfWork(make_engine(workshop.database.app_url, pool_size=1))
    service, elsewhere = IdempotencyService(uow), workshop.services.idempotency
    assert await service.begin(alice, "a key", "upload") is None
    uow.refusals = 2
    await service.forget(alice, "a key")
    async with asyncio.timeout(20):  # Its lease would be a minute.
        while True:
            try:
                assert await elsewhere.begin(alice, "a key", "upload") is None
                break
            except IdempotencyKeyBusyError:
                await asyncio.sleep(0.05)
    await uow.aclose()
