"""How soon the pages are there, and how well they follow an answer: ``python -m benchmarks.pages``.

The product is started on a folder with an account whose browser is still signed in. Times begin with the process, and with its line
that says that it is ready; they end with the browser's first contentful paint, and with a box for questions that can be used.
"""

import argparse
import asyncio
import platform
import tempfile
from contextlib import suppress
from pathlib import Path
from time import time

from playwright.async_api import BrowserContext, Error, Page, async_playwright, expect

from tests.support.chromium import chromium
from tests.support.pages_in_browser import ChatPage, House, WayIn
from tests.support.pages_in_browser.pace import ClockedOllama, pace_of_an_answer, streamlit_seconds
from tests.support.product import PASSWORD, running_product

PATIENCE_MS = 120_000
PAINTED = """() => new Promise((resolve) => new PerformanceObserver((list) => {
  const paint = list.getEntriesByName("first-contentful-paint")[0];
  if (paint) resolve((performance.timeOrigin + paint.startTime) / 1000);
}).observe({type: "paint", buffered: true}))"""


async def main(starts: int, seconds: float) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    words = int(seconds * 50)
    print(f"{platform.machine()}, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="docent-pages-") as folder:
        async with ClockedOllama(words=words, interval=0.02) as model, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=await chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            context = await browser.new_context()
            context.set_default_timeout(PATIENCE_MS)
            house = House(Path(folder), chat_provider="ollama", embedder="hashing", ollama_url=model.url)
            page = await context.new_page()
            await house.start()
            await page.goto(house.product.url)
            await WayIn(page).register("ada", PASSWORD)
            before = streamlit_seconds(house.product.process.pid)
            print(await pace_of_an_answer(page, model, words))
            used = streamlit_seconds(house.product.process.pid) - before
            print(f"the pages' process used {used * 1000 / words:.2f} s of a core for 1,000 tokens")
            await page.close()
            await house.stop()
            for _ in range(starts):
                await _first_paint(house, context)
            await browser.close()


async def _first_paint(house: House, context: BrowserContext) -> None:
    page = await context.new_page()
    begun = time()
    async with running_product(house.folder / "data", **house.settings) as product:
        ready = time()
        await _opened(page, product.url)
        painted = await page.evaluate(PAINTED)
        await expect(ChatPage(page).box).to_be_visible()
        usable = time()
        print(
            f"first paint {painted - ready:.2f} s after the line that it is ready ({painted - begun:.2f} s after its beginning); "
            f"questions can be asked after {usable - ready:.2f} s"
        )
    await page.close()


async def _opened(page: Page, url: str) -> None:
    """Open the page as somebody who tries again as long as nobody answers."""
    while True:
        with suppress(Error):
            await page.goto(url)
            return
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=3, help="how often it is started")
    parser.add_argument("--seconds", type=float, default=20, help="how long the answer is")
    chosen = parser.parse_args()
    asyncio.run(main(chosen.starts, chosen.seconds))
