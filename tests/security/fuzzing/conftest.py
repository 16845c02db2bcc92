"""Products to be flooded, and administrators to do it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.administrator import administrator as an_administrator
from tests.support.ollama import StandInOllama
from tests.support.product import Account, Product, running_product


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
