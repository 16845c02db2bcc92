"""What the model may do wrong."""

import asyncio
from typing import Any

import pytest

from tests.api.test_streams.streaming import QUERY, asking, listen, new_session, said, stored
from tests.support.ollama import EMBEDDING_MODEL, Fault, StandInOllama, Thinking
from tests.support.product import Account

BEFORE: list[Fault] = [
    Fault(status=500),
    Fault(status=503),
    Fault(status=401),
    Fault(status=200, body=b"garbage"),
    Fault(status=200, body=b""),
    Fault(cut_after=0),
    Fault(error_after=0),
    Fault(garbage_after=0),
]


@pytest.mark.parametrize("fault", BEFORE, ids=repr)
@pytest.mark.parametrize("stream", [True, False])
async def test_a_fault_before_the_first_piece_is_a_status(
    alice: Account, ollama: StandInOllama, fault: Fault, stream: bool
) -> None:
    ollama.fail("/api/chat", fault)
    session = await new_session(alice)

    response = await alice.ask("Anybody there?", session_id=session, stream=stream)

    assert (response.status_code, response.json()["code"]) == (503, "model_unavailable")
    message = await stored(alice, session)
    assert (message["status"], message["content"], message["error_code"]) == ("incomplete", "", "model_unavailable")
    ollama.clear()
    assert (await alice.ask("And now?", session_id=session)).json()["status"] == "complete"


AFTER: list[Fault] = [
    Fault(cut_after=2),
    Fault(error_after=2),
    Fault(garbage_after=2),
    Fault(without_done=True),
    Fault(cut_after=4),
]


@pytest.mark.parametrize("fault", AFTER, ids=repr)
async def test_a_fault_after_it_is_an_event_and_what_was_said_is_kept(alice: Account, ollama: StandInOllama, fault: Fault) -> None:
    ollama.reply = ["one ", "two ", "three ", "four"]
    ollama.fail("/api/chat", fault)

    events = await listen(alice)

    assert (events[-1].name, events[-1].data["code"]) == ("error", "answer_cut")
    assert events[-1].data["message"].endswith(".")
    message = await stored(alice, events[0].data["session_id"])
    assert (message["status"], message["content"]) == ("incomplete", said(events))
    assert said(events).startswith("one two ")


async def test_as_json_a_fault_after_the_first_piece_is_a_502(alice: Account, ollama: StandInOllama) -> None:
    ollama.fail("/api/chat", Fault(cut_after=2))
    session = await new_session(alice)

    response = await alice.ask("Tell me a lot.", session_id=session)

    assert (response.status_code, response.json()["code"]) == (502, "answer_cut")
    assert (await stored(alice, session))["content"] != ""


async def test_an_answer_that_reached_its_length_is_incomplete_and_not_an_error(alice: Account, ollama: StandInOllama) -> None:
    ollama.reply = ["one ", "two ", "three"]
    cases: list[tuple[dict[str, Any], str]] = [({"max_tokens": 2}, "one two "), ({}, "one two three")]
    for fields, text in cases:
        if not fields:
            ollama.fail("/api/chat", Fault(done_reason="length"))
        events = await listen(alice, **fields)
        done = events[-1]
        assert (done.name, done.data["status"], done.data["finish_reason"]) == ("done", "incomplete", "length")
        message = await stored(alice, done.data["session_id"])
        assert (message["status"], message["content"], said(events)) == ("incomplete", text, text)


async def test_a_missing_model_is_named_with_the_command_that_gets_it(alice: Account) -> None:
    for stream in (True, False):
        response = await alice.ask("Anybody there?", model="granite9:2b", stream=stream)
        assert (response.status_code, response.json()["code"]) == (422, "model_unknown")
        assert "docent models pull granite9:2b" in response.json()["detail"]
        assert "retry-after" not in response.headers


