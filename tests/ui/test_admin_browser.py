"""Administration in a real browser: what only that can do is select a row, and answer a dialog."""

from contextlib import suppress

from playwright.async_api import BrowserContext, Locator, expect

from tests.support.administrator import administrator
from tests.support.product import PASSWORD, Account, Product
from tests.ui.conftest import PATIENCE_MS


async def test_in_a_browser_a_row_is_selected_and_its_account_deleted(
    product: Product, pages: str, account: Account, context: BrowserContext
) -> None:
    (await account.ask("What is new?")).raise_for_status()
    async with administrator(product) as admin, product.client(Origin=product.url) as client:
        form = {"username": admin.username, "password": PASSWORD}
        signed_in = await client.post("/sign-in", data=form)
        await context.add_cookies([{"name": "docent_session", "value": signed_in.cookies["docent_session"], "url": product.url}])
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Security Policy" in message.text else None)

    await page.goto(f"{pages}admin?tab=Usage")
    await expect(page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg").first).to_be_visible(
        timeout=PATIENCE_MS
    )
    await page.get_by_role("tab", name="Users").click()
    await page.get_by_label("Search for a name").fill(account.username)
    await page.keyboard.press("Enter")
    table = page.get_by_test_id("stDataFrame").filter(visible=True)
    # The table is a canvas; what it shows is in it for screen readers. A name is in the column of addresses as well.
    await expect(table.locator("td", has_text=admin.username)).to_have_count(0, timeout=PATIENCE_MS)
    await expect(table.locator("td", has_text=account.username)).to_have_count(2, timeout=PATIENCE_MS)
    delete = page.get_by_role("button", name="Delete")
    await _selected(table, delete)
    await delete.click()
    await page.get_by_label("Type the username to confirm").fill(account.username)
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Delete the account").click()

    await expect(page.get_by_text(f"The account {account.username} was deleted.")).to_be_visible(timeout=PATIENCE_MS)
    assert page.url.endswith("tab=Users")
    assert complaints == []


async def _selected(table: Locator, offered: Locator) -> None:
    """Select the first row. A click on a canvas that is being drawn anew is lost, and nobody tells."""
    for _ in range(4):
        await table.click(position={"x": 18, "y": 52})
        with suppress(AssertionError):
            await expect(offered).to_be_visible(timeout=PATIENCE_MS / 4)
            return
    await expect(offered).to_be_visible()
