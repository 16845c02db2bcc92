"""The whole journey in a real browser, against a running product with the stand-in model: what issue 7 must show, in its order."""

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.support.ollama.gated import GatedOllama
from tests.support.ollama.replies import grounded_reply
from tests.support.pages_in_browser import AccountPage, ChatPage, DocumentsPage, House, WayIn, Witness, words
from tests.support.product import PASSWORD

HANDBOOK = Path(__file__).parents[2] / "examples" / "handbook.pdf"
QUESTION = "Which number do I call in an emergency?"
LONG_REPLY = [f"word{number} " for number in range(2000)]


@pytest.fixture
async def ollama() -> AsyncIterator[GatedOllama]:
    """A model whose embeddings can be held."""
    async with GatedOllama() as model:
        yield model


@pytest.fixture
async def house(ollama: GatedOllama, tmp_path: Path) -> AsyncIterator[House]:
    """A running product of this test's own."""
    built = House(tmp_path, chat_provider="ollama", embedder="ollama", ollama_url=ollama.url)
    await built.start()
    yield built
    await built.stop()


async def test_the_whole_journey(house: House, ollama: GatedOllama, context: BrowserContext, tmp_path: Path) -> None:
    witness = Witness("127.0.0.1")
    await witness.watch(context)
    page = await context.new_page()
    username = f"ada-{uuid4().hex[:8]}"

    await page.goto(house.product.url)
    await WayIn(page).register(username, PASSWORD)
    await _uploads(page, ollama, tmp_path)
    await _asks_and_looks_at_the_source(page, house, username)
    await _stops_an_answer(page, house, ollama, username)
    await page.reload()
    await expect(ChatPage(page).answers).to_have_count(2)
    await _is_still_signed_in_after_a_restart(page, house, witness)
    await _renames_and_deletes(page)
    await _uses_a_key_with_curl(page, house)
    await _signs_out(page, context, house)

    assert witness.complaints == []
    assert "Traceback" not in house.log


async def _uploads(page: Page, ollama: GatedOllama, folder: Path) -> None:
    broken = folder / "broken.pdf"
    broken.write_bytes(HANDBOOK.read_bytes()[:1500])
    documents = DocumentsPage(page)
    ollama.gate.clear()
    await documents.open()
    await documents.add([HANDBOOK, broken])
    # The handbook waits for the model, and the page says how far it is; the other one has failed by itself, in words.
    await expect(documents.failed.first).to_be_visible()
    await expect(documents.at_work.first).to_be_visible()
    await expect(documents.ready).to_have_count(0)
    ollama.gate.set()
    await expect(documents.ready.first).to_be_visible()


async def _asks_and_looks_at_the_source(page: Page, house: House, username: str) -> None:
    chat = ChatPage(page)
    await chat.open()
    await chat.ask(QUESTION)
    await chat.answered()
    await expect(chat.answers.last).to_contain_text("555")

    _, answer = await _stored(house, username)
    cited = next(source for source in answer["sources"] if source["cited"])
    mark = await chat.open_source(cited["marker"])

    await expect(mark).to_be_in_viewport()
    assert await mark.text_content() == cited["quote"]
    await chat.close_dialog()


async def _stops_an_answer(page: Page, house: House, ollama: GatedOllama, username: str) -> None:
    chat = ChatPage(page)
    ollama.reply, ollama.interval = LONG_REPLY, 0.05
    try:
        await chat.ask("Tell me everything.")
        await expect(chat.answers.last).to_contain_text("word5 ")
        await chat.stop_button.click()
        await ollama.dropped()
        await expect(chat.answers.last.get_by_text(words.STOPPED).first).to_be_visible()
    finally:
        ollama.reply, ollama.interval = grounded_reply, 0.0

    stopped = (await _stored(house, username))[-1]
    assert stopped["status"] == "stopped"
    assert stopped["content"].startswith("word0 word1 word2")
    await expect(chat.answers.last).to_contain_text(stopped["content"].split()[-1])


async def _is_still_signed_in_after_a_restart(page: Page, house: House, witness: Witness) -> None:
    kept = await _sign_in_cookie(page.context)
    assert kept
    with witness.while_the_server_is_away():
        await house.stop()
        await house.start()
        await page.goto(house.product.url)
        await WayIn(page).is_in()
    assert await _sign_in_cookie(page.context) == kept


async def _renames_and_deletes(page: Page) -> None:
    chat = ChatPage(page)
    await chat.conversation(QUESTION).click()
    await expect(chat.answers).to_have_count(2)
    await chat.rename("In an emergency")
    await chat.delete()
    await expect(chat.conversation("In an emergency")).to_have_count(0)
    await expect(chat.answers).to_have_count(0)


async def _uses_a_key_with_curl(page: Page, house: House) -> None:
    account = AccountPage(page)
    await account.open()
    line = await account.make_key("laptop")
    await account.keep_key()

    shell = await asyncio.create_subprocess_exec("bash", "-c", line, stdout=PIPE, stderr=PIPE)
    said, complained = await shell.communicate()

    assert shell.returncode == 0, complained
    answer = json.loads(said)
    assert answer["status"] == "complete", (answer, house.product.lines)
    assert answer["answer"]


async def _signs_out(page: Page, context: BrowserContext, house: House) -> None:
    way = WayIn(page)
    await ChatPage(page).open()
    await way.sign_out()
    await page.goto(house.pages)
    await way.is_out()
    # Only the API's own pages can take the cookie away. What is left opens nothing.
    async with house.product.client(Authorization=f"Bearer {await _sign_in_cookie(context)}") as client:
        assert (await client.get("/api/v1/auth/me")).status_code == 401


async def _sign_in_cookie(context: BrowserContext) -> str | None:
    return next((cookie.get("value") for cookie in await context.cookies() if cookie.get("name") == "docent_session"), None) or None


async def _stored(house: House, username: str) -> list[dict[str, Any]]:
    """Return the messages of somebody's only conversation, as the API tells them."""
    async with house.product.client() as client:
        signed_in = await client.post("/api/v1/auth/login", json={"username": username, "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"
        (session,) = (await client.get("/api/v1/chat/sessions")).json()["items"]
        found: list[dict[str, Any]] = (await client.get(f"/api/v1/chat/sessions/{session['id']}/messages")).json()["items"]
        return found
