"""A product that takes its time with every document, so that there is something to see."""

from collections.abc import AsyncIterator

import pytest

from tests.support.product import Product, running_product


@pytest.fixture(scope="package")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """A running product that pauses after a file was read, and after each batch of passages."""
    folder = tmp_path_factory.mktemp("slow") / "data"
    pauses = "index.parsed=sleep:1.2; index.embedded=sleep:1.2"
    async with running_product(folder, chat_provider="extractive", embedder="hashing", failpoints=pauses) as running:
        yield running
