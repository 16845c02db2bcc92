"""The product with its pages on a data folder: it can be stopped and started again, on the same ports."""

import asyncio
import itertools
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import httpx2

from tests.support.product import Product, running_product

PAGES_WITHIN_SECONDS = 60.0


class House:
    """A running product, and where its pages are. ``settings`` are the product's."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.product: Product
        self.pages = ""
        self.settings: dict[str, object] = {**settings, "ui_enabled": True}
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        """Start it, the first time on any ports, and wait until its pages answer."""
        self.product = await self._stack.enter_async_context(running_product(self.folder / "data", **self.settings))  # type: ignore[arg-type] # none is ready_within
        async with self.product.client(Accept="text/html") as client:
            self.pages = (await client.get("/")).headers["location"]
            async with asyncio.timeout(PAGES_WITHIN_SECONDS):
                await _answering(client, f"{self.pages}_stcore/health")
        self.settings |= {"port": httpx2.URL(self.product.url).port, "ui_port": httpx2.URL(self.pages).port}

    async def stop(self) -> None:
        """Stop it as an operator does."""
        await self._stack.aclose()

    @property
    def log(self) -> str:
        """What the pages' process has said."""
        return (self.folder / "data" / "logs" / "ui.log").read_text(errors="replace")


async def _answering(client: httpx2.AsyncClient, url: str) -> None:
    for pause in itertools.repeat(0.1):
        with suppress(httpx2.TransportError):
            if (await client.get(url)).status_code == 200:
                return
        await asyncio.sleep(pause)
