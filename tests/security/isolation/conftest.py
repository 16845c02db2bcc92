"""A product of this package's own, that logs all it can, and the people who meet in it."""

import asyncio
from collections.abc import AsyncIterator
from secrets import token_hex
from time import monotonic
from typing import Any

import pytest

from tests.security.isolation.description import Operation, operations
from tests.security.isolation.world import Person, behind_the_walls, person
from tests.support.product import Account, Product, running_product

# The file of a replaced document is kept for an hour.
DUE = "select count(*) from procrastinate_jobs where args->>'owner_id' = $1 and coalesce(scheduled_at, now()) <= now()"


@pytest.fixture(scope="package")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """A running product with everything in its log."""
    folder = tmp_path_factory.mktemp("isolation") / "data"
    async with running_product(folder, chat_provider="extractive", embedder="hashing", log_level="debug") as running:
        yield running


@pytest.fixture(scope="package")
async def api(product: Product) -> dict[str, Operation]:
    """The operations that the product describes."""
    async with product.client() as client:
        description: dict[str, Any] = (await client.get("/openapi.json")).json()
    return operations(description)


@pytest.fixture(scope="package")
async def admin(product: Product) -> AsyncIterator[Account]:
    """An administrator."""
    async with product.account("admin") as account:
        async with behind_the_walls(product) as database:
            await database.execute("update users set role = 'admin' where username = $1", account.username)
        yield account


@pytest.fixture(scope="package")
async def bob(product: Product) -> AsyncIterator[Person]:
    """Somebody with an account and things of his own, older than anybody else's."""
    async with person(product, "bob", token_hex(4)) as someone:
        yield someone


@pytest.fixture(scope="package")
def marker() -> str:
    """128 random bits: whatever holds them is Alice's."""
    return token_hex(16)


@pytest.fixture(scope="package")
async def alice(product: Product, bob: Person, admin: Account, marker: str) -> AsyncIterator[Person]:
    """Somebody whose every name and text holds the marker, at rest: no job of hers is left to run."""
    async with person(product, "alice", marker) as someone:
        link = await admin.client.post(f"/api/v1/users/{someone.id}/reset-link")
        someone.things["reset"] = link.raise_for_status().json()["token"]
        deadline = monotonic() + 20
        async with behind_the_walls(product) as database:
            while await database.fetchval(DUE, someone.id):
                assert monotonic() < deadline, "her jobs are still running"
                await asyncio.sleep(0.1)
        yield someone
