"""What is on its way: answers that run, are stopped, break off, are refused and asked for again, and files that are dropped."""

from collections.abc import AsyncIterator

import pytest

from tests.support.chatting import asked, press, shows, until
from tests.support.faulty_api import FaultyApi
from tests.support.files import WHALES
from tests.support.ollama import StandInOllama
from tests.support.ollama.faults import Fault
from tests.support.product import Account
from tests.ui.conftest import Visiting

QUERY = "/api/v1/chat/query"
CHAT = "/api/chat"
UPLOAD = "/api/v1/chat/upload"
DOCUMENT = "/api/v1/chat/documents/[^/]+"


@pytest.fixture(autouse=True)
async def saying(model: StandInOllama) -> AsyncIterator[StandInOllama]:
    """A model that says numbers, and no faults of another test."""
    before, model.reply = model.reply, "one two three four five six seven"
    yield model
    model.reply = before
    model.clear()


async def test_a_running_answer_goes_on_in_every_tab_and_is_stopped_from_any(
    faulty: FaultyApi, account: Account, visiting: Visiting, model: StandInOllama
) -> None:
    model.fail(CHAT, Fault(hang_after=3))
    dropped = model.streams_dropped
    first, second = visiting(faulty.url, account.access_token), visiting(faulty.url, account.access_token)
    await first.open()
    await asked(first, "Count, please.")
    await until(first, shows("Count, please", "one two three", "Stop"))

    second.app.query_params["session"] = first.app.query_params["session"]
    await second.open()
    await until(second, shows("one two three", "Stop"))
    await press(second, "Stop")
    await model.dropped(dropped + 1)
    for tab in (first, second):
        await until(tab, shows("one two three", "Stopped. What was said until then is kept."))


async def test_an_answer_is_stopped_before_its_first_word(
    faulty: FaultyApi, account: Account, visiting: Visiting, model: StandInOllama
) -> None:
    model.fail(CHAT, Fault(hang_after=0))
    dropped = model.streams_dropped
    visit = visiting(faulty.url, account.access_token)
    await visit.open()
    await asked(visit, "Count, please.")
    await press(visit, "Stop")
    assert "Stopping" in visit.text

    await model.dropped(dropped + 1)
    await until(visit, shows("Count, please", "Ended before anything was said."))


async def test_what_was_said_stays_when_an_answer_breaks_off_and_it_can_be_given_anew(
    faulty: FaultyApi, account: Account, visiting: Visiting, model: StandInOllama
) -> None:
    model.fail(CHAT, Fault(cut_after=3), times=1)
    visit = visiting(faulty.url, account.access_token)
    await visit.open()
    await asked(visit, "Count, please.")
    await until(visit, shows("one two three", "Try again"))
    assert len(visit.app.error) == 1

    await press(visit, "Try again")
    await until(visit, shows("six seven", "Again"))

    assert not visit.app.error


async def test_a_connection_that_breaks_is_made_again_and_nothing_is_said_twice(
    faulty: FaultyApi, account: Account, visiting: Visiting, model: StandInOllama
) -> None:
    model.fail(CHAT, Fault(hang_after=3))
    visit = visiting(faulty.url, account.access_token)
    await visit.open()
    await asked(visit, "Count, please.")
    await until(visit, shows("one two three"))
    begun = sum(call.endswith("/events") for call in faulty.seen)

    await faulty.cut()
    await until(
        visit, lambda visit: sum(call.endswith("/events") for call in faulty.seen) > begun and "one two three" in visit.text
    )
    await press(visit, "Stop")
    await until(visit, shows("Stopped."))

    assert "three one" not in visit.text


