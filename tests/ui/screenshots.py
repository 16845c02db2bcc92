"""Take the pictures of the documentation anew: ``make screenshots``. It starts a product of its own, and uses it."""

import asyncio
import io
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.support.chromium import chromium
from tests.support.ollama.gated import GatedOllama
from tests.support.pages_in_browser import AccountPage, ChatPage, DocumentsPage, House, words
from tests.support.product import run_docent
from tests.ui.scenery import QUESTIONS, documents, reply

IMAGES = Path(__file__).parents[2] / "docs" / "images"
SIZE = {"width": 1200, "height": 800}
PHONE = {"width": 390, "height": 800}
COLORS = 128
MOST_BYTES = 120_000
PATIENCE_MS = 120_000
NAMES = ("sign-in", "chat", "source", "documents", "account", "usage", "admin", "phone", "dark")


async def main() -> None:
    """Take them all."""
    expect.set_options(timeout=PATIENCE_MS)
    IMAGES.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="docent-pictures-")))
        ollama = await stack.enter_async_context(GatedOllama())
        ollama.reply = reply
        house = House(folder, chat_provider="ollama", embedder="ollama", ollama_url=ollama.url)
        await house.start()
        stack.push_async_callback(house.stop)
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(
            executable_path=await chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        stack.push_async_callback(browser.close)
        await _visit(browser, house, ollama, folder)


async def _visit(browser: Browser, house: House, ollama: GatedOllama, folder: Path) -> None:
    context = await browser.new_context(viewport=SIZE, color_scheme="light", timezone_id="Europe/Berlin", locale="en-GB")  # type: ignore[arg-type] # a size
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    await _sign_in(page, house)
    paths = []
    for name, data in documents().items():
        path = folder / name
        path.write_bytes(data)
        paths.append(path)
    shown = DocumentsPage(page)
    await shown.open()
    await shown.add([paths[0]])
    await expect(shown.ready.first).to_be_visible()
    await shown.add([paths[1], paths[3]])
    await expect(shown.failed.first).to_be_visible()
    await expect(shown.ready.nth(1)).to_be_visible()
    ollama.gate.clear()
    await shown.add([paths[2]])
    await expect(shown.at_work.first).to_be_visible()
    await take(page, "documents")
    ollama.gate.set()
    await expect(shown.ready.nth(2)).to_be_visible()
    await _ask(page)
    await _account(page)
    await page.get_by_role("link", name=words.ADMINISTRATION).first.click()
    await shown.settled()
    await take(page, "admin")
    await _elsewhere(context, page)


async def _sign_in(page: Page, house: House) -> None:
    code, said = await run_docent(house.product, "user", "create", "ada", "--email", "ada@lindenhof.example", "--admin")
    if code:
        raise RuntimeError(said)
    await page.goto(house.product.url)
    await page.get_by_role("link", name=words.SIGN_IN).first.click()
    await page.get_by_label(words.USERNAME).fill("ada")
    await page.get_by_label(words.PASSWORD).fill(said.split()[-1])
    await take(page, "sign-in")
    await page.get_by_role("button", name=words.SIGN_IN).click()
    await expect(page.get_by_placeholder(words.ASK)).to_be_visible()


async def _ask(page: Page) -> None:
    chat = ChatPage(page)
    await chat.open()
    for question in reversed(QUESTIONS):
        await page.get_by_role("button", name="New conversation").click()
        await expect(chat.answers).to_have_count(0)
        await chat.ask(question)
        await chat.answered()
    await take(page, "chat")
    await chat.open_source(1)
    await take(page, "source")
    await chat.close_dialog()


async def _account(page: Page) -> None:
    account = AccountPage(page)
    await account.open()
    await account.make_key("laptop")
    # A key is nobody else's, not even in a picture.
    await account.keep_key()
    await take(page, "account")
    await account.choose_tab(words.USAGE)
    await take(page, "usage")


async def _elsewhere(context: BrowserContext, page: Page) -> None:
    """The chat again, in the dark, and on a phone."""
    chat = ChatPage(page)
    await chat.open()
    await chat.conversation(next(iter(QUESTIONS))).click()
    await expect(chat.answers).to_have_count(1)
    address = page.url
    for name, scheme, size in (("dark", "dark", SIZE), ("phone", "light", PHONE)):
        tab = await context.new_page()
        await tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await tab.set_viewport_size(size)  # type: ignore[arg-type] # a size
        await tab.goto(address)
        await expect(ChatPage(tab).answers).to_have_count(1)
        await take(tab, name)
        await tab.close()


async def take(page: Page, name: str) -> None:
    """Take a picture of what the window shows, in few colours, once nothing moves."""
    await page.mouse.move(SIZE["width"] // 2, 4)  # Nothing is pointed at.
    await page.evaluate("document.fonts.ready.then(() => true)")
    await expect(page.get_by_test_id("stToast")).to_have_count(0)
    await page.wait_for_timeout(1200)  # A picture of a fade is no proof of anything; the dialogs of Streamlit take half a second.
    await expect(page.locator('[data-stale="true"]')).to_have_count(0)
    if await page.get_by_test_id("stException").count():
        raise RuntimeError(f"the page for {name}.png shows an exception")
    picture = Image.open(io.BytesIO(await page.screenshot(animations="disabled", caret="hide"))).convert("RGB")
    path = IMAGES / f"{name}.png"
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stdout.write(f"{path.name}: {path.stat().st_size / 1000:.0f} KB\n")


if __name__ == "__main__":
    asyncio.run(main())
