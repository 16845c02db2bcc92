"""Conversations that are kept: found again, changed, judged, and taken along."""

import json
from urllib.parse import unquote
from uuid import uuid4

import pytest

from tests.api.test_chat import with_whales
from tests.api.test_conversations.talking import SESSIONS, act, messages, talked
from tests.api.test_limited_keys import BREAD
from tests.security.markdown import active
from tests.support.ollama import StandInOllama
from tests.support.ollama.replies import grounded_reply
from tests.support.product import Account, Product


async def found(account: Account, text: str, **params: str | int) -> list[str]:
    response = await account.client.get(SESSIONS, params={"q": text, **params})
    return [item["title"] for item in response.raise_for_status().json()["items"]]


async def test_search_looks_into_titles_and_messages_and_takes_every_sign_as_it_is(
    alice: Account, bob: Account, ollama: StandInOllama
) -> None:
    ollama.reply = 'It is 100% sure_thing: O\'Hara said "50 \\ 2".'
    for title, question in (("First", "What of krill?"), ("Under_score", "Well?"), ("Percent % sign", "Straße nach KÖLN?")):
        session = (await alice.client.post(SESSIONS, json={"title": title})).json()["id"]
        await alice.ask(question, session_id=session)
    every = ["Percent % sign", "Under_score", "First"]

    for text, titles in (
        ("KRILL", ["First"]),
        ("  krill ", ["First"]),
        ("under_score", ["Under_score"]),
        ("under-score", []),
        ("t % s", ["Percent % sign"]),
        ("straße nach köln", ["Percent % sign"]),
        ("straße nach ko\u0308ln", ["Percent % sign"]),
        ("100% sure_thing", every),
        ("100%sure", []),
        ("sure%thing", []),
        ('o\'hara said "50 \\ 2"', every),
        ("'; drop table chat_sessions; --", []),
    ):
        assert await found(alice, text) == titles, text
        assert await found(bob, text) == [], text

    page = (await alice.client.get(SESSIONS, params={"q": "sure_thing", "limit": 2})).json()
    assert [item["title"] for item in page["items"]] == every[:2]
    assert await found(alice, "sure_thing", cursor=page["next_cursor"]) == every[2:]
    for bad in ("", " \n", "x" * 201, "a\0b"):
        refused = await alice.client.get(SESSIONS, params={"q": bad})
        assert (refused.status_code, refused.json()["code"]) == (422, "request_invalid")


async def test_an_answer_that_was_given_anew_is_not_searched(alice: Account, ollama: StandInOllama) -> None:
    session = await talked(alice, ollama, ("Which bird?", "A heron."))
    ollama.reply = "A stork."
    await act(alice, session, (await messages(alice, session))[1]["id"], "regenerate")
    assert (await found(alice, "heron"), await found(alice, "stork")) == ([], ["Which bird?"])


async def test_what_is_changed_is_changed_and_the_rest_stays(alice: Account, bob: Account, product: Product) -> None:
    whales = await with_whales(alice)
    bread = (await alice.upload("bread.md", BREAD)).json()["id"]
    session = (await alice.client.post(SESSIONS, json={"strict": True})).json()
    assert (session["title"], session["titled"], session["strict"]) == ("New conversation", False, True)
    path = f"{SESSIONS}/{session['id']}"

    expected = {name: session[name] for name in ("title", "titled", "document_ids", "strict")}
    for change in ({}, {"document_ids": [whales]}, {"title": "Mine"}, {"strict": False}, {"document_ids": None}):
        changed = (await alice.client.patch(path, json=change)).json()
        expected |= change | ({"titled": True} if "title" in change else {})
        assert {name: changed[name] for name in expected} == expected
        assert changed == (await alice.client.get(path)).json()
    wrong: list[dict[str, object]] = [{"title": None}, {"strict": None}, {"document_ids": []}, {"title": " "}, {"titled": False}]
    for bad in wrong:
        assert (await alice.client.patch(path, json=bad)).json()["code"] == "request_invalid", bad
    bobs = (await bob.upload("bread.md", BREAD)).json()["id"]
    for ids in ([bobs], [whales, str(uuid4())]):
        assert (await alice.client.patch(path, json={"document_ids": ids})).json()["code"] == "document_not_found"

    body = {"name": "narrow", "scopes": ["chat"], "document_ids": [whales]}
    key = (await alice.client.post("/api/v1/auth/keys", json=body)).json()["key"]
    async with product.client(Authorization=f"Bearer {key}") as client:
        own = f"{SESSIONS}/{(await client.post(SESSIONS, json={})).json()['id']}"
        assert (await client.patch(own, json={"document_ids": [bread]})).json()["code"] == "document_not_found"
        assert (await client.patch(own, json={"document_ids": [whales]})).status_code == 200
        for method, target in (("GET", "/export"), ("PATCH", "")):
            refused = await client.request(method, path + target, json=None if target else {"title": "Its own"})
            assert refused.json()["code"] == "session_not_found"
        assert (await client.get(SESSIONS, params={"q": "Mine"})).json()["items"] == []


