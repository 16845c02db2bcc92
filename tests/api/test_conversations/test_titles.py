"""Titles of conversations."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.api.test_conversations.talking import SESSIONS
from tests.api.test_streams.streaming import listen
from tests.support.ollama import Fault, StandInOllama
from tests.support.product import Account, Product, running_product


def named_by(folder: Path, ollama: StandInOllama) -> AbstractAsyncContextManager[Product]:
    """Run a product whose model gives titles."""
    return running_product(folder, chat_provider="ollama", embedder="hashing", ollama_url=ollama.url, chat_titles="auto")


@pytest.fixture(scope="module")
async def naming(shared_ollama: StandInOllama, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """A product whose model gives titles."""
    folder = tmp_path_factory.mktemp("naming") / "data"
    async with named_by(folder, shared_ollama) as running:
        yield running


@pytest.fixture
async def carol(naming: Product) -> AsyncIterator[Account]:
    """A user of it."""
    async with naming.account("carol") as account:
        yield account


def is_for_a_title(request: dict[str, Any]) -> bool:
    return "Write a title" in str(request["messages"][0]["content"])


def titled(title: str, answer: str = "Up to 3,600 kilograms.") -> Any:
    return lambda request: title if is_for_a_title(request) else answer


async def session_of(account: Account, session: str) -> dict[str, Any]:
    found: dict[str, Any] = (await account.client.get(f"{SESSIONS}/{session}")).json()
    return found


async def title_of(account: Account, session: str, *, but: str, within: float = 20) -> str:
    """Return the title as soon as it is another one."""
    deadline = monotonic() + within
    while (found := await session_of(account, session))["title"] == but:
        assert monotonic() < deadline, found
        await asyncio.sleep(0.02)
    return str(found["title"])


async def asked_for_titles(ollama: StandInOllama, count: int) -> list[dict[str, Any]]:
    """Wait until the model has been asked for so many titles, and return these requests."""
    async with asyncio.timeout(20):
        while True:
            chats = [request.json for request in ollama.requests if request.path == "/api/chat"]
            if len(found := [request for request in chats if is_for_a_title(request)]) >= count:
                return found
            await asyncio.sleep(0.02)


def titles_so_far(ollama: StandInOllama) -> int:
    return sum(request.path == "/api/chat" and is_for_a_title(request.json) for request in ollama.requests)


QUESTION = "How many kilograms of krill does a blue whale eat on a day?"


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Diet of blue whales", "Diet of blue whales"),
        ('\n**Title:** "Diet of blue whales."\n\nI hope that this helps!', "Diet of blue whales"),
        ("What the whales of all the oceans eat on each day", "What the whales of all the"),
        ("![x](https://evil.example/x.png) Whales [1]", "x Whales"),
        ("シロナガスクジラの食事", "シロナガスクジラの食事"),
    ],
)
async def test_the_first_answer_gives_a_title_of_a_few_words(carol: Account, ollama: StandInOllama, said: str, title: str) -> None:
    ollama.reply, before = titled(said), titles_so_far(ollama)
    answer = (await carol.ask(QUESTION)).json()

    assert await title_of(carol, answer["session_id"], but=QUESTION) == title
    assert (await session_of(carol, answer["session_id"]))["titled"] is True

    request = (await asked_for_titles(ollama, before + 1))[-1]
    options = request["options"]
    assert (options["temperature"], options["num_predict"] <= 64) == (0, True)
    answered = next(r.json for r in reversed(ollama.requests) if r.path == "/api/chat" and not is_for_a_title(r.json))
    assert options["num_ctx"] == answered["options"]["num_ctx"], "another window would load the model again"
    assert QUESTION in request["messages"][1]["content"]

    await carol.ask("And of plastic?", session_id=answer["session_id"])
    assert titles_so_far(ollama) == before + 1, "one is enough"


async def test_a_title_never_keeps_an_answer_waiting_and_never_overwrites_what_a_person_has_chosen(
    carol: Account, ollama: StandInOllama
) -> None:
    before = titles_so_far(ollama)
    ollama.reply = lambda request: ["A ", "title"] if is_for_a_title(request) else ["Krill."]
    events = await listen(carol, QUESTION)
    session = events[-1].data["session_id"]
    assert await title_of(carol, session, but=QUESTION) == "A title"

    ollama.reply, ollama.interval = titled(" ".join(f"word{number}" for number in range(20)), "Krill."), 0.2
    async with asyncio.timeout(20):
        events = await listen(carol, QUESTION)
    assert events[-1].name == "done"
    session = events[-1].data["session_id"]
    assert (await session_of(carol, session))["title"] == QUESTION
    await asked_for_titles(ollama, before + 2)
    finished = ollama.streams_finished
    assert (await carol.client.patch(f"{SESSIONS}/{session}", json={"title": "Mine"})).json()["title"] == "Mine"
    async with asyncio.timeout(20):
        while ollama.streams_finished == finished:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)
    ollama.interval = 0.0
    # The next answer comes after what the model had to say of the title.
    await carol.ask("And of plastic?", session_id=session)
    assert (await session_of(carol, session))["title"] == "Mine"
    assert titles_so_far(ollama) == before + 2


@pytest.mark.parametrize("said", ["", '"..."', "<think> The user wants", "```"])
async def test_what_is_no_title_leaves_the_question_and_the_next_answer_tries_again(
    carol: Account, ollama: StandInOllama, said: str
) -> None:
    ollama.reply, before = titled(said), titles_so_far(ollama)
    session = (await carol.ask(QUESTION)).json()["session_id"]
    await asked_for_titles(ollama, before + 1)
    ollama.reply = titled("A title")
    await carol.ask("And of plastic?", session_id=session)

    assert await title_of(carol, session, but=QUESTION) == "A title"


async def test_a_model_that_fails_leaves_the_question(carol: Account, ollama: StandInOllama) -> None:
    ollama.reply, before = titled("A title", "Krill."), titles_so_far(ollama)
    ollama.fail("/api/chat", Fault(), times=1)
    ollama.fail("/api/chat", Fault(status=500))
    session = (await carol.ask(QUESTION)).json()["session_id"]
    await asked_for_titles(ollama, before + 1)
    shown = await session_of(carol, session)
    assert (shown["title"], shown["titled"]) == (QUESTION, False)


async def test_without_a_language_model_a_long_question_is_shortened_at_the_end_of_a_word(alice: Account) -> None:
    long = "What do the blue whales of the northern Atlantic eat in the months between October and the early spring?"
    answer = (await alice.ask(f"  {long}\n")).json()
    named = await session_of(alice, answer["session_id"])
    assert named["title"] == "What do the blue whales of the northern Atlantic eat in the months between…"
    assert named["titled"] is False
    unnamed = (await alice.client.post(SESSIONS, json={})).json()["id"]
    await alice.ask("鯨" * 200, session_id=unnamed)
    assert (await session_of(alice, unnamed))["title"] == "鯨" * 79 + "…"
    chosen = (await alice.client.post(SESSIONS, json={"title": "Mine"})).json()["id"]
    await alice.ask(long, session_id=chosen)
    assert (await session_of(alice, chosen))["title"] == "Mine"


async def test_a_title_that_is_being_made_does_not_keep_a_stop_waiting(
    ollama: StandInOllama, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("stopped") / "data"
    ollama.reply, before = titled("word " * 5000, "Krill."), titles_so_far(ollama)
    async with named_by(folder, ollama) as product, product.account() as account:
        ollama.interval = 0.1
        await account.ask(QUESTION)
        await asked_for_titles(ollama, before + 1)
        dropped = ollama.streams_dropped
        await product.stop(within=25)
        await ollama.dropped(dropped + 1, within=5.0)
        assert "Traceback" not in "".join(product.lines)


async def test_no_model_is_asked_for_the_title_of_what_no_model_has_answered(carol: Account, shared_ollama: StandInOllama) -> None:
    (await carol.upload("whales.txt", b"A blue whale eats krill.")).raise_for_status()
    shared_ollama.requests.clear()
    answer = await carol.ask("Who repairs the bicycles of Lisbon?", strict=True)

    assert answer.json()["answer_status"] in {"not_in_documents", "still_indexing"}
    session = answer.json()["session_id"]
    assert (await session_of(carol, session))["strict"] is True
    again = await carol.ask("And those of Porto?", session_id=session)
    assert again.json()["answer_status"] == answer.json()["answer_status"]
    assert [request for request in shared_ollama.requests if request.path == "/api/chat" and is_for_a_title(request.json)] == []
