"""Everybody can use the pages: what axe finds, in both themes, and what the keyboard reaches."""

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.support.product import PASSWORD, Account, Product

HANDBOOK = (
    b"# Leave\n\nEmployees have thirty days of leave in a year.\n\n# Sickness\n\nWho is ill says so before nine in the morning.\n"
)
QUESTION = "How many days of leave do employees have?"
NOT_OURS: dict[str, str] = {}
"""Rules that Streamlit breaks in a way that no page can mend, and why."""
SETTLED = """() => {
  const app = document.querySelector('[data-testid="stApp"]')
  return !app || (app.dataset.testScriptState === 'notRunning' && !document.querySelector('[data-testid="stSkeleton"]'))
}"""
THEME = """theme => {
  const app = document.querySelector('[data-testid="stApp"]')
  return !app || getComputedStyle(app).colorScheme === theme
}"""
FOCUSED = """() => {
  const it = document.activeElement
  if (!it.matches('a, button, input, textarea, [role]')) return ['', true]
  let framed = false
  for (let one = it, level = 0; one && level < 5 && !framed; one = one.parentElement, level++) {
    const style = getComputedStyle(one)
    framed = style.outlineStyle !== 'none' || style.boxShadow !== 'none'
  }
  return [it.getAttribute('aria-label') || it.getAttribute('placeholder') || it.innerText, framed]
}"""
"""The name of what has the focus, and whether a frame around it shows that."""
AT_MOST_TABS = 60


@pytest.fixture
async def session_id(account: Account) -> str:
    """A conversation with an answer from a document."""
    uploaded = (await account.upload("handbook.md", HANDBOOK)).json()
    await account.settled(uploaded["id"])
    answer = await account.answered(QUESTION)
    assert answer["answer_status"] == "grounded", answer
    return str(answer["session_id"])


async def violations(page: Page, name: str) -> list[str]:
    """What axe finds in both themes that bars somebody's way."""
    found = []
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme=theme)
        await page.wait_for_function(THEME, arg=theme)
        await page.wait_for_function(SETTLED)
        for violation in (await Axe().run(page)).response["violations"]:
            if violation["impact"] in {"serious", "critical"} and violation["id"] not in NOT_OURS:
                found += [
                    f"{name}, {theme}: {violation['id']}: {node['failureSummary']} {node['html']}" for node in violation["nodes"]
                ]
    await page.emulate_media(color_scheme="light")
    return found


async def sign_in(page: Page, account: Account) -> None:
    await page.get_by_label("Username or email").fill(account.username)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()


async def test_no_page_bars_anybodys_way(page: Page, pages: str, product: Product, account: Account, session_id: str) -> None:
    await page.goto(pages)
    await expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    found = await violations(page, "welcome")
    await page.goto(f"{product.url}/sign-up")
    found += await violations(page, "sign-up")
    await page.goto(pages)
    await page.get_by_role("link", name="Sign in").click()
    await expect(page.get_by_label("Password")).to_be_visible()
    found += await violations(page, "sign-in")
    await sign_in(page, account)
    await expect(page.get_by_placeholder("Ask about your documents")).to_be_visible()
    found += await violations(page, "chat")
    await page.goto(f"{pages}?session={session_id}")
    await expect(page.get_by_test_id("stChatMessage")).to_have_count(2)
    found += await violations(page, "answer")
    await page.goto(f"{pages}documents")
    await expect(page.get_by_text("handbook").first).to_be_visible()
    found += await violations(page, "documents")
    await page.goto(f"{pages}account")
    for tab in ("Profile", "API keys", "Sign-ins", "Usage"):
        await page.get_by_role("tab", name=tab).click()
        await expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
        found += await violations(page, f"account, {tab}")

    assert found == []


async def test_the_keyboard_reaches_sources_and_asks(page: Page, pages: str, account: Account, session_id: str) -> None:
    # The very conversation is shown after the way in.
    await page.goto(f"{pages}?session={session_id}")
    await page.get_by_role("link", name="Sign in").click()
    await sign_in(page, account)
    await expect(page.get_by_test_id("stChatMessage")).to_have_count(2)
    box = page.get_by_placeholder("Ask about your documents")
    await box.fill("And who is ill?")
    await page.wait_for_function(SETTLED)
    await page.evaluate("document.activeElement.blur()")

    reached = []
    for _ in range(AT_MOST_TABS):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate(FOCUSED))
    names = [name for name, _ in reached if name]

    for wanted in ("handbook", "Ask about your documents", "Send message", "Sign out"):
        assert any(wanted in name for name in names), f"{wanted!r} is not among {names}"
    assert [name for name, seen in reached if name and not seen] == []
    await box.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("stChatMessage")).to_have_count(4)