async def test_feedback_is_kept_shown_changed_and_taken_back(alice: Account, bob: Account, ollama: StandInOllama) -> None:
    session = await talked(alice, ollama, ("One?", "First."))
    question, answer = [message["id"] for message in await messages(alice, session)]

    for sent, kept in (
        ({"rating": "up", "comment": "Just what I wanted."}, ("up", "Just what I wanted.")),
        ({"rating": "down"}, ("down", None)),
        ({"rating": None, "comment": "lost"}, (None, None)),
        ({"rating": "down", "comment": "c" * 2000}, ("down", "c" * 2000)),
    ):
        response = await act(alice, session, answer, "feedback", **sent)
        shown = (await messages(alice, session))[1]
        assert (response.status_code, response.json()) == (200, shown)
        assert (shown["feedback"], shown["feedback_comment"]) == kept

    assert (await act(alice, session, question, "feedback", rating="up")).json()["code"] == "message_not_an_answer"
    assert (await act(bob, session, answer, "feedback", rating="up")).json()["code"] == "session_not_found"
    wrong: list[dict[str, object]] = [{}, {"rating": "best"}, {"rating": "up", "comment": "c" * 2001}]
    wrong.append({"rating": "up", "comment": "\0"})
    for body in wrong:
        assert (await act(alice, session, answer, "feedback", **body)).json()["code"] == "request_invalid"
    assert (await messages(alice, session))[1]["feedback"] == "down"


async def test_a_conversation_is_taken_along_with_its_sources_as_footnotes(alice: Account, ollama: StandInOllama) -> None:
    document = await with_whales(alice)
    ollama.reply = grounded_reply
    first = (await alice.ask("How many kilograms of krill do blue whales eat a day?")).json()
    path = f"{SESSIONS}/{first['session_id']}"
    await alice.client.patch(path, json={"title": "Über Wale: 1/2"})
    ollama.reply = "Not a word of it."
    await alice.ask("And of plastic?", session_id=first["session_id"])
    old = (await messages(alice, first["session_id"]))[3]
    ollama.reply = "Nothing of it."
    await act(alice, first["session_id"], old["id"], "regenerate")

    markdown = await alice.client.get(f"{path}/export")
    document_of_it = await alice.client.get(f"{path}/export", params={"format": "json"})

    assert markdown.headers["content-type"] == "text/markdown; charset=utf-8"
    disposition = markdown.headers["content-disposition"]
    assert unquote(disposition) == "attachment; filename*=UTF-8''Über Wale_ 1_2.md"
    text = markdown.text
    [source] = [source for source in first["sources"] if source["cited"]]
    assert text.startswith("# Über Wale: 1/2\n\n## Question, 20")
    assert "\n> How many kilograms of krill do blue whales eat a day?\n" in text
    assert f" [^1-{source['marker']}]\n\nStatus: complete, grounded\n" in text
    place = f"characters {source['start']} to {source['end']} of document {document}"
    assert f"\n[^1-{source['marker']}]: Quoted from {source['title']} ({place}): “{source['quote']}”\n" in text
    assert "\n> Nothing of it.\n\nStatus: complete, not_in_documents\n" in text
    assert "Not a word" not in text

    exported = json.loads(document_of_it.content)
    assert document_of_it.headers["content-type"] == "application/json"
    assert (exported["title"], exported["titled"]) == ("Über Wale: 1/2", True)
    kept = await messages(alice, first["session_id"], superseded=True)
    assert [(m["id"], m["content"], m["superseded"]) for m in exported["messages"]] == [
        (m["id"], m["content"], m["superseded"]) for m in kept
    ]
    assert exported["messages"][1]["sources"] == kept[1]["sources"]
    assert (await alice.client.get(f"{path}/export", params={"format": "pdf"})).json()["code"] == "request_invalid"


HOSTILE = (
    "![p](https://evil.example/p.png) [here](https://evil.example) <img src=x onerror=alert(1)> <https://evil.example>",
    "# A heading\n\n## Question, 2026-01-01 00:00 UTC\n\n[1]: https://evil.example\n[^1-1]: https://evil.example",
    "An open fence\n\n```\n[x](https://evil.example)",
    "# A title\r## [of](https://evil.example)\u2028> mine *now*\n---\n| a |\n|---|\n<script>alert(1)</script>",
    '" [^1-1]: (https://evil.example "title") `code',
)


@pytest.mark.parametrize("text", HOSTILE)
async def test_nothing_that_was_said_or_uploaded_does_anything_in_the_file(
    alice: Account, ollama: StandInOllama, text: str
) -> None:
    document = (await alice.upload("krill.md", f"{text}\n\nThe krill of this text is pink.\n\n{text}".encode())).json()["id"]
    assert (await alice.settled(document))["status"] == "ready"
    (await alice.client.patch(f"/api/v1/chat/documents/{document}", json={"title": text})).raise_for_status()
    ollama.reply = f"The krill is pink [1]. {text}\n\nPink [1]."
    answer = (await alice.ask(f"What colour is krill? {text}")).json()
    assert [source["cited"] for source in answer["sources"]][:1] == [True]
    path = f"{SESSIONS}/{answer['session_id']}"
    await alice.client.patch(path, json={"title": text})

    exported = await alice.client.get(f"{path}/export")

    assert active(exported.text) == []
    lines = exported.text.split("\n")
    headings = [line for line in lines if line.lstrip().startswith("#")]
    assert [heading.split()[1].rstrip(",") for heading in headings][1:] == ["Question", "Answer"]
    beginnings = ("# ", "## ", "> ", ">", "Status: ", "[^1-1]: Quoted from ")
    assert [line for line in lines if line and not line.startswith(beginnings)] == []
    assert len([line for line in lines if line.startswith("# ")]) == 1
    assert "\n" not in exported.headers["content-disposition"]
