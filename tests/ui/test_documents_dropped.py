"""Files that are dropped on the documents page: each has its own fate."""

import asyncio
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from tests.support.faulty_api import FaultyApi
from tests.support.pages import Visit
from tests.support.product import Account
from tests.ui.conftest import Visiting

LIST = "/api/v1/chat/documents"
UPLOAD = "/api/v1/chat/upload"
LOOKS = 300


async def until(visit: Visit, holds: Callable[[AppTest], object]) -> AppTest:
    """Look at the page again and again, as its timers make a browser do, until something holds."""
    for _ in range(LOOKS):
        app = await visit.run()
        assert not app.exception, app.exception
        if holds(app):
            return app
        await asyncio.sleep(0.1)
    raise AssertionError(f"it never came to that:\n{visit.text}")


async def test_files_are_sent_at_once_and_each_has_its_own_fate(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    visit = visiting(faulty.url, account.access_token)
    app = await visit.open("documents")

    app.file_uploader[0].set_value(
        [
            ("whales.txt", b"Blue whales eat krill.", "text/plain"),
            ("copy.txt", b"Blue whales eat krill.", "text/plain"),
            ("empty.txt", b"", "text/plain"),
            ("photo.jpg", b"\xff\xd8\xff\xe0picture", "image/jpeg"),
            ('odd *[x]* "<b>" $a_b.txt', "Smørrebrød is eaten with a fork.".encode(), "text/plain"),
            ("broken.pdf", b"%PDF-1.4 and then nothing", "application/pdf"),
        ]
    )
    app = await until(visit, lambda app: len(app.error) == 4 and "Ready" in visit.text and "Sending" not in visit.text)

    refused = "\n".join(error.value for error in app.error)
    assert "You already uploaded this file" in refused
    assert r"**empty\.txt**: The file is empty" in refused
    assert r"**photo\.jpg**: Files with this extension are not supported" in refused
    assert "its text cannot be read" in refused
    await until(visit, lambda app: visit.text.count("Ready") == 2)
    titles = [document["title"] for document in (await account.client.get(LIST)).json()["items"]]
    assert any(title.startswith("odd *") for title in titles)
    assert len(titles) == 3
    # A broken file will be broken again, and nothing is offered for it.
    assert not [button for button in app.button if str(button.key).startswith("retry-")]

    await _click(visit, "dismiss-all")
    assert len(visit.app.error) == 1


async def test_what_was_refused_for_now_can_be_sent_again(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    faulty.refuse("POST", UPLOAD, 503, "blob_store_unavailable", "The file storage is not available right now.")
    visit = visiting(faulty.url, account.access_token)
    app = await visit.open("documents")
    app.file_uploader[0].upload("whales.txt", b"Blue whales eat krill.")
    app = await until(visit, lambda app: app.error)
    assert "The file storage is not available right now" in app.error[0].value

    faulty.clear()
    await _click(visit, "send-again-0")

    await until(visit, lambda app: "Ready" in visit.text)
    assert not visit.app.error


async def test_limits_of_the_account_are_waited_for(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    faulty.refuse("POST", UPLOAD, 429, "rate_limited", "Too much.", **{"Retry-After": "1"})
    visit = visiting(faulty.url, account.access_token)
    app = await visit.open("documents")
    app.file_uploader[0].set_value([(f"{n}.txt", f"File number {n}.".encode(), "text/plain") for n in range(5)])
    await until(visit, lambda app: "Goes on in" in visit.text)

    faulty.clear()

    app = await until(visit, lambda app: visit.text.count("Ready") == 5)
    assert not app.error


async def test_a_limit_that_waiting_does_not_help_against_refuses_the_file(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    faulty.refuse("POST", UPLOAD, 429, "quota_exceeded", "Your account may store 100 documents.")
    visit = visiting(faulty.url, account.access_token)
    app = await visit.open("documents")
    app.file_uploader[0].upload("whales.txt", b"Blue whales eat krill.")

    app = await until(visit, lambda app: app.error)

    assert "may store 100 documents" in app.error[0].value
    assert not [button for button in app.button if button.key == "send-again-0"]


async def _click(visit: Visit, key: str) -> None:
    visit.app.button(key=key).click()
    await visit.run()
    assert not visit.app.exception, visit.app.exception
