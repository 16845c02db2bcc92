"""Products to be flooded, and administrators to do it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.ollama import StandInOllama
from tests.support.product import PASSWORD, Account, Product, run_docent, running_product


@asynccontextmanager
async def a_product(folder: Path) -> AsyncIterator[Product]:
    """A product with a stand-in for its model."""
    async with (
        StandInOllama() as ollama,
        running_product(
            folder / "data", chat_provider="ollama", embedder="hashing", ollama_url=ollama.url, max_upload_bytes=2_000_000
        ) as running,
    ):
        yield running


@asynccontextmanager
async def an_administrator(product: Product) -> AsyncIterator[Account]:
    """A new administrator, made as operators make them."""
    name = f"admin-{uuid4().hex[:12]}"
    command = ("user", "create", name, "--email", f"{name}@example.com", "--admin")
    code, output = await run_docent(product, *command, DOCENT_PASSWORD=PASSWORD)
    assert code == 0, output
    async with product.client() as client:
        tokens = (await client.post("/api/v1/auth/login", json={"username": name, "password": PASSWORD})).json()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        yield Account(client, name, tokens["access_token"], tokens["refresh_token"])


@pytest.fixture(scope="package")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """A product of their own for those who send it everything."""
    async with a_product(tmp_path_factory.mktemp("tried")) as running:
        yield running


@pytest.fixture(scope="package")
async def administrator(product: Product) -> AsyncIterator[Account]:
    """Somebody who may call every operation."""
    async with an_administrator(product) as account:
        yield account
