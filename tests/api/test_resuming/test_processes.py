"""What becomes of resumable answers when their server is stopped, and of the place that they take."""

import asyncio
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from backend.adapters.chat_models.scripted import ScriptedChatModel
from tests.api.test_resuming.places import QUERY, ask, go_on, heard_by, opened, resumed_by, stored
from tests.api.test_streams.streaming import stored as stored_in
from tests.conftest import ApplicationFactory
from tests.support.ollama import StandInOllama
from tests.support.product import Account, running_product


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the products of this file."""
    return tmp_path_factory.mktemp("resuming") / "data"


async def test_a_server_that_is_stopped_ends_resumable_answers_and_their_rest_comes_after_the_restart(
    ollama: StandInOllama, folder: Path
) -> None:
    ollama.reply, ollama.interval = ["word "] * 500, 0.05
    settings: dict[str, Any] = {
        "chat_provider": "ollama",
        "embedder": "hashing",
        "ollama_url": ollama.url,
        "shutdown_grace_seconds": 0,
    }
    async with running_product(folder, **settings) as product, product.account() as account:
        stopped, dropped = await heard_by(account.client, events=4), ollama.streams_dropped
        begun = monotonic()
        stopping = asyncio.create_task(account.client.post(f"{stopped.message}/stop"))
        await ollama.dropped(dropped + 1, within=5)
        print(f"stop closed the model's socket after {(monotonic() - begun) * 1000:.0f} ms")  # noqa: T201 - the figure
        assert (await stopping).json()["status"] == "stopped"
        left = await heard_by(account.client, events=4)
        reading = asyncio.create_task(heard_by(account.client))
        other = await heard_by(account.client, events=4)
        following = asyncio.create_task(resumed_by(account.client, other))
        await asyncio.sleep(0.5)

        await product.stop(within=20)

        for heard in (await reading, await following):
            assert (heard.last.name, heard.last.data["code"]) == ("error", "server_stopping")
        assert "Traceback" not in "".join(product.lines)

    async with (
        running_product(folder, **settings) as product,
        product.client(Authorization=f"Bearer {account.access_token}") as client,
    ):
        there = Account(client, account.username, account.access_token, account.refresh_token)
        for heard in (left, other, await reading, await following):
            resumed = await resumed_by(client, heard)
            message = await stored_in(there, heard.events[0].data["session_id"])
            assert (message["status"], message["error_code"]) == ("incomplete", "server_stopping")
            assert resumed.text == message["content"] != ""
            assert (resumed.last.name, resumed.last.data["code"]) == ("error", "server_stopping")


async def test_an_answer_that_goes_on_without_a_reader_keeps_its_place_among_those_that_are_running(
    application: ApplicationFactory,
) -> None:
    model = ScriptedChatModel(["one", asyncio.Event()])
    async with opened(application, model, limits_enabled=True) as place:
        first, _ = await ask(place, events=3), await ask(place, events=3)
        for number in range(2):
            refused = await place.client.post(QUERY, json={"query": "Me too?"})
            assert (refused.status_code, refused.json()["limit"], number) == (429, "concurrent_streams", number)

        (await place.client.post(f"{first.message}/stop")).raise_for_status()

        assert (await go_on(place, first)).last.data["status"] == (await stored(place, first))["status"] == "stopped"
        assert (await ask(place, events=3)).text == "one"
