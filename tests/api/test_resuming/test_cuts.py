"""Streams that are cut anywhere, in the process that gives the answer."""

import asyncio

import pytest

from backend.adapters.chat_models.scripted import ScriptedChatModel, Step
from backend.core.errors import AnswerCutError
from tests.api.test_resuming.places import QUERY, Heard, Place, ask, ended, go_on, opened, stored, whole_events
from tests.conftest import ApplicationFactory
from tests.support.events import events_of

TEXT = ("Whales 🐋 ", "eat\u2028", " krill, ", "née ", "日本, ", "and ", "that is ", "all.")
REPLY: list[Step] = [step for piece in TEXT for step in (piece, 0.02)]


async def assert_whole(place: Place, heard: Heard) -> None:
    """What was heard is the stored answer, each event once and in order."""
    assert heard.text == (await stored(place, heard))["content"] == "".join(TEXT)
    assert heard.names == ["run", "sources", "delta", "done"]
    assert [event.id for event in heard.events] == sorted({event.id for event in heard.events})
    assert heard.last.data["status"] == "complete"


@pytest.mark.parametrize("late", [False, True], ids=["at once", "after its end"])
async def test_a_stream_cut_after_any_event_and_resumed_is_the_stored_text(application: ApplicationFactory, late: bool) -> None:
    async with opened(application, ScriptedChatModel(REPLY)) as place:
        whole = await ask(place)
        await assert_whole(place, whole)
        assert len(whole.events) > 6

        async def cut_after(events: int) -> None:
            heard = await ask(place, events=events)
            if late:
                await ended(place, heard)
            resumed = await go_on(place, heard)
            if heard.last.name == "done":
                assert [event.name for event in resumed.events[len(heard.events) :]] == ["done"]
            else:
                await assert_whole(place, resumed)

        await asyncio.gather(*(cut_after(events) for events in range(1, len(whole.events) + 1)))


async def test_a_stream_cut_in_the_middle_of_an_event_is_resumed_after_the_last_whole_one(application: ApplicationFactory) -> None:
    async with opened(application, ScriptedChatModel(REPLY)) as place:

        async def cut_at(offset: int) -> None:
            body = {"query": "Go on.", "stream": True, "resumable": True}
            received = b""
            async with place.client.stream("POST", QUERY, json=body) as response:
                async for data in response.aiter_bytes():
                    received += data
                    if len(received) >= offset:
                        break
            await assert_whole(place, await go_on(place, Heard(whole_events(received[:offset]))))

        await asyncio.gather(*(cut_at(offset) for offset in range(180, 640, 23)))


async def test_it_is_resumed_again_and_again_and_by_two_at_once(application: ApplicationFactory) -> None:
    async with opened(application, ScriptedChatModel(REPLY)) as place:
        heard = await ask(place, events=1)
        for _ in range(4):
            heard = await go_on(place, heard, events=1)

        both = await asyncio.gather(go_on(place, heard), go_on(place, Heard(heard.events[:2])))

        for each in both:
            await assert_whole(place, each)


async def test_whoever_reads_keeps_it_going_and_without_them_it_stops_after_the_grace(application: ApplicationFactory) -> None:
    gate = asyncio.Event()
    model = ScriptedChatModel(["one", gate, " two", asyncio.Event(), " three"])
    async with opened(application, model, stream_grace_seconds=0.3) as place:
        body = {"query": "Go on.", "stream": True, "resumable": True}
        async with place.client.stream("POST", QUERY, json=body) as first:
            heard = Heard([await anext(events_of(first))])
            second = place.client.stream("GET", f"{heard.message}/events")
            events = events_of(await second.__aenter__())
            assert (await anext(events)).name == "run"
        await asyncio.sleep(1.0)
        gate.set()
        heard = Heard([*heard.events, await anext(events), await anext(events), await anext(events)])
        assert (heard.text, model.closed_early) == ("one two", 0)

        await second.__aexit__(None, None, None)

        message = await ended(place, heard)
        assert (message["status"], message["content"], model.closed_early) == ("stopped", "one two", 1)
        assert (await go_on(place, heard)).last.data["status"] == "stopped"


async def test_without_being_resumable_it_stops_at_once_and_can_still_be_read_to_its_end(application: ApplicationFactory) -> None:
    model = ScriptedChatModel(["one", asyncio.Event(), " two"])
    async with opened(application, model) as place:
        heard = await ask(place, events=3, resumable=False)

        resumed = await go_on(place, heard)

        assert (resumed.text, resumed.last.name, resumed.last.data["status"]) == ("one", "done", "stopped")
        refused = await place.client.post(QUERY, json={"query": "Go on.", "resumable": True})
        assert (refused.status_code, refused.json()["errors"][0]["type"]) == (422, "resumable_without_stream")


async def test_a_failure_is_heard_after_a_resumption_too(application: ApplicationFactory) -> None:
    gate = asyncio.Event()
    async with opened(application, ScriptedChatModel(["one", gate, AnswerCutError()])) as place:
        heard = await ask(place, events=3)
        running = asyncio.create_task(go_on(place, heard))
        await asyncio.sleep(0.1)
        gate.set()

        for resumed in (await running, await go_on(place, heard)):
            assert (resumed.text, resumed.last.name, resumed.last.data["code"]) == ("one", "error", "answer_cut")
            assert resumed.last.data["message"] == AnswerCutError.message
