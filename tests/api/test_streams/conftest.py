"""A product with a small window and little patience."""

from collections.abc import AsyncIterator

import pytest

from tests.support.ollama import StandInOllama
from tests.support.product import Account, Product, running_product


@pytest.fixture(scope="package")
async def small(shared_ollama: StandInOllama, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """Its window has 512 tokens, and it waits a second for the first one."""
    async with running_product(
        tmp_path_factory.mktemp("small") / "data",
        chat_provider="ollama",
        embedder="hashing",
        ollama_url=shared_ollama.url,
        chat_window=512,
        chat_first_token_seconds=1,
        chat_between_tokens_seconds=1,
    ) as running:
        yield running


@pytest.fixture
async def carol(small: Product) -> AsyncIterator[Account]:
    """A user of the small product."""
    async with small.account("carol") as account:
        yield account
