"""Who is not signed in finds the way in, and who was signed in is again after a refresh."""

from playwright.async_api import Page, expect

from tests.support.faulty_api import FaultyApi
from tests.support.product import PASSWORD, Account
from tests.ui.conftest import Visiting


async def test_a_stranger_is_shown_the_way_in(faulty: FaultyApi, visiting: Visiting) -> None:
    visit = visiting(faulty.url, None)
    app = await visit.open()

    assert not app.exception
    assert [title.value for title in app.title] == ["Docent"]
    assert not app.chat_input
    assert faulty.seen == []


async def test_a_sign_in_that_ended_leads_back_to_the_way_in(faulty: FaultyApi, visiting: Visiting) -> None:
    app = await visiting(faulty.url, "ds_of_yesterday").open()

    assert not app.exception
    assert not app.chat_input


async def test_whoever_is_signed_in_may_ask(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    app = await visiting(faulty.url, account.access_token).open()

    assert not app.exception
    assert len(app.chat_input) == 1


async def test_somebody_new_signs_up_and_is_still_signed_in_after_a_refresh(page: Page, pages: str) -> None:
    await page.goto(pages)
    await page.get_by_role("link", name="Open an account").click()
    await page.get_by_label("Username").fill("newcomer")
    await page.get_by_label("Email").fill("newcomer@example.com")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Open the account").click()
    await expect(page.get_by_placeholder("Ask about your documents")).to_be_visible()

    await page.reload()

    await expect(page.get_by_placeholder("Ask about your documents")).to_be_visible()
    assert page.url.startswith(pages)
