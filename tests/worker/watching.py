"""Looking at the queue from outside, and holding a job in its middle."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import asyncpg

from backend.core.config import plain_url
from backend.core.values.document import Document
from backend.services.registry import Services
from tests.support.parts import CountingEmbedder


@asynccontextmanager
async def sql(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection that sees every row."""
    connection = await asyncpg.connect(plain_url(url))
    try:
        await connection.execute("select set_config('docent.mode', 'system', false)")
        yield connection
    finally:
        await connection.close()


async def soon(condition: Callable[[], Awaitable[Any]], *, within: float = 30) -> Any:
    """Return the first true answer."""
    deadline = monotonic() + within
    while not (answer := await condition()):
        assert monotonic() < deadline, f"not within {within} s"
        await asyncio.sleep(0.02)
    return answer


async def settled(services: Services, document: Document, *, within: float = 30) -> Document:
    async def ended() -> Document | None:
        now = await services.documents.get(document.owner_id, document.id)
        return now if now.status in {"ready", "failed"} else None

    found: Document = await soon(ended, within=within)
    return found


async def listening(connection: asyncpg.Connection) -> None:
    """Wait until the worker hears of new jobs without asking."""
    await soon(
        lambda: connection.fetchval(
            "select count(*) from pg_stat_activity where query ilike 'listen%' and datname = current_database()"
        )
    )


class Gate:
    """Holds an embedder before its second batch."""

    def __init__(self, embedder: CountingEmbedder) -> None:
        self.reached, self.open, self.inside, self.most = asyncio.Event(), asyncio.Event(), 0, 0
        embedder.before = self

    async def __call__(self, call: int) -> None:
        if call != 2:
            return
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.reached.set()
        try:
            await self.open.wait()
        finally:
            self.inside -= 1
