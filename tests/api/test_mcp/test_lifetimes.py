"""How long a call lasts: clients that cancel or leave, models that are dead, and a server that is stopped."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.api.test_mcp.agents import ERAS, agent, call, error
from tests.api.test_streams.streaming import new_session, stored
from tests.support.cluster import Cluster, Database
from tests.support.ollama import Fault, StandInOllama
from tests.support.product import Account, Product, running_product
from tests.support.wire import connected

ASK = {"jsonrpc": "2.0", "id": 7, "method": "tools/call"}


async def opened(ollama: StandInOllama, before: int) -> None:
    """Wait until the model is asked."""
    async with asyncio.timeout(60):
        while ollama.streams_opened == before:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("told", [True, False], ids=["progress", "silent"])
@pytest.mark.parametrize("mode", ERAS)
async def test_a_call_that_is_cancelled_frees_the_model(
    product: Product, alice: Account, ollama: StandInOllama, mode: str, told: bool
) -> None:
    ollama.reply, ollama.interval = ["word "] * 2000, 0.02
    session, before, dropped = await new_session(alice), ollama.streams_opened, ollama.streams_dropped

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        assert (progress, total, bool(message)) == (max(progress, 1), None, True)

    async with agent(product, alice.access_token, mode=mode) as client:
        arguments = {"question": "Go on.", "session_id": session}
        asking = asyncio.create_task(client.call_tool("ask", arguments, progress_callback=hear if told else None))
        await opened(ollama, before)
        asking.cancel()
        await asyncio.wait({asking})
        await ollama.dropped(dropped + 1)

        assert (await stored(alice, session))["status"] == "stopped"
        assert (await call(client, "list_documents"))["items"] == []


async def test_a_client_that_leaves_without_a_word_frees_the_model(product: Product, alice: Account, ollama: StandInOllama) -> None:
    ollama.fail("/api/chat", Fault(hang_after=0))
    session, before, dropped = await new_session(alice), ollama.streams_opened, ollama.streams_dropped
    params = {"name": "ask", "arguments": {"question": "Go on.", "session_id": session}}
    body = orjson.dumps({**ASK, "params": params})
    async with connected(product.url) as wire:
        await wire.begin(
            "POST",
            "/mcp",
            Authorization=f"Bearer {alice.access_token}",
            Content_Type="application/json",
            Accept="application/json",
            Content_Length=len(body),
        )
        await wire.send(body)
        await opened(ollama, before)
        wire.leave()
        await ollama.dropped(dropped + 1)

    assert (await stored(alice, session))["status"] == "stopped"


async def test_a_client_cancels_its_own_calls_and_nobody_elses(
    product: Product, alice: Account, bob: Account, ollama: StandInOllama
) -> None:
    ollama.reply, ollama.interval = ["word "] * 100, 0.02
    session, before = await new_session(alice), ollama.streams_opened
    params = {"name": "ask", "arguments": {"question": "Go on.", "session_id": session}}
    cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
    hers = {"Mcp-Session-Id": "hers"}

    asking = asyncio.create_task(alice.client.post("/mcp", json={**ASK, "params": params}, headers=hers))
    await opened(ollama, before)
    for client, headers in ((bob.client, hers), (alice.client, {"Mcp-Session-Id": "of another window"}), (alice.client, {})):
        assert (await client.post("/mcp", json=cancelled, headers=headers)).status_code == 202
    answer = (await asking).json()["result"]["structuredContent"]

    assert (answer["status"], answer["answer"]) == ("complete", "word " * 100)


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(cut_after=0), Fault(cut_after=2), Fault(without_done=True)])
async def test_a_model_that_is_dead_or_dies_is_an_error_of_the_tool(
    product: Product, alice: Account, ollama: StandInOllama, fault: Fault
) -> None:
    ollama.reply = ["A ", "longer ", "reply ", "than ", "that."]
    ollama.fail("/api/chat", fault)
    async with agent(product, alice.access_token) as client:
        said = await error(client, "ask", question="Are you there?")
        ollama.clear()

        assert said["code"] in {"model_unavailable", "answer_cut"}
        assert (await call(client, "ask", question="And now?"))["status"] == "complete"


async def test_a_server_that_is_stopped_ends_its_calls_with_an_answer(
    cluster: Cluster, database: Database, ollama: StandInOllama, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {
        **{"database_url": database.app_url, "database_owner_url": database.owner_url, "chroma_url": cluster.chroma_url},
        **{"chat_provider": "ollama", "embedder": "hashing", "ollama_url": ollama.url, "secret_key": "k" * 32},
        **{"worker": False, "shutdown_grace_seconds": 1},
    }
    ollama.reply, ollama.interval = ["word "] * 5000, 0.05
    async with running_product(tmp_path / "data", **settings) as product, product.account("alice") as alice:
        before = ollama.streams_opened
        document = (await alice.upload("never.md", b"# Never read")).json()["id"]
        calls = {"document_status": {"document_id": document, "wait_seconds": 60}, "ask": {"question": "Go on."}}
        running = [
            asyncio.create_task(alice.client.post("/mcp", json={**ASK, "params": {"name": name, "arguments": arguments}}))
            for name, arguments in calls.items()
        ]
        await opened(ollama, before)
        code = await product.stop(within=60)
        waited, answered = [response.json()["result"] for response in await asyncio.gather(*running)]

    assert code in {0, -signal.SIGTERM}
    assert not any("Traceback" in line for line in product.lines), "".join(product.lines)
    assert waited["structuredContent"]["status"] == "pending"
    assert "server_stopping" in str(answered)
