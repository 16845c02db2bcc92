"""The product with its pages on a data folder: it can be stopped and started again, on the same ports."""

from contextlib import AsyncExitStack
from pathlib import Path

import httpx2

from tests.support.product import Product, running_product


class House:
    """A running product, and where its pages are. ``settings`` are the product's."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.product: Product
        self.pages = ""
        self.settings: dict[str, object] = {**settings, "ui_enabled": True}
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        """Start it, the first time on any ports. When it says that it is ready, its pages answer."""
        self.product = await self._stack.enter_async_context(running_product(self.folder / "data", **self.settings))  # type: ignore[arg-type] # none is ready_within
        async with self.product.client(Accept="text/html") as client:
            self.pages = (await client.get("/")).headers["location"]
        self.settings |= {"port": httpx2.URL(self.product.url).port, "ui_port": httpx2.URL(self.pages).port}

    async def stop(self) -> None:
        """Stop it as an operator does."""
        await self._stack.aclose()

    @property
    def log(self) -> str:
        """What the pages' process has said."""
        return (self.folder / "data" / "logs" / "ui.log").read_text(errors="replace")