async def test_a_question_meanwhile_is_refused_in_words_and_kept(
    faulty: FaultyApi, account: Account, visiting: Visiting, model: StandInOllama
) -> None:
    model.fail(CHAT, Fault(hang_after=3), times=1)
    visit = visiting(faulty.url, account.access_token)
    await visit.open()
    await asked(visit, "Count, please.")
    await until(visit, shows("one two three"))

    await asked(visit, "And backwards?")
    await until(visit, shows("And backwards?", "still answering another question", "one two three", "Stop"))
    await press(visit, "Stop")
    await until(visit, shows("Stopped."))
    await press(visit, "Try again")
    await until(visit, shows("six seven", "Again"))

    assert not visit.app.error


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (429, "Too many questions at once."),
        (503, "The language model does not answer."),
        (0, "The server does not answer right now."),
    ],
)
async def test_a_question_that_cannot_be_asked_is_not_lost(
    faulty: FaultyApi, account: Account, visiting: Visiting, status: int, sentence: str
) -> None:
    visit = visiting(faulty.url, account.access_token)
    await visit.open()
    if status:
        faulty.refuse("POST", QUERY, status, "refused", sentence, **{"Retry-After": "7"})
    else:
        faulty.drop("POST", "/api/v1/chat/(query|sessions)")

    await asked(visit, "Count, please.")
    await until(visit, shows("Count, please", sentence, "Try again"))
    # No conversation is left that holds nothing.
    assert (await account.client.get("/api/v1/chat/sessions")).json()["items"] == []

    faulty.clear()
    await press(visit, "Try again")
    await until(visit, shows("six seven", "Again"))

    assert not visit.app.error


async def test_an_answer_that_nobody_can_read_is_not_asked_for_without_end(
    faulty: FaultyApi, account: Account, visiting: Visiting, model: StandInOllama
) -> None:
    model.fail(CHAT, Fault(hang_after=3), times=1)
    first, second = visiting(faulty.url, account.access_token), visiting(faulty.url, account.access_token)
    await first.open()
    await asked(first, "Count, please.")
    await until(first, shows("one two three"))
    events = "/api/v1/chat/sessions/[^/]+/messages/[^/]+/events"
    faulty.refuse("GET", events, 500, "internal", "Something went wrong.")

    second.app.query_params["session"] = first.app.query_params["session"]
    await second.open()
    await until(second, shows("Something went wrong.", "Try again"))
    faulty.clear()
    await press(second, "Try again")
    await until(second, shows("one two three", "Stop"))
    await press(second, "Stop")
    await until(second, shows("Stopped."))


async def test_each_file_is_followed_until_its_end_and_stays_until_it_is_dismissed(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    visit = visiting(faulty.url, account.access_token)
    await visit.open()
    box = visit.app.chat_input[0]
    box.upload("whales.md", WHALES).upload("broken.pdf", b"%PDF-1.7 and nothing more").upload("empty.txt", b"")
    await visit.run()
    app = await until(
        visit, shows("**whales**", "Ready", "**broken**", "**empty\\.txt**", "Not uploaded. The file is empty", "Dismiss")
    )
    assert not app.error

    await press(visit, "Dismiss")

    assert "whales" not in visit.text


async def test_a_question_that_comes_with_a_file_is_asked_when_it_has_arrived(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    visit = visiting(faulty.url, account.access_token)
    await visit.open()
    visit.app.chat_input[0].set_value("What do blue whales eat?").upload("whales.md", WHALES)
    await visit.run()
    await until(visit, lambda visit: "Again" in visit.text and "Stop" not in visit.text)

    assert "No documents to search" not in visit.text
    calls = [call for call in faulty.seen if call in {f"POST {UPLOAD}", "POST /api/v1/chat/query"}]
    assert calls == [f"POST {UPLOAD}", "POST /api/v1/chat/query"]


async def test_whatever_the_api_says_of_a_file_ends_in_a_sentence(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    visit = visiting(faulty.url, account.access_token)
    await visit.open()
    faulty.refuse("POST", UPLOAD, 507, "storage_full", "There is no room left.")
    visit.app.chat_input[0].upload("first.md", WHALES)
    await visit.run()
    await until(visit, shows("**first\\.md**", "There is no room left"))

    faulty.send("POST", UPLOAD, b"<html>a proxy</html>")
    visit.app.chat_input[0].upload("second.md", WHALES)
    await visit.run()
    await until(visit, shows("**second\\.md**", "cannot read"))

    faulty.clear()
    faulty.refuse("GET", DOCUMENT, 404, "document_not_found", "Gone.")
    visit.app.chat_input[0].upload("third.md", WHALES)
    await visit.run()
    await until(visit, shows("It was deleted"))
