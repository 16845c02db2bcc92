"""Somebody with documents and a key, and OpenAI's client with that key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx  # noqa: F401 - openai looks whether it is loaded, and fails if another thread (Chroma's client) is loading it
import pytest
from openai import AsyncOpenAI

from tests.support.files import WHALES
from tests.support.product import Account, Product

CHAT_MODEL = "llama3.2:1b"


@asynccontextmanager
async def client_of(url: str, key: str) -> AsyncIterator[AsyncOpenAI]:
    """OpenAI's client; what fails, fails at once."""
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=60) as client:
        yield client


async def key_of(account: Account, **more: object) -> str:
    """Make a key that may ask."""
    made = await account.client.post("/api/v1/auth/keys", json={"name": "a program", "scopes": ["chat"], **more})
    return str(made.raise_for_status().json()["key"])


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody with a document, and a program of theirs."""

    account: Account
    document_id: str
    key: str
    client: AsyncOpenAI


@pytest.fixture
async def reader(product: Product, alice: Account) -> AsyncIterator[Reader]:
    """Alice, who has read about whales."""
    document = (await alice.upload("whales.md", WHALES)).json()
    assert (await alice.settled(document["id"]))["status"] == "ready"
    key = await key_of(alice)
    async with client_of(product.url, key) as client:
        yield Reader(alice, document["id"], key, client)


@pytest.fixture
async def client(product: Product, alice: Account) -> AsyncIterator[AsyncOpenAI]:
    """The client of somebody without documents, with an access token."""
    async with client_of(product.url, alice.access_token) as made:
        yield made
