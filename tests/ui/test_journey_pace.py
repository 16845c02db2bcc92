"""An answer at 50 words a second is on the page as fast as it is said. ``python -m benchmarks.pages`` prints the milliseconds."""

import sys
from pathlib import Path
from uuid import uuid4

from playwright.async_api import Page

from tests.support.pages_in_browser import House, WayIn
from tests.support.pages_in_browser.pace import ClockedOllama, pace_of_an_answer
from tests.support.product import PASSWORD

WORDS = 300


async def test_a_streamed_answer_keeps_up(page: Page, tmp_path: Path) -> None:
    async with ClockedOllama(words=WORDS, interval=0.02) as model:
        house = House(tmp_path, chat_provider="ollama", embedder="hashing", ollama_url=model.url)
        await house.start()
        try:
            await page.goto(house.product.url)
            await WayIn(page).register(f"ada-{uuid4().hex[:8]}", PASSWORD)

            pace = await pace_of_an_answer(page, model, WORDS)
        finally:
            await house.stop()

    sys.stdout.write(f"\n{pace}\n")
    # It is 1.02 on a quiet machine; a page that runs its script for each word is behind by several times as long.
    assert pace.ratio < 1.5
