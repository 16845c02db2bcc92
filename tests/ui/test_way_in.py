"""Who is not signed in finds the way in, who was signed in is again after a refresh, and who leaves is gone."""

import re

import pytest
from playwright.async_api import BrowserContext, Page, expect
from streamlit.testing.v1 import AppTest

from tests.support.faulty_api import FaultyApi
from tests.support.product import PASSWORD, Account, Product
from tests.ui.conftest import Visiting

ME = "/api/v1/auth/me"
ASK = "Ask about your documents"


def links(app: AppTest) -> list[tuple[str, str]]:
    """The address and the words of every link that the page has in HTML."""
    return [found for part in app.get("html") for found in re.findall(r'href="([^"]+)">([^<]+)<', part.proto.body)]


@pytest.mark.parametrize(
    ("told", "ways"),
    [
        ({"service": "docent", "registration_open": True}, ["Sign in", "Open an account"]),
        ({"service": "docent", "registration_open": False}, ["Sign in"]),
        ({"service": "docent"}, ["Sign in", "Open an account"]),
    ],
)
async def test_a_stranger_is_shown_the_way_in(
    faulty: FaultyApi, visiting: Visiting, told: dict[str, object], ways: list[str]
) -> None:
    faulty.say("GET", "/", told)
    app = await visiting(faulty.url, None).open()

    assert not app.exception
    assert [words for _, words in links(app)] == ways
    assert all(address.startswith(f"{faulty.url}/sign-") for address, _ in links(app))
    assert not app.chat_input
    assert faulty.seen == ["GET /"]


async def test_a_stranger_is_told_that_the_server_is_down_and_tries_again(faulty: FaultyApi, visiting: Visiting) -> None:
    visit = visiting(faulty.url, None)
    app = await visit.run() if faulty.drop("GET", "/") else visit.app
    down = [error.value for error in app.error]
    faulty.clear()
    app.button[0].click()
    await visit.run()

    assert down == ["The server does not answer right now."]
    assert not app.error
    assert links(app)


async def test_a_sign_in_that_ended_leads_back_to_the_way_in(faulty: FaultyApi, visiting: Visiting) -> None:
    app = await visiting(faulty.url, "ds_of_yesterday").open()

    assert not app.exception
    assert [info.value.partition(".")[0] for info in app.info] == ["Your sign-in has ended"]
    assert not app.chat_input


async def test_whoever_is_signed_in_waits_for_a_server_that_is_away(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    visit = visiting(faulty.url, account.access_token)
    faulty.refuse("GET", ME, 503, "database_unavailable", "The database is away.", **{"Retry-After": "1"})
    app = await visit.run()
    said = [error.value for error in app.error]
    faulty.send("GET", ME, b"<html>a proxy speaks</html>")
    await visit.run()
    confused = len(app.error)
    faulty.clear()
    app.button[0].click()
    await visit.run()

    assert said == ["The database is away. Try again in 1 second."]
    assert confused == 1
    assert len(app.chat_input) == 1


async def test_one_click_ends_the_sign_in_and_forgets_what_was_typed(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    visit = visiting(faulty.url, account.access_token)
    app = await visit.open()
    app.session_state["draft"] = "something private"
    faulty.refuse("DELETE", f"{ME}/sign-ins/.*", 503, "database_unavailable", "The database is away.")
    app.button("sign-out").click()
    await visit.run()
    refused, still = [error.value for error in app.error], len(app.chat_input)
    faulty.clear()
    app.button("sign-out").click()
    await visit.run()

    assert (refused, still) == (["The database is away."], 1)
    assert (await account.client.get(ME)).status_code == 401
    assert [info.value for info in app.info] == ["You are signed out."]
    assert "draft" not in app.session_state
    assert not any("next=" in address for address, _ in links(app))


async def test_somebody_new_signs_up_and_is_still_signed_in_after_a_refresh(page: Page, pages: str) -> None:
    await page.goto(pages)
    await page.get_by_role("link", name="Open an account").click()
    await page.get_by_label("Username").fill("newcomer")
    await page.get_by_label("Email").fill("newcomer@example.com")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Open the account").click()
    await expect(page.get_by_placeholder(ASK)).to_be_visible()

    await page.reload()

    await expect(page.get_by_placeholder(ASK)).to_be_visible()
    assert page.url.startswith(pages)


async def test_at_another_name_of_the_host_a_link_leads_through_the_sign_in_and_signing_out_ends_every_tab(
    context: BrowserContext, page: Page, pages: str, product: Product, account: Account
) -> None:
    here = pages.replace("127.0.0.1", "localhost")
    await page.goto(f"{here}account?from=mail")
    await page.get_by_role("link", name="Sign in").click()
    await page.get_by_label("Username or email").fill(account.username)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("tab", name="Profile")).to_be_visible()
    assert page.url == f"{here}account?from=mail"
    other = await context.new_page()
    await other.goto(here)
    await expect(other.get_by_placeholder(ASK)).to_be_visible()

    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_text("You are signed out.")).to_be_visible()
    await other.get_by_test_id("stSidebarNav").get_by_role("link", name="Documents").click()

    await expect(other.get_by_text("Your sign-in has ended.")).to_be_visible()
    await expect(other.get_by_role("link", name="Sign in")).to_be_visible()
    left = (await account.client.get(f"{ME}/sign-ins")).json()["items"]
    assert [sign_in["current"] for sign_in in left] == [True], "the one over the API goes on"
