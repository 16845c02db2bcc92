"""The server that stops, or dies, while it answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.api.test_streams.streaming import QUERY, listen, new_session, said, stored
from tests.support.events import events_of
from tests.support.ollama import StandInOllama
from tests.support.product import Account, Product, running_product


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder that all products of this file run on, one after the other."""
    return tmp_path_factory.mktemp("stopping") / "data"


@asynccontextmanager
async def opened(folder: Path, ollama: StandInOllama, *, grace: float = 10) -> AsyncIterator[Product]:
    async with running_product(
        folder, chat_provider="ollama", embedder="hashing", ollama_url=ollama.url, shutdown_grace_seconds=grace
    ) as product:
        yield product


async def begun(ollama: StandInOllama, streams: int) -> None:
    """Wait until the model has begun its next answer, and has said something."""
    async with asyncio.timeout(30):
        while ollama.streams_opened == streams:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)


@asynccontextmanager
async def same(account: Account, product: Product) -> AsyncIterator[Account]:
    """Go on as the same user with the next process."""
    async with product.client(Authorization=f"Bearer {account.access_token}") as client:
        yield Account(client, account.username, account.access_token, account.refresh_token)


async def test_with_a_grace_running_answers_are_finished(ollama: StandInOllama, folder: Path) -> None:
    ollama.reply, ollama.interval = ["word "] * 20, 0.1
    async with opened(folder, ollama) as product, product.account() as account:
        streams = ollama.streams_opened
        answer = asyncio.create_task(listen(account))
        await begun(ollama, streams)

        await product.stop()

        events = await answer
        assert (events[-1].name, events[-1].data["status"], said(events)) == ("done", "complete", "word " * 20)
        assert "Traceback" not in "".join(product.lines)


async def test_without_a_grace_they_end_with_an_error_and_what_was_said_is_kept(ollama: StandInOllama, folder: Path) -> None:
    ollama.reply, ollama.interval = ["word "] * 500, 0.05
    async with opened(folder, ollama, grace=0) as product, product.account() as account:
        sessions = [await new_session(account), await new_session(account)]
        streams, dropped = ollama.streams_opened, ollama.streams_dropped
        answer = asyncio.create_task(listen(account, session_id=sessions[0]))
        await begun(ollama, streams)
        as_json = asyncio.create_task(account.ask("And as JSON?", session_id=sessions[1]))
        await begun(ollama, streams + 1)

        await product.stop()

        events = await answer
        assert (events[-1].name, events[-1].data["code"]) == ("error", "server_stopping")
        assert ((await as_json).status_code, (await as_json).json()["code"]) == (503, "server_stopping")
        await ollama.dropped(dropped + 2)
        assert "Traceback" not in "".join(product.lines)

    async with opened(folder, ollama) as product, same(account, product) as account:
        message = await stored(account, sessions[0])
        assert (message["status"], message["error_code"]) == ("incomplete", "server_stopping")
        assert message["content"] == said(events) != ""


async def test_after_a_crash_the_answer_is_incomplete_and_its_session_is_free(ollama: StandInOllama, folder: Path) -> None:
    ollama.reply, ollama.interval = ["word "] * 500, 0.05
    async with opened(folder, ollama) as product, product.account() as account:
        session = await new_session(account)
        body = {"query": "Go on.", "stream": True, "session_id": session}
        async with account.client.stream("POST", QUERY, json=body) as response:
            async for event in events_of(response):
                if event.name == "delta":
                    break
            await product.kill()

    ollama.reply, ollama.interval = "Here I am.", 0.0
    async with opened(folder, ollama) as product, same(account, product) as account:
        message = await stored(account, session)
        assert (message["status"], message["error_code"]) == ("incomplete", "answer_cut")
        assert (await account.ask("Still there?", session_id=session)).json()["answer"] == "Here I am."
