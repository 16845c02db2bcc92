"""What may go wrong at each provider, as clients see it, and what is stored then."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from backend.bootstrap.application import Application, Replacements, open_application
from tests.api.test_resuming.places import opened
from tests.api.test_streams.streaming import listen, new_session, said, stored
from tests.support.cluster import Cluster
from tests.support.ollama import CHAT_MODEL, Fault, StandInOllama
from tests.support.product import Account
from tests.support.providers import KINDS

PIECES = ["one ", "two ", "three ", "four"]


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[StandInOllama]:
    async with StandInOllama() as stand_in:
        yield stand_in


@pytest.fixture
def stand_in(server: StandInOllama) -> StandInOllama:
    server.clear()
    server.reply = PIECES
    return server


@pytest.fixture(scope="module")
async def alice(cluster: Cluster, server: StandInOllama, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Account]:
    """Somebody at a product with three providers, who waits for none of them for long."""
    first, *others = [kind.make(server.url, 2.0, 1.0) for kind in KINDS.values()]
    for provider in others:
        await provider.details(CHAT_MODEL.name)

    @asynccontextmanager
    async def application(**_: object) -> AsyncIterator[Application]:
        replacing = Replacements(chat_model=first, other_chat_models=tuple(others))
        async with (
            cluster.database() as database,
            open_application(cluster.settings(database, tmp_path_factory.mktemp("faults")), replacing=replacing) as running,
        ):
            yield running

    async with opened(application, first) as place:
        yield place.account


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider of the product: where it is asked, and the id of its model."""

    path: str
    model: str


PREFIXES = {"ollama": "", "vllm": "vllm/", "openai through langchain": "openai/"}


@pytest.fixture(params=KINDS)
def provider(request: pytest.FixtureRequest) -> Provider:
    return Provider(KINDS[request.param].path, PREFIXES[request.param] + CHAT_MODEL.name)


BEFORE = {
    "500": Fault(status=500),
    "503": Fault(status=503),
    "429": Fault(status=429),
    "401": Fault(status=401),
    "400": Fault(status=400),
    "garbage": Fault(status=200, body=b"garbage"),
    "nothing": Fault(status=200, body=b""),
    "cut": Fault(cut_after=0),
    "error": Fault(error_after=0),
    "malformed": Fault(garbage_after=0),
    "hang": Fault(hang_after=0),
}


@pytest.mark.parametrize("stream", [True, False], ids=["sse", "json"])
@pytest.mark.parametrize("fault", BEFORE.values(), ids=BEFORE.keys())
async def test_a_fault_before_the_first_piece_is_a_status(
    alice: Account, stand_in: StandInOllama, provider: Provider, fault: Fault, stream: bool
) -> None:
    stand_in.fail(provider.path, fault)
    session = await new_session(alice)
    # What it refuses it would refuse again: that is no outage.
    told = (422, "model_refused") if fault.status == 400 else (503, "model_unavailable")

    response = await alice.ask("Anybody there?", session_id=session, model=provider.model, stream=stream)

    if response.status_code == 200:
        # The status line waits two seconds for the model. What goes wrong later is an event.
        assert stream
        assert response.text.rstrip().rpartition("event: ")[2].startswith("error")
        assert f'"code":"{told[1]}"' in response.text
    else:
        assert (response.status_code, response.json()["code"]) == told
        assert ("retry-after" in response.headers) == (told[0] == 503)
    message = await stored(alice, session)
    assert (message["status"], message["content"], message["error_code"]) == ("incomplete", "", told[1])


AFTER = {
    "cut": Fault(cut_after=2),
    "error": Fault(error_after=2),
    "malformed": Fault(garbage_after=2),
    "hang": Fault(hang_after=2),
    "no end": Fault(without_done=True),
    "cut before the end": Fault(cut_after=4),
}


@pytest.mark.parametrize("stream", [True, False], ids=["sse", "json"])
@pytest.mark.parametrize("fault", AFTER.values(), ids=AFTER.keys())
async def test_a_fault_after_it_is_an_event_or_a_502_and_what_was_said_is_kept(
    alice: Account, stand_in: StandInOllama, provider: Provider, fault: Fault, stream: bool
) -> None:
    stand_in.fail(provider.path, fault)
    session = await new_session(alice)

    if stream:
        events = await listen(alice, session_id=session, model=provider.model)
        assert (events[-1].name, events[-1].data["code"]) == ("error", "answer_cut")
        assert said(events).startswith("one two ")
    else:
        response = await alice.ask("Tell me.", session_id=session, model=provider.model)
        assert (response.status_code, response.json()["code"]) == (502, "answer_cut")

    message = await stored(alice, session)
    assert (message["status"], message["error_code"]) == ("incomplete", "answer_cut")
    assert message["content"].startswith("one two")


async def test_a_slow_model_and_one_that_reached_its_length_are_no_faults(
    alice: Account, stand_in: StandInOllama, provider: Provider
) -> None:
    for fault, status in ((Fault(interval=0.05), "complete"), (Fault(done_reason="length"), "incomplete")):
        stand_in.fail(provider.path, fault, times=1)
        events = await listen(alice, model=provider.model)
        done = events[-1]
        assert (done.name, done.data["status"], said(events)) == ("done", status, "one two three four")
        assert (await stored(alice, done.data["session_id"]))["status"] == status


@pytest.mark.parametrize("stream", [True, False], ids=["sse", "json"])
async def test_a_model_that_the_provider_does_not_have_is_the_requests_mistake(
    alice: Account, stand_in: StandInOllama, provider: Provider, stream: bool
) -> None:
    response = await alice.ask("Anybody there?", model=provider.model.replace(CHAT_MODEL.name, "granite9:2b"), stream=stream)

    assert (response.status_code, response.json()["code"]) == (422, "model_unknown")
