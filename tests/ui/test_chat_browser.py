"""A slow answer in a real browser: refreshed, watched in two tabs, and stopped."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.support.ollama import StandInOllama
from tests.support.product import PASSWORD, Account, Product

WORDS = 2000


@pytest.fixture
async def slow(model: StandInOllama) -> AsyncIterator[StandInOllama]:
    """A model that counts, slowly enough for everything that is done meanwhile."""
    before = model.reply, model.interval
    model.reply, model.interval = [f"word{number} " for number in range(WORDS)], 0.05
    yield model
    model.reply, model.interval = before


@pytest.fixture
async def signed_in(context: BrowserContext, product: Product, account: Account) -> None:
    """The browser has the cookie of an account."""
    async with product.client(Origin=product.url) as client:
        answer = await client.post("/sign-in", data={"username": account.username, "password": PASSWORD})
        cookie: httpx2.Cookies = answer.cookies
    await context.add_cookies([{"name": "docent_session", "value": cookie["docent_session"], "url": product.url}])


@pytest.mark.usefixtures("signed_in")
async def test_an_answer_survives_a_refresh_is_seen_in_two_tabs_and_stopped_in_one(
    context: BrowserContext, page: Page, pages: str, slow: StandInOllama, account: Account
) -> None:
    dropped = slow.streams_dropped
    await page.goto(pages)
    box = page.get_by_placeholder("Ask about your documents")
    await box.fill("Count, please.")
    await box.press("Enter")
    await expect(page.get_by_test_id("stChatMessage").get_by_text("Count, please.")).to_be_visible()
    await expect(page.get_by_text("word3 ")).to_be_visible()
    session_id = page.url.rpartition("session=")[2]

    await page.reload()
    await expect(page.get_by_text("word0 word1 word2 word3 ")).to_be_visible()
    other = await context.new_page()
    await other.goto(page.url)
    await expect(other.get_by_text("word0 word1 word2 word3 ")).to_be_visible()
    # It goes on in both.
    for tab in (page, other):
        said = await tab.get_by_text("word0 ").inner_text()
        await expect(tab.get_by_text("word0 ")).not_to_have_text(said)

    await page.get_by_role("link", name="Documents", exact=True).click()
    await page.get_by_role("link", name="Chat", exact=True).click()
    await expect(page.get_by_text("word0 word1 word2 word3 ")).to_be_visible()
    await page.get_by_role("button", name="Stop").click()
    await slow.dropped(dropped + 1)
    for tab in (page, other):
        await expect(tab.get_by_text("Stopped. What was said until then is kept.")).to_be_visible()
        await expect(tab.get_by_text("word0 word1 word2 word3 ")).to_be_visible()
    stored = (await account.client.get(f"/api/v1/chat/sessions/{session_id}/messages")).json()["items"][-1]
    assert stored["status"] == "stopped"
    assert stored["content"].startswith("word0 word1 word2 word3 ")
