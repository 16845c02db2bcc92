"""Sources are numbered chips, and each opens its quote in its place, whatever became of the document."""

from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, expect
from streamlit.testing.v1 import AppTest

from tests.support.faulty_api import FaultyApi
from tests.support.pages import Visit
from tests.support.product import Account
from tests.ui.conftest import Visiting
from ui.parts.passages import COLUMNS, ROWS, in_place, lead
from ui.parts.sources import Source, label

QUESTION = "Who calibrates the spectrograph?"
SENTENCE = "Marta Quispe calibrates the spectrograph every Tuesday."
TEXT = "".join(f"Line {number} of the log says that nothing happened.\n" for number in range(200))
NOTES = f"{TEXT}\n{SENTENCE} <b>Ask</b> her.\n\n{TEXT}"
HOSTILE = "<script>alert(1)</script> [x](http://evil.example) $a$"
TEXTS = "/api/v1/chat/documents/[^/]+/text"


async def told(account: Account, name: str = "log.txt", text: str = NOTES, **fields: str) -> dict[str, Any]:
    """Have a question answered from a document."""
    document = (await account.upload(name, text.encode(), **fields)).json()
    assert (await account.settled(document["id"]))["status"] == "ready"
    return await account.answered(QUESTION)


async def opened(visit: Visit, answer: dict[str, Any]) -> AppTest:
    """Open the conversation."""
    visit.app.query_params["session"] = answer["session_id"]
    return await visit.open()


async def clicked(visit: Visit, answer: dict[str, Any], marker: int = 1) -> str:
    """Click a chip, and return the passage that it opens."""
    visit.app.button(key=f"source-{answer['message_id']}-{marker}").click()
    app = await visit.run()
    assert not app.exception
    return next((str(html.proto.body) for html in app.get("html") if '"passage"' in html.proto.body), "")


