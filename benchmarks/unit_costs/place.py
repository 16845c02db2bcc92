"""What is measured, and how: what each process has used meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TypeVar

from redis.asyncio import Redis

from benchmarks.unit_costs.database import Database, Stand
from benchmarks.unit_costs.processes import cpu_seconds
from tests.support.ollama import StandInOllama
from tests.support.product import Product

T = TypeVar("T")
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Cost:
    """What a stage has used: milliseconds of each process beyond what it uses idle, and what PostgreSQL has grown by."""

    cpu: dict[str, float]
    before: Stand
    after: Stand

    @property
    def bytes(self) -> int:
        return self.after.bytes - self.before.bytes

    @property
    def written(self) -> int:
        return self.after.written - self.before.written

    def each(self, count: float) -> dict[str, float]:
        """Return the milliseconds for one of so many."""
        return {name: milliseconds / count for name, milliseconds in self.cpu.items()}

    def by_table(self, count: float) -> dict[str, float]:
        """Return the bytes for one of so many, by table; those that did not grow are left out."""
        grown = {name: (size - self.before.tables[name]) / count for name, size in self.after.tables.items()}
        return {name: size for name, size in grown.items() if size > 0 and not name.startswith("procrastinate")}


@dataclass(slots=True)
class Place:
    """An installation."""

    product: Product
    ollama: StandInOllama
    database: Database
    pids: dict[str, int]
    files: Path
    chroma: Path
    redis_url: str
    idle: dict[str, float] = field(default_factory=dict)

    async def rest(self, seconds: float) -> None:
        """Find out what each process uses while nothing is asked of it: milliseconds in a second."""
        cost = await self.cost(asyncio.sleep(seconds))
        self.idle = {name: spent / seconds for name, spent in cost.cpu.items()}

    async def cost(self, work: Awaitable[object]) -> Cost:
        """Return what something costs."""
        before, begun = await self.database.stand(), monotonic()
        spent = {name: cpu_seconds(pid) for name, pid in self.pids.items()}
        await work
        seconds = monotonic() - begun
        used = {name: 1000 * (cpu_seconds(pid) - spent[name]) - seconds * self.idle.get(name, 0) for name, pid in self.pids.items()}
        return Cost({name: max(0.0, spent) for name, spent in used.items()}, before, await self.database.stand())

    async def redis_bytes(self) -> int:
        """Return what Redis holds."""
        async with Redis.from_url(self.redis_url) as redis:
            return int((await redis.info("memory"))["used_memory"])


async def a_few_at_once(work: Callable[[T], Awaitable[object]], things: Iterable[T]) -> None:
    """Do something to each of them."""
    waiting = iter(things)

    async def one_after_the_other() -> None:
        for thing in waiting:
            await work(thing)

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
