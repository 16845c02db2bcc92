"""Answers that are given anew."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from tests.api.test_conversations.talking import SESSIONS, act, messages, talked, texts
from tests.api.test_streams.streaming import asking, said, stored
from tests.support.events import ServerSentEvent, events_of
from tests.support.ollama import Fault, StandInOllama
from tests.support.product import Account
from tests.support.wire import Wire, connected

TWO = (("One?", "First."), ("Two?", "Second."))


async def newest(account: Account, session: str) -> str:
    """Return the id of the newest answer that the conversation goes on with."""
    found = [m for m in await messages(account, session) if m["role"] == "assistant" and not m["superseded"]]
    return str(found[-1]["id"])


async def streamed(account: Account, session: str, message: str) -> list[ServerSentEvent]:
    path = f"{SESSIONS}/{session}/messages/{message}/regenerate"
    async with account.client.stream("POST", path, json={"stream": True}) as response:
        assert response.status_code == 200, await response.aread()
        return [event async for event in events_of(response)]


@asynccontextmanager
async def regenerating(account: Account, session: str, message: str) -> AsyncIterator[Wire]:
    """Have an answer given anew over a connection that can be left."""
    async with connected(str(account.client.base_url)) as wire:
        body = orjson.dumps({"stream": True})
        path = f"{SESSIONS}/{session}/messages/{message}/regenerate"
        headers: dict[str, Any] = {"Authorization": f"Bearer {account.access_token}", "Content_Type": "application/json"}
        await wire.begin("POST", path, Content_Length=len(body), **headers)
        await wire.send(body)
        yield wire


async def test_the_new_answer_takes_the_place_of_the_old_one_which_stays_readable(alice: Account, ollama: StandInOllama) -> None:
    session = await talked(alice, ollama, *TWO)
    old = await newest(alice, session)
    ollama.reply, requests = "Better.", len(ollama.requests)

    answer = (await act(alice, session, old, "regenerate", temperature=0.5, max_tokens=50)).json()

    assert (answer["answer"], answer["status"], answer["session_id"]) == ("Better.", "complete", session)
    assert await texts(alice, session) == ["One?", "First.", "Two?", "Better."]
    every = await messages(alice, session, superseded=True)
    assert [(m["content"], m["superseded"]) for m in every[2:]] == [("Two?", False), ("Second.", True), ("Better.", False)]
    sent = next(request.json for request in ollama.requests[requests:] if request.path == "/api/chat")
    read = [message["content"] for message in sent["messages"][1:]]
    assert read == ["One?", "First.", "Two?"], "the old answer is no part of the question"
    assert (sent["options"]["temperature"], sent["options"]["num_predict"]) == (0.5, 50)

    requests = len(ollama.requests)
    await alice.ask("Three?", session_id=session)
    read = [message["content"] for message in ollama.requests[requests:][-1].json["messages"][1:]]
    assert read == ["One?", "First.", "Two?", "Better.", "Three?"]


async def test_as_a_stream_and_again_and_again(alice: Account, ollama: StandInOllama) -> None:
    session = await talked(alice, ollama, *TWO)
    for reply in ("Third.", "Fourth."):
        ollama.reply = reply
        events = await streamed(alice, session, await newest(alice, session))
        assert (events[0].name, events[-1].name, said(events)) == ("run", "done", reply)
    assert await texts(alice, session) == ["One?", "First.", "Two?", "Fourth."]
    branch = (await act(alice, session, (await messages(alice, session, superseded=True))[4]["id"], "branch")).json()["id"]
    assert await texts(alice, branch, superseded=True) == ["One?", "First.", "Two?", "Third."]


async def test_only_the_newest_answer_is_given_anew_and_no_question(alice: Account, ollama: StandInOllama) -> None:
    session = await talked(alice, ollama, *TWO)
    first_question, first_answer, second_question, second_answer = [m["id"] for m in await messages(alice, session)]
    await act(alice, session, second_answer, "regenerate")
    for message, status, code in (
        (first_answer, 409, "answer_not_newest"),
        (second_answer, 409, "answer_not_newest"),
        (first_question, 422, "message_not_an_answer"),
        (second_question, 422, "message_not_an_answer"),
    ):
        response = await act(alice, session, message, "regenerate")
        assert (response.status_code, response.json()["code"]) == (status, code)
    assert len(await messages(alice, session, superseded=True)) == 5, "what was refused left nothing"


async def test_one_that_fails_leaves_the_old_answer_where_it_was(alice: Account, ollama: StandInOllama) -> None:
    session = await talked(alice, ollama, *TWO)
    old = await newest(alice, session)
    ollama.fail("/api/chat", Fault(status=500))
    assert (await act(alice, session, old, "regenerate")).status_code == 503
    ollama.clear()
    ollama.reply = ["Half of an", " answer"]
    ollama.fail("/api/chat", Fault(cut_after=1))
    assert (await act(alice, session, old, "regenerate")).status_code == 502
    ollama.clear()

    assert (await newest(alice, session), await texts(alice, session)) == (old, ["One?", "First.", "Two?", "Second."])
    tries = (await messages(alice, session, superseded=True))[4:]
    assert [(m["status"], m["content"], m["superseded"]) for m in tries] == [
        ("incomplete", "", True),
        ("incomplete", "Half of an", True),
    ]
    requests = len(ollama.requests)
    await alice.ask("Three?", session_id=session)
    read = [message["content"] for message in ollama.requests[requests:][-1].json["messages"][1:]]
    assert read == ["One?", "First.", "Two?", "Second.", "Three?"]


async def test_an_answer_that_failed_is_given_anew(alice: Account, ollama: StandInOllama) -> None:
    session = await talked(alice, ollama, *TWO)
    ollama.fail("/api/chat", Fault(status=500))
    assert (await alice.ask("Three?", session_id=session)).status_code == 503
    ollama.clear()
    ollama.reply = "Third."

    assert (await act(alice, session, await newest(alice, session), "regenerate")).json()["answer"] == "Third."

    assert (await texts(alice, session))[4:] == ["Three?", "Third."]


@pytest.mark.parametrize("pieces", [0, 1])
async def test_a_reader_who_leaves_keeps_the_old_answer(alice: Account, ollama: StandInOllama, pieces: int) -> None:
    session = await talked(alice, ollama, *TWO)
    old = await newest(alice, session)
    ollama.reply, ollama.interval = ["word "] * 500, 0.05
    if not pieces:
        ollama.fail("/api/chat", Fault(hang_after=0))
    opened, dropped = ollama.streams_opened, ollama.streams_dropped
    async with regenerating(alice, session, old) as wire:
        async with asyncio.timeout(10):
            while ollama.streams_opened == opened:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
        if pieces:
            await wire.some(b"event: delta")
        assert [m["status"] for m in await messages(alice, session)] == [*["complete"] * 4, "streaming"]
        wire.leave()
        await ollama.dropped(dropped + 1, within=5.0)
    async with asyncio.timeout(10):
        while len(found := await messages(alice, session)) > 4:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)

    assert (found[-1]["id"], [m["content"] for m in found]) == (old, ["One?", "First.", "Two?", "Second."])
    stopped = (await messages(alice, session, superseded=True))[-1]
    assert (stopped["status"], stopped["superseded"], stopped["content"] != "") == ("stopped", True, bool(pieces))


async def test_of_two_at_once_one_is_told_that_the_session_is_busy(alice: Account, ollama: StandInOllama) -> None:
    session = await talked(alice, ollama, *TWO)
    old = await newest(alice, session)
    ollama.reply, ollama.interval = ["Better ", "by ", "far."], 0.5

    answers = await asyncio.gather(*(act(alice, session, old, "regenerate") for _ in range(2)))

    done, refused = sorted(answers, key=lambda response: response.status_code)
    assert (done.json()["answer"], refused.status_code, refused.json()["code"]) == ("Better by far.", 409, "session_busy")
    assert await texts(alice, session) == ["One?", "First.", "Two?", "Better by far."]


async def test_while_a_question_is_answered_nothing_is_given_anew_and_the_other_way_round(
    alice: Account, ollama: StandInOllama
) -> None:
    session = await talked(alice, ollama, *TWO)
    old = await newest(alice, session)
    ollama.reply, ollama.interval = ["word "] * 500, 0.05
    async with asking(alice, session) as wire:
        await wire.some(b"event: delta")
        for message in (old, (await messages(alice, session))[-1]["id"]):
            refused = await act(alice, session, message, "regenerate")
            assert (refused.status_code, refused.json()["code"]) == (409, "session_busy")
        wire.leave()
    await stored(alice, session)
    async with regenerating(alice, session, await newest(alice, session)) as wire:
        await wire.some(b"event: delta")
        assert (await alice.ask("Now?", session_id=session)).json()["code"] == "session_busy"


async def test_the_same_request_again_gets_the_same_answer(alice: Account, ollama: StandInOllama) -> None:
    session = await talked(alice, ollama, *TWO)
    old = await newest(alice, session)
    path, key = f"{SESSIONS}/{session}/messages/{old}/regenerate", {"Idempotency-Key": f"again {session}"}
    ollama.reply = "Better."
    first = await alice.client.post(path, json={}, headers=key)
    ollama.reply = "Something else."

    again = await alice.client.post(path, json={}, headers=key)

    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    other = f"{SESSIONS}/{session}/messages/{first.json()['message_id']}/regenerate"
    for target, body in ((path, {"temperature": 1}), (other, {})):
        assert (await alice.client.post(target, json=body, headers=key)).json()["code"] == "idempotency_key_reused"
    assert await texts(alice, session) == ["One?", "First.", "Two?", "Better."]
