"""The documents page: the list in all its states."""

from typing import Any

import pytest
import streamlit as st
from aiohttp import web
from streamlit.testing.v1 import AppTest

from tests.support.faulty_api import FaultyApi
from tests.support.pages import Visit
from tests.support.product import Account
from tests.ui.conftest import Visiting

LIST = "/api/v1/chat/documents"


async def test_an_empty_page_says_what_may_be_dropped(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    app = await visiting(faulty.url, account.access_token).open("documents")

    assert not app.exception
    assert "Nothing here yet" in app.info[0].value
    assert "PDF" in app.info[0].value
    assert not app.text_input


async def test_a_quiet_list_is_not_looked_at_again_and_again(
    faulty: FaultyApi, account: Account, visiting: Visiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers: list[float] = []
    fragment = st.fragment

    def counted(function: Any, *, run_every: float | None = None) -> Any:
        timers.extend([run_every] if run_every else [])
        return fragment(function, run_every=run_every)

    ready = await account.settled((await account.upload("whales.txt", b"Blue whales eat krill.")).json()["id"])
    visit = visiting(faulty.url, account.access_token)
    monkeypatch.setattr(st, "fragment", counted)
    await visit.open("documents")
    assert "Ready" in visit.text
    assert not timers

    faulty.say("GET", LIST, {"items": [{**ready, "status": "pending"}], "next_cursor": None})
    await visit.run()
    assert len(timers) == 1


async def test_every_state_is_told_in_words(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    ready = await account.settled((await account.upload("whales.txt", b"Blue whales eat krill.")).json()["id"])
    shown: list[dict[str, Any]] = [
        {"status": "processing", "stage": "embedding", "progress": {"done": 30, "total": 120}},
        {"status": "pending", "waiting_for": "The embedding model is not available right now."},
        {"status": "failed", "error": {"code": "parser_timeout", "message": "Reading it took too long."}},
        {"status": "ready", "notes": ["Page 3 could not be read."], "pages": 12, "chunks": 1234, "size": 2_500_000},
        {"status": "failed", "version": 2, "error": {"code": "cancelled", "message": "Indexing was cancelled."}},
    ]
    items = [{**ready, "id": f"{ready['id'][:-1]}{n}", **change} for n, change in enumerate(shown)]
    faulty.say("GET", LIST, {"items": items, "next_cursor": None})
    retried: list[str] = []

    async def retry(request: web.Request) -> web.Response:
        retried.append(request.path)
        return web.json_response({"detail": "This document has not failed.", "code": "document_state"}, status=409)

    faulty.answer("POST", f"{LIST}/.*/(retry|cancel)", retry)
    visit = visiting(faulty.url, account.access_token)
    app = await visit.open("documents")

    assert not app.exception
    text = visit.text
    for words in ("Being read", "Waiting", "Failed", "Ready"):
        assert words in text
    assert "Indexing its passages, 30 of 120" in [bar.proto.text for bar in app.get("progress")]
    assert r"The embedding model is not available right now\. It goes on" in text
    assert r"Page 3 could not be read\." in text
    assert r"2\.5 MB · 12 pages · 1,234 passages" in text
    assert "version 1 answers" in text
    assert "Reading it took too long" in app.error[0].value

    await _click(visit, f"retry-{items[2]['id']}")
    await _click(visit, f"cancel-{items[0]['id']}")
    assert [path.rpartition("/")[2] for path in retried] == ["retry", "cancel"]
    assert not [error for error in visit.app.error if "has not failed" in error.value]


async def test_the_list_is_searched_filtered_and_goes_on(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    ready = await account.settled((await account.upload("whales.txt", b"Blue whales eat krill.")).json()["id"])
    every = [{**ready, "id": f"{ready['id'][:-4]}{n:04}", "title": f"Report {n}"} for n in range(130)]
    every[120] |= {"status": "failed", "error": {"code": "parser_crashed", "message": "It crashed."}}

    async def page(request: web.Request) -> web.Response:
        start, limit = int(request.query.get("cursor", 0)), int(request.query["limit"])
        more = str(start + limit) if start + limit < len(every) else None
        return web.json_response({"items": every[start : start + limit], "next_cursor": more})

    faulty.answer("GET", LIST, page)
    visit = visiting(faulty.url, account.access_token)
    app = await visit.open("documents")
    assert _titles(app) == [f"**Report {n}**" for n in range(50)]

    await _click(visit, "more")
    assert len(_titles(visit.app)) == 100
    await _click(visit, "more")
    assert len(_titles(visit.app)) == 130
    assert not [button for button in visit.app.button if button.key == "more"]

    visit.app.text_input(key="sought").set_value("report 12")
    assert len(_titles(await visit.run())) == 11
    visit.app.selectbox(key="state").set_value("failed")
    assert _titles(await visit.run()) == ["**Report 120**"]
    visit.app.text_input(key="sought").set_value("nowhere")
    await visit.run()
    assert "No document fits." in visit.text


async def test_several_are_deleted_with_one_confirmation(account: Account, faulty: FaultyApi, visiting: Visiting) -> None:
    ids = [(await account.upload(f"{n}.txt", f"Number {n}.".encode())).json()["id"] for n in range(3)]
    for known in ids:
        await account.settled(known)
    visit = visiting(faulty.url, account.access_token)
    app = await visit.open("documents")
    app.toggle(key="choosing").set_value(True)
    await visit.run()
    for known in ids[:2]:
        visit.app.checkbox(key=f"chosen-{known}").check()
    await visit.run()

    await _click(visit, "delete-chosen")
    faulty.refuse("DELETE", f"{LIST}/{ids[0]}", 503, "database_unavailable", "The database is not available right now.")
    await _click(visit, "delete-really")
    assert "The database is not available right now" in visit.app.error[0].value.replace("\\", "")
    assert [known["id"] for known in (await account.client.get(LIST)).json()["items"]] == [ids[2], ids[0]]


async def test_trouble_is_a_sentence_and_the_rest_stays(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    await account.settled((await account.upload("whales.txt", b"Blue whales eat krill.")).json()["id"])
    visit = visiting(faulty.url, account.access_token)
    await visit.open("documents")

    faulty.refuse("GET", LIST, 503, "database_unavailable", "The database is not available right now.")
    app = await visit.run()
    assert "The database is not available right now" in app.error[0].value
    assert "whales" in visit.text  # What was known before is still there.
    assert app.file_uploader

    faulty.clear()
    faulty.say("GET", "/api/v1/auth/me/usage", ["of another shape"]).say("GET", LIST, {"items": [{}]})
    app = await visit.run()
    assert not app.exception
    assert len(app.error) == 2

    faulty.clear()
    await _click(visit, "load-again")
    assert not visit.app.error


async def test_room_that_ends_is_told_before(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    def room(stored: int, documents: int) -> dict[str, object]:
        limits = [{"name": "stored_bytes", "used": stored, "limit": 1000}, {"name": "documents", "used": documents, "limit": 100}]
        return {"tier": "free", "enforced": True, "limits": limits}

    visit = visiting(faulty.url, account.access_token)
    faulty.say("GET", "/api/v1/auth/me/usage", room(10, 89))
    app = await visit.open("documents")
    assert [bar.proto.text for bar in app.get("progress")] == ["89 of 100 documents · 10 bytes of 1.0 KB"]
    assert not app.warning

    faulty.say("GET", "/api/v1/auth/me/usage", room(950, 100))
    app = await visit.run()
    assert "95% of the storage" in app.warning[0].value
    assert "number of documents that your account may use is used up" in app.error[0].value


async def test_a_banner_says_that_answers_are_quotes(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    quotes = {"provider": "extractive", "id": "extractive", "default": True}
    faulty.say("GET", "/api/v1/ai/models", {"models": [quotes], "unavailable": []})
    visit = visiting(faulty.url, account.access_token)
    app = await visit.open("documents")
    assert any("No language model is connected" in info.value for info in app.info)

    meanwhile = {"models": [{**quotes, "default": False}], "unavailable": ["ollama"]}
    faulty.say("GET", "/api/v1/ai/models", meanwhile)
    app = await visiting(faulty.url, account.access_token).open("documents")
    assert any("does not answer right now" in info.value for info in app.info)

    faulty.drop("GET", "/api/v1/ai/models")
    app = await visiting(faulty.url, account.access_token).open("documents")
    assert not app.error


async def _click(visit: Visit, key: str) -> None:
    visit.app.button(key=key).click()
    await visit.run()
    assert not visit.app.exception, visit.app.exception


def _titles(app: AppTest) -> list[str]:
    return [button.label for button in app.button if str(button.key).startswith("open-")]
