"""The API processes of a ``docent serve``: which there are, and speaking to one of them."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from time import monotonic

import httpx2

from tests.faults.crashes import processes_below
from tests.support.product import Product


def members_of(product: Product) -> list[int]:
    """Return the ids of its API processes."""
    return sorted(pid for pid, command in processes_below(product.process.pid).items() if "processes.member" in command)


@contextmanager
def held(pids: Iterable[int]) -> Iterator[None]:
    """Let processes do nothing within the block."""
    pids = list(pids)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def client_of(product: Product, member: int, **headers: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client whose one connection is to this process: it is opened while no other one can take it."""
    async with product.client(**headers) as client:
        with held(pid for pid in members_of(product) if pid != member):
            (await client.get("/health")).raise_for_status()
        yield client


async def until(met: Callable[[], bool], what: str, *, within: float = 60) -> None:
    """Wait for a condition."""
    deadline = monotonic() + within
    while not met():
        assert monotonic() < deadline, f"not within {within} s: {what}"
        await asyncio.sleep(0.05)