async def test_a_chip_opens_the_quote_in_its_place_with_the_text_around_it(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    answer = await told(account, title=HOSTILE)
    visit = visiting(faulty.url, account.access_token)
    app = await opened(visit, answer)
    source = next(source for source in answer["sources"] if source["cited"])
    chip = app.button(key=f"source-{answer['message_id']}-{source['marker']}")
    assert chip.label.startswith(f"{source['marker']} · \\<script\\>")

    passage = await clicked(visit, answer, source["marker"])

    assert f"<mark>{source['quote']}</mark>" in passage
    assert "&lt;b&gt;Ask&lt;/b&gt; her." in passage
    assert "Line 199 " in passage.partition("<mark>")[0]
    assert "Line 0 " in passage.partition("</mark>")[2]
    heads = [
        str(html.proto.body) for html in app.get("html") if "source-head" in html.proto.body and "<style>" not in html.proto.body
    ]
    assert "&lt;script&gt;alert(1)&lt;/script&gt; [x](http://evil.example) $a$" in heads[0]
    # The end of an answer makes the page run again; who reads goes on reading.
    await visit.run()
    assert [button.label for button in app.download_button] == ["Download the file"]


async def test_a_deleted_document_leaves_its_quote(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    answer = await told(account)
    source = next(source for source in answer["sources"] if source["cited"])
    await account.client.delete(f"/api/v1/chat/documents/{source['document_id']}")
    visit = visiting(faulty.url, account.access_token)
    await opened(visit, answer)

    passage = await clicked(visit, answer, source["marker"])

    assert f"<mark>{source['quote']}</mark>" in passage
    assert "This document was deleted." in visit.text
    assert not visit.app.download_button


async def test_a_replaced_document_is_read_as_it_was(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    answer = await told(account)
    source = next(source for source in answer["sources"] if source["cited"])
    place = f"/api/v1/chat/documents/{source['document_id']}"
    await account.client.put(f"{place}/file", files={"file": ("log.txt", b"Nobody calibrates anything.")})
    await account.settled(source["document_id"])
    visit = visiting(faulty.url, account.access_token)
    await opened(visit, answer)

    passage = await clicked(visit, answer, source["marker"])

    assert f"<mark>{source['quote']}</mark>" in passage
    assert "Line 199 " in passage
    assert "The document was replaced since." in visit.text


@pytest.mark.parametrize("fault", ["refused", "dropped", "html", "shape"])
async def test_a_text_that_cannot_be_had_leaves_the_quote(
    fault: str, faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    answer = await told(account)
    source = next(source for source in answer["sources"] if source["cited"])
    visit = visiting(faulty.url, account.access_token)
    await opened(visit, answer)
    if fault == "refused":
        faulty.refuse("GET", TEXTS, 503, "database_unavailable", "The database is down.")
    elif fault == "dropped":
        faulty.drop("GET", TEXTS)
    elif fault == "html":
        faulty.send("GET", TEXTS, b"<html>Bad gateway</html>", status=502)
    else:
        faulty.say("GET", TEXTS, ["something", "else"])

    passage = await clicked(visit, answer, source["marker"])

    assert f"<mark>{source['quote']}</mark>" in passage
    assert "the quote as it was kept with the answer" in visit.text
    assert visit.app.chat_input


async def test_what_was_not_cited_is_there_too_and_all_can_be_leafed_through(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    answer = await told(account)
    messages = (await account.client.get(f"/api/v1/chat/sessions/{answer['session_id']}/messages")).json()
    said = messages["items"][-1]
    first = next(source for source in said["sources"] if source["cited"])
    others = [{**first, "marker": marker, "cited": False, "title": f"Other {marker}", "page": 3} for marker in (7, 8)]
    said["sources"] = [first, *others, {"marker": "none"}]
    faulty.say("GET", "/api/v1/chat/sessions/[^/]+/messages", messages)
    visit = visiting(faulty.url, account.access_token)
    app = await opened(visit, answer)
    assert app.button(key=f"source-{said['id']}-7").label == "7 · Other 7, p\\. 3"
    assert any(block.proto.popover.label == "More that was found (2)" for block in app.get("popover"))

    await clicked(visit, answer, 7)
    app.button(key="source-next").click()
    await visit.run()

    assert "3 of 3" in visit.text
    assert app.button(key="source-next").disabled
    assert not app.button(key="source-previous").disabled
    app.button(key="source-document").click()
    await visit.run()
    assert app.query_params["document"] in (first["document_id"], [first["document_id"]])
    assert app.button(key="ask").label == "Ask about this document"


def test_a_chip_is_one_short_line_whatever_the_title_holds() -> None:
    def of(title: str) -> str:
        told = {"marker": 2, "document_id": "d", "version": 1, "title": title, "page": 4, "heading": None}
        source = Source.of({**told, "start": 0, "end": 1, "quote": "q", "cited": True})
        assert source is not None
        return label(source)

    assert of("Two\n lines\t") == "2 · Two lines, p. 4"
    assert of("x" * 200) == f"2 · {'x' * 31}…, p. 4"
    # Apart from its surroundings, so that the number stays in front.
    assert of("שלום") == "2 · \N{FIRST STRONG ISOLATE}שלום\N{POP DIRECTIONAL ISOLATE}, p. 4"
    assert of("exe\N{RIGHT-TO-LEFT OVERRIDE}fdp.gpj") == "2 · exefdp.gpj, p. 4"
    assert Source.of({"marker": 1}) is None
    assert Source.of(None) is None


@pytest.mark.parametrize(
    "before",
    ["a\n" * 500, "word " * 900, "字" * 900, "x" * 2000, ""],
    ids=["lines", "words", "characters", "one word", "nothing"],
)
def test_a_quote_begins_on_the_first_screen(before: str) -> None:
    kept = lead(before)

    assert before.endswith(kept)
    assert bool(kept) == bool(before)
    assert kept.count("\n") <= ROWS
    assert len(kept) <= ROWS * COLUMNS
    assert in_place(kept, "<i>", "&").endswith("<mark>&lt;i&gt;</mark>&amp;</div>")


async def test_in_a_browser_the_marked_quote_is_in_sight(pages: str, account: Account, context: BrowserContext, page: Page) -> None:
    answer = await told(account)
    await context.add_cookies([{"name": "docent_session", "value": account.access_token, "url": pages}])
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto(f"{pages}?session={answer['session_id']}")

    await page.get_by_role("button", name="1 · log").click()

    mark = page.get_by_role("dialog").locator("mark")
    await expect(mark).to_contain_text(SENTENCE)
    await expect(mark).to_be_in_viewport(ratio=1)
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download the file").click()
    assert (await (await download.value).path()).read_text() == NOTES
    await page.get_by_role("dialog").get_by_role("button", name="Close").click()
    await expect(mark).to_have_count(0)
