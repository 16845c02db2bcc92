"""Two processes over one database: the answer is given in one, and read or stopped in the other."""

import asyncio
from time import monotonic
from typing import Any

import pytest
from structlog.testing import capture_logs

from backend.adapters.chat_models.scripted import ScriptedChatModel
from tests.api.test_resuming.places import Heard, Place, ask, ended, go_on, opened, stored
from tests.conftest import ApplicationFactory
from tests.support.chroma import free_port
from tests.support.events import events_of
from tests.support.product import PASSWORD
from tests.support.redis import running_redis


async def test_with_redis_it_goes_on_in_another_process_while_it_is_being_given(application: ApplicationFactory) -> None:
    gates = [asyncio.Event() for _ in range(3)]
    model = ScriptedChatModel(["one 🐋", gates[0], " two", gates[1], " three", gates[2], " four"])
    async with (
        running_redis() as redis,
        opened(application, model, redis_url=redis.url) as here,
        opened(application, model, account=here.account, redis_url=redis.url) as there,
    ):
        heard = await ask(here, events=3)
        from_the_run_on = await go_on(there, Heard(heard.events[:1]), events=2)
        gates[0].set()
        after_two = await go_on(there, heard, events=1)
        assert (after_two.text, from_the_run_on.names) == ("one 🐋 two", ["run", "sources", "delta"])
        reading = asyncio.create_task(go_on(there, after_two))
        gates[1].set()
        after_three = await go_on(there, after_two, events=1)
        assert after_three.text == "one 🐋 two three"

        # Redis forgets everything: the rest comes from the stored answer.
        await redis.kill()
        await redis.start()
        gates[2].set()

        for resumed in (await reading, await go_on(there, after_three)):
            assert resumed.text == (await stored(there, heard))["content"] == "one 🐋 two three four"
            assert resumed.last.data["status"] == "complete"


@pytest.mark.parametrize("redis", ["", "down"])
async def test_without_redis_it_waits_and_reads_the_stored_answer(application: ApplicationFactory, redis: str) -> None:
    gate = asyncio.Event()
    model = ScriptedChatModel(["one", gate, " two"])
    settings: dict[str, Any] = {"redis_url": f"redis://127.0.0.1:{free_port()}/0"} if redis else {}
    async with (
        opened(application, model, **settings) as here,
        opened(application, model, account=here.account, **settings) as there,
    ):
        heard = await ask(here, events=3)
        reading = asyncio.create_task(go_on(there, heard))
        deleted = asyncio.create_task(go_on(there, Heard(heard.events[:1])))
        await asyncio.sleep(0.7)
        assert not reading.done()
        gate.set()

        for resumed in (await reading, await deleted):
            assert (resumed.text, resumed.last.data["status"]) == ("one two", "complete")


async def test_whoever_reads_in_another_process_keeps_it_going_beyond_the_grace(application: ApplicationFactory) -> None:
    gate = asyncio.Event()
    model = ScriptedChatModel(["one", gate, " two"])
    async with (
        opened(application, model, stream_grace_seconds=5) as here,
        opened(application, model, account=here.account, stream_grace_seconds=5) as there,
    ):
        heard = await ask(here, events=3)
        reading = asyncio.create_task(go_on(there, heard))
        unread = await ask(here, events=3)

        # Its grace began later, so that of the other one is over as well.
        assert (await ended(here, unread))["status"] == "stopped"
        assert (reading.done(), (await stored(there, heard))["status"]) == (False, "streaming")
        gate.set()

        resumed = await reading
        assert (resumed.text, resumed.last.data["status"]) == ("one two", "complete")


async def test_what_is_deleted_ends_its_answers_in_every_process_and_frees_their_places(application: ApplicationFactory) -> None:
    model = ScriptedChatModel(["one", asyncio.Event(), " two"])
    with capture_logs() as logs:
        async with (
            opened(application, model, limits_enabled=True) as here,
            opened(application, model, account=here.account, limits_enabled=True) as there,
        ):
            answers = [await ask(here, events=3) for _ in range(2)]
            for count, (place, heard) in enumerate(zip((here, there), answers, strict=True), 1):
                (await place.client.delete(heard.message.partition("/messages/")[0])).raise_for_status()
                await running(here, 2 - count)
                assert model.closed_early == count

            await ask(here, events=3)
            account = await there.client.request("DELETE", "/api/v1/auth/me", json={"password": PASSWORD})
            assert account.status_code == 204
            async with asyncio.timeout(20):
                while model.closed_early < 3:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.05)
    assert [entry for entry in logs if entry["log_level"] in ("error", "critical")] == []


async def running(place: Place, answers: int) -> None:
    """Wait until so many answers take a place here."""
    async with asyncio.timeout(20):
        while True:
            limits = (await place.client.get("/api/v1/auth/me/usage")).raise_for_status().json()["limits"]
            if next(limit["used"] for limit in limits if limit["name"] == "concurrent_streams") == answers:
                return
            await asyncio.sleep(0.5)


async def test_a_conversation_that_is_deleted_ends_the_waiting(application: ApplicationFactory) -> None:
    model = ScriptedChatModel(["one", asyncio.Event(), " two"])
    async with opened(application, model) as here, opened(application, model, account=here.account) as there:
        heard = await ask(here, events=3)
        async with there.client.stream("GET", f"{heard.message}/events") as response:
            events = events_of(response)
            assert (await anext(events)).name == "run"

            (await here.client.delete(heard.message.partition("/messages/")[0])).raise_for_status()

            assert [(event.name, event.data["code"]) async for event in events] == [("error", "session_not_found")]


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "in another process"])
async def test_stop_frees_the_model_at_once_and_tells_what_was_said(application: ApplicationFactory, elsewhere: bool) -> None:
    model = ScriptedChatModel(["one", asyncio.Event(), " two"])
    async with opened(application, model) as here, opened(application, model, account=here.account) as there:
        place = there if elsewhere else here
        heard = await ask(here, events=3)
        reading = asyncio.create_task(go_on(here, heard))
        begun = monotonic()

        stopped = await place.client.post(f"{heard.message}/stop")

        print(f"stopped {'elsewhere' if elsewhere else 'here'} after {(monotonic() - begun) * 1000:.0f} ms")  # noqa: T201 - the figure
        assert (stopped.status_code, model.closed_early) == (200, 1)
        assert (stopped.json()["status"], stopped.json()["content"]) == ("stopped", "one")
        assert (await reading).last.data["status"] == "stopped"
        assert (await place.client.post(f"{heard.message}/stop")).json() == stopped.json()
        assert (await ask(there, events=1, session_id=stopped.json()["session_id"])).names == ["run"], "the session is free"
        question = (await here.client.get(heard.message.rpartition("/")[0])).json()["items"][0]
        for suffix, method in (("events", "GET"), ("stop", "POST")):
            refused = await here.client.request(method, f"{heard.message.rpartition('/')[0]}/{question['id']}/{suffix}")
            assert (refused.status_code, refused.json()["code"]) == (404, "message_not_found")