async def test_a_model_that_only_embeds_is_the_mistake_of_who_named_it(alice: Account) -> None:
    response = await alice.ask("Anybody there?", model=EMBEDDING_MODEL.name)

    assert (response.status_code, response.json()["code"]) == (422, "model_unknown")
    assert "cannot answer" in response.json()["detail"]


async def test_a_model_that_hangs_is_given_up_before_the_first_piece_and_in_the_middle(
    carol: Account, ollama: StandInOllama
) -> None:
    ollama.reply = ["one ", "two "]
    ollama.fail("/api/chat", Fault(hang_after=0), times=1)
    response = await carol.ask("Anybody there?", stream=True)
    assert (response.status_code, response.json()["code"]) == (503, "model_unavailable")

    ollama.fail("/api/chat", Fault(hang_after=1), times=1)
    events = await listen(carol)
    assert (events[-1].name, events[-1].data["code"], said(events)) == ("error", "answer_cut", "one ")


async def test_the_status_line_waits_two_seconds_for_a_slow_model_and_then_says_200(alice: Account, ollama: StandInOllama) -> None:
    ollama.reply = ["at last"]
    ollama.fail("/api/chat", Fault(hang_after=0))
    session, dropped = await new_session(alice), ollama.streams_dropped
    async with asking(alice, session) as wire:
        with pytest.raises(TimeoutError):
            await wire.some(b"\r\n\r\n", within=1.7)

        status, head = await wire.answer(within=30)
        begun = await wire.some(b"event: sources", within=30)

        assert (status, b"content-type: text/event-stream" in head, b"event: run" in begun) == (200, True, True)
        assert b"cache-control: no-store" in head
    await ollama.dropped(dropped + 1)
    message = await stored(alice, session)
    assert (message["status"], message["content"], message["error_code"]) == ("stopped", "", None)


async def test_thinking_is_no_part_of_the_answer_but_ends_the_waiting(alice: Account, ollama: StandInOllama) -> None:
    ollama.reply = [Thinking("Let me see. "), "Forty", "-two"]

    events = await listen(alice)

    assert (said(events), events[-1].name) == ("Forty-two", "done")
    assert all("Let me see" not in str(event.data) for event in events)


async def test_a_nul_from_the_model_is_dropped_and_what_looks_like_the_end_of_a_line_is_not(
    alice: Account, ollama: StandInOllama
) -> None:
    ollama.reply = ["a\0b", "\0", "\0\0c 🐋", " \u2028\x85\u2029\x0b\r\n d"]

    events = await listen(alice)

    # Line ends become LF, as in the documents; the other characters that some take for line ends stay.
    assert said(events) == "abc 🐋 \u2028\x85\u2029\x0b\n d"
    assert (await stored(alice, events[0].data["session_id"]))["content"] == said(events)


async def test_an_empty_answer_is_an_answer(alice: Account, ollama: StandInOllama) -> None:
    ollama.reply = []

    events = await listen(alice)

    assert [event.name for event in events] == ["run", "sources", "done"]
    assert (events[-1].data["status"], events[-1].data["answer_status"]) == ("complete", "no_documents")


async def test_a_second_question_in_a_busy_session_is_refused_and_the_first_is_unharmed(
    alice: Account, ollama: StandInOllama
) -> None:
    ollama.reply, ollama.interval = ["word "] * 10, 0.05
    session = await new_session(alice)
    opened = ollama.streams_opened
    first = asyncio.create_task(listen(alice, session_id=session))
    async with asyncio.timeout(30):
        while ollama.streams_opened == opened:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)

    for stream in (True, False):
        refused = await alice.client.post(QUERY, json={"query": "Me too!", "session_id": session, "stream": stream})
        assert (refused.status_code, refused.json()["code"]) == (409, "session_busy")

    events = await first
    assert (said(events), events[-1].data["status"]) == ("word " * 10, "complete")
    items = (await alice.client.get(f"/api/v1/chat/sessions/{session}/messages")).json()["items"]
    assert [item["content"] for item in items] == ["Tell me.", "word " * 10]
