"""A running product with its pages, a language model that can be slowed down, and visitors with and without a browser."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import httpx2
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.support.chromium import chromium
from tests.support.faulty_api import FaultyApi, faulty_api
from tests.support.ollama import StandInOllama
from tests.support.pages import Visit
from tests.support.product import Account, Product, running_product

PATIENCE_MS = 60_000
"""How long the browser waits for what would else never come: no measure of speed."""


@pytest.fixture(scope="session")
async def shared_model() -> AsyncIterator[StandInOllama]:
    """The language model's server of this run."""
    async with StandInOllama() as server:
        yield server


@pytest.fixture
async def model(shared_model: StandInOllama) -> AsyncIterator[StandInOllama]:
    """The same, without faults at the end of a test and as quick as it was."""
    reply, interval = shared_model.reply, shared_model.interval
    yield shared_model
    shared_model.clear()
    shared_model.reply, shared_model.interval = reply, interval


@pytest.fixture(scope="session")
async def product(shared_model: StandInOllama, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """The product with its pages, whose answers come from that server.

    It is everybody's, so whoever changes what holds for all accounts, as the limits of a tier, has a product of their own.
    """
    folder = tmp_path_factory.mktemp("pages") / "data"
    async with running_product(
        folder, chat_provider="ollama", embedder="hashing", ollama_url=shared_model.url, ui_enabled=True
    ) as running:
        yield running


@pytest.fixture(scope="session")
async def pages(product: Product) -> str:
    """Where the pages are, once they answer: where browsers that open `/` are sent."""
    async with product.client(Accept="text/html") as client:
        url = (await client.get("/")).headers["location"]
        async with asyncio.timeout(60):
            await _answering(client, f"{url}_stcore/health")
    return str(url)


async def _answering(client: httpx2.AsyncClient, url: str) -> None:
    for pause in itertools.repeat(0.1):
        with suppress(httpx2.TransportError):
            if (await client.get(url)).status_code == 200:
                return
        await asyncio.sleep(pause)


@pytest.fixture
async def account(product: Product) -> AsyncIterator[Account]:
    """Somebody new, signed in over the API."""
    async with product.account("visitor") as somebody:
        yield somebody


@pytest.fixture
async def faulty(product: Product) -> AsyncIterator[FaultyApi]:
    """The product's API, with faults where a test wants them."""
    async with faulty_api(product.url) as api:
        yield api


Visiting = Callable[..., Visit]


@pytest.fixture
def visiting(monkeypatch: pytest.MonkeyPatch) -> Visiting:
    """Visit the pages without a browser: ``visiting(api_url, token)``."""

    def visit(api_url: str, token: str | None) -> Visit:
        return Visit(monkeypatch, api_url, token)

    return visit


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A real browser; skipped where there is none and none can be installed."""
    path = await chromium()
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        # Containers seldom let it make its sandbox; it only sees our own pages.
        running = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield running
        await running.close()


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A fresh profile."""
    profile = await browser.new_context(viewport={"width": 1200, "height": 900})
    profile.set_default_timeout(PATIENCE_MS)
    yield profile
    await profile.close()


@pytest.fixture
async def page(context: BrowserContext) -> Page:
    """A tab of it."""
    return await context.new_page()
