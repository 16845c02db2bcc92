"""A running product for the tests of the API, with the stand-in Ollama as its model."""

import os
from collections.abc import AsyncIterator

import pytest

from tests.support.ollama import StandInOllama
from tests.support.product import Account, Product, running_product
from tests.support.scaled import ScaledProduct, running_scaled

SCALED = os.environ.get("DOCENT_TOPOLOGY") == "scaled"
"""Whether the product of these tests is several processes behind one address (``make test-scaled``)."""


@pytest.fixture(scope="session")
async def shared_ollama() -> AsyncIterator[StandInOllama]:
    """The model's server of this run."""
    async with StandInOllama() as server:
        yield server


@pytest.fixture
async def ollama(shared_ollama: StandInOllama) -> AsyncIterator[StandInOllama]:
    """The model's server, without faults at the beginning and at the end of a test."""
    reply, interval = shared_ollama.reply, shared_ollama.interval
    yield shared_ollama
    shared_ollama.clear()
    shared_ollama.reply, shared_ollama.interval = reply, interval


@pytest.fixture(scope="session")
async def product(shared_ollama: StandInOllama, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product | ScaledProduct]:
    """One running product for all tests that keep to their own users."""
    folder = tmp_path_factory.mktemp("product") / "data"
    running = running_scaled if SCALED else running_product
    async with running(
        folder, chat_provider="ollama", embedder="hashing", ollama_url=shared_ollama.url, max_upload_bytes=2_000_000
    ) as started:
        yield started


@pytest.fixture
def one_process() -> None:
    """For tests that look into the process that answers them, its memory or its data folder."""
    if SCALED:
        pytest.skip("looks into the one process, or its data folder, that the scaled topology does not have")


@pytest.fixture
async def alice(product: Product) -> AsyncIterator[Account]:
    """A signed-in user."""
    async with product.account("alice") as account:
        yield account


@pytest.fixture
async def bob(product: Product) -> AsyncIterator[Account]:
    """Another signed-in user."""
    async with product.account("bob") as account:
        yield account
