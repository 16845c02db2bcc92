"""Documents in a real browser: what was dropped comes to its end on the page, without a reload."""

import re
from pathlib import Path

import httpx2
from playwright.async_api import BrowserContext, Page, expect

from tests.support.product import NO_TLS, PASSWORD, Account, Product
from tests.ui.conftest import PATIENCE_MS

HANDBOOK = Path(__file__).parents[2] / "examples" / "handbook.pdf"


async def signed_in(context: BrowserContext, product: Product, account: Account) -> None:
    """Give a browser the cookie that the form sets."""
    form = {"username": account.username, "password": PASSWORD}
    async with httpx2.AsyncClient(base_url=product.url, verify=NO_TLS) as client:
        answer = await client.post("/sign-in", data=form, headers={"Origin": product.url})
    await context.add_cookies([{"name": "docent_session", "value": answer.cookies["docent_session"], "url": product.url}])


async def test_a_file_and_a_broken_one_come_to_their_end_by_themselves(
    page: Page, pages: str, product: Product, account: Account, tmp_path: Path
) -> None:
    await signed_in(page.context, product, account)
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4 and then nothing")
    await page.goto(f"{pages}documents")
    await expect(page.get_by_text("Nothing here yet")).to_be_visible(timeout=PATIENCE_MS)

    await page.locator("input[type=file]").set_input_files([HANDBOOK, broken])

    await expect(page.get_by_text(re.compile("Ready$"))).to_be_visible(timeout=PATIENCE_MS)
    await expect(page.get_by_text(re.compile("Failed$"))).to_be_visible(timeout=PATIENCE_MS)
    await expect(page.get_by_text("its text cannot be read")).to_be_visible(timeout=PATIENCE_MS)
    titles = [document["title"] for document in (await account.client.get("/api/v1/chat/documents")).json()["items"]]
    assert len(titles) == 2  # Each was sent once.

    await page.get_by_role("button", name="handbook").click()
    await expect(page.get_by_text("Part 1 of")).to_be_visible(timeout=PATIENCE_MS)
    await page.reload()
    await expect(page.get_by_text("Part 1 of")).to_be_visible(timeout=PATIENCE_MS)
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="Download").click()
    await (await downloading.value).save_as(tmp_path / "original.pdf")
    assert (tmp_path / "original.pdf").read_bytes() == HANDBOOK.read_bytes()

    await page.get_by_role("button", name="Ask about this document").click()
    await page.wait_for_url("**session=*")
    sessions = (await account.client.get("/api/v1/chat/sessions")).json()["items"]
    assert [len(session["document_ids"]) for session in sessions] == [1]
