"""The chat page in each of its states: empty, full, and with every end that an answer can have."""

import pytest
from aiohttp import web

from tests.support.chatting import asked, conversation, message, press, shows, until
from tests.support.faulty_api import FaultyApi
from tests.support.files import WHALES
from tests.support.product import Account
from tests.ui.conftest import Visiting

SESSIONS = "/api/v1/chat/sessions"
MESSAGES = f"{SESSIONS}/[^/]+/messages"


async def ready(account: Account) -> str:
    """Upload a document, and return its id once it is ready."""
    document = (await account.upload("whales.md", WHALES)).json()
    await account.settled(document["id"])
    return str(document["id"])


async def test_somebody_without_documents_is_shown_where_to_begin(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    visit = visiting(faulty.url, account.access_token)
    await visit.open()

    assert "What would you like to know?" in visit.text
    assert "drop files" in visit.text
    assert not any("suggestions" in call for call in faulty.seen)


async def test_an_empty_chat_suggests_questions_that_are_asked_at_a_click(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    document_id = await ready(account)
    items = [
        {"question": question, "document_id": document_id} for question in ("What do blue whales eat?", "How heavy is a whale?")
    ]
    faulty.say("GET", "/api/v1/chat/suggestions", {"items": items})
    visit = visiting(faulty.url, account.access_token)
    await visit.open()
    assert "drop files" not in visit.text

    visit.app.button(key="suggestion-0").click()
    await visit.run()
    await until(visit, shows("krill", "From your documents"))

    assert "What would you like to know?" not in visit.text
    assert visit.app.query_params["session"]


@pytest.mark.parametrize("status", [404, 503])
async def test_without_suggestions_the_chat_is_as_good(
    faulty: FaultyApi, account: Account, visiting: Visiting, status: int
) -> None:
    await ready(account)
    faulty.refuse("GET", "/api/v1/chat/suggestions", status, "anything", "Nothing here.")
    visit = visiting(faulty.url, account.access_token)
    app = await visit.open()

    assert not app.exception
    assert not app.error
    assert "each with the place where it is written" in visit.text


async def test_every_end_of_an_answer_is_said_in_words(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    document_id = await ready(account)
    statuses = ("grounded", "not_in_documents", "no_documents", "still_indexing", "not_searched")
    answers = [message(at, answer_status=status, pending_document_ids=[document_id]) for at, status in enumerate(statuses)]
    context = {"window": 4096, "used": 4000, "dropped_messages": 1, "dropped_chunks": 3}
    timings = {"retrieval_ms": 10.0, "first_token_ms": 400.0, "total_ms": 1200.0, "rewrite_ms": None}
    answers += [
        message(10, status="stopped"),
        message(11, status="incomplete", content=""),
        message(12, usage={"prompt_tokens": 9, "completion_tokens": 120, "context": context}, timings=timings),
        message(13, degraded=["dense"], searched_for="What do *whales* eat?"),
        message(14, content="It costs $5 to $6.", model="extractive"),
    ]
    faulty.say("GET", MESSAGES, {"items": answers, "next_cursor": None})
    extractive = {"id": "extractive", "provider": "extractive", "default": True, "capabilities": []}
    faulty.say("GET", "/api/v1/ai/models", {"models": [extractive], "unavailable": []})
    visit = visiting(faulty.url, account.access_token)
    visit.app.query_params["session"] = await conversation(account)
    app = await visit.open()

    assert not app.exception
    for words in (
        "From your documents",
        "Not in your documents",
        "No documents to search",
        "Documents are still being read",
        "Documents not searched",
        "“whales”: ready by now. Ask again.",
        "Stopped. What was said until then is kept.",
        "Ended before anything was said.",
        "Left out, for it did not fit the model's window: 1 earlier message and 3 passages.",
        "llama3\\.2\\:1b · 1.2 s · first word after 0.4 s · 120 tokens",
        "The search by meaning was down",
        "Searched for: What do \\*whales\\* eat?",
        "It costs \\$5 to \\$6.",
        "No language model is connected",
    ):
        assert words in visit.text


async def test_a_long_conversation_shows_its_newest_part_first(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    said = [message(number, ("user", "assistant")[number % 2]) for number in range(450)]

    async def part(request: web.Request) -> web.Response:
        begin, limit = int(request.query.get("cursor", "0")), int(request.query["limit"])
        following = str(begin + limit) if begin + limit < len(said) else None
        return web.json_response({"items": said[begin : begin + limit], "next_cursor": following})

    faulty.answer("GET", MESSAGES, part)
    visit = visiting(faulty.url, account.access_token)
    visit.app.query_params["session"] = await conversation(account)
    await visit.open()
    assert "Message 449 here" in visit.text
    assert "Message 420 here" in visit.text
    assert "Message 419 here" not in visit.text

    faulty.seen.clear()
    await press(visit, "Show earlier messages")

    assert "Message 390 here" in visit.text
    assert "Message 389 here" not in visit.text
    assert sum("/messages" in call for call in faulty.seen) <= 2


async def test_a_rating_is_stored_and_taken_back_and_none_is_shown_that_was_not_stored(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    await ready(account)
    visit = visiting(faulty.url, account.access_token)
    await visit.open()
    await asked(visit, "What do blue whales eat?")
    await until(visit, shows("From your documents"))

    async def stored() -> object:
        session_id = visit.app.query_params["session"]
        listed = (await account.client.get(f"{SESSIONS}/{session_id}/messages")).json()
        return listed["items"][-1]["feedback"]

    visit.app.feedback[0].set_value(1)
    await visit.run()
    assert await stored() == "up"
    visit.app.feedback[0].set_value(None)
    await visit.run()
    assert await stored() is None

    faulty.refuse("PUT", f"{MESSAGES}/[^/]+/feedback", 503, "database_unavailable", "The database is away.")
    visit.app.feedback[0].set_value(0)
    await visit.run()

    assert [error.value for error in visit.app.error] == ["The database is away."]
    assert visit.app.feedback[0].value is None


async def test_an_edited_question_is_asked_in_a_branch_in_place_of_the_old_one(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    await ready(account)
    visit = visiting(faulty.url, account.access_token)
    await visit.open()
    for question in ("What do blue whales eat?", "How heavy is a blue whale?"):
        await asked(visit, question)
        await until(visit, lambda visit: "From your documents" in visit.text and "Stop" not in visit.text)
    before = visit.app.query_params["session"]

    await press(visit, "Edit")
    visit.app.text_area(key="edited").set_value("How far do their calls carry?")
    await press(visit, "Ask")
    await until(visit, shows("hundreds of kilometres"))

    assert visit.app.query_params["session"] != before
    assert "How far do their calls carry?" in visit.text
    assert "What do blue whales eat?" in visit.text
    assert "How heavy is a blue whale?" not in "".join(shown.value for shown in visit.app.markdown)


async def test_a_file_is_dropped_into_a_conversation_about_some_documents(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    chosen = await ready(account)
    session_id = (await account.client.post(SESSIONS, json={"document_ids": [chosen]})).json()["id"]
    visit = visiting(faulty.url, account.access_token)
    visit.app.query_params["session"] = session_id
    await visit.open()
    visit.app.chat_input[0].set_value("How many moons has Mars?").upload("mars.md", b"# Mars\n\nMars has two moons.\n")
    await visit.run()
    await until(visit, shows("**mars**", "Ready", "Again"))

    assert len((await account.client.get(f"{SESSIONS}/{session_id}")).json()["document_ids"]) == 2
