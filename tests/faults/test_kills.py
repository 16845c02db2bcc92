"""Kill -9 of anything during indexing: the document becomes ready, once, and is found, or fails with a reason."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.faults.crashes import (
    assert_found,
    assert_stored_once,
    at_attempt,
    at_progress,
    kill_below,
    processes_below,
    report,
    still_running,
    watched,
)
from tests.support.chroma import free_port
from tests.support.files import long_text
from tests.support.ollama import Fault, StandInOllama
from tests.support.product import Account, Product, running_product

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

TEXT = long_text(400)
SLOW = Fault(interval=0.2)
"""Before each batch of 32 passages, of which the text above has about nine."""


@pytest.fixture(scope="module")
async def slow_ollama() -> AsyncIterator[StandInOllama]:
    async with StandInOllama() as server:
        server.fail("/api/embed", SLOW)
        yield server


def settings(ollama: StandInOllama) -> dict[str, Any]:
    return {"chat_provider": "extractive", "embedder": "ollama", "ollama_url": ollama.url, "port": free_port()}


@pytest.fixture(scope="module")
async def product(slow_ollama: StandInOllama, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """A product whose server lives on, whatever is killed below it."""
    async with running_product(tmp_path_factory.mktemp("product") / "data", **settings(slow_ollama)) as running:
        yield running


@pytest.fixture
async def alice(product: Product) -> AsyncIterator[Account]:
    async with product.account("alice") as account:
        yield account


async def uploaded(account: Account, data: bytes = TEXT) -> str:
    response = await account.upload("subjects.md", data)
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


async def test_after_kills_and_a_stop_of_the_server_the_document_becomes_ready_once(
    slow_ollama: StandInOllama, tmp_path: Path
) -> None:
    chosen, data = settings(slow_ollama) | {"shutdown_grace_seconds": 0.2}, tmp_path / "data"
    async with running_product(data, **chosen) as first, first.account() as alice:
        document_id = await uploaded(alice)
        await first.kill()  # The 202 was given: from here on nothing may be lost.
        async with running_product(data, **chosen) as second:
            await at_progress(alice, document_id, 0.2)
            children = processes_below(second.process.pid)
            assert await second.stop() in {0, -signal.SIGTERM}
            assert still_running(children) == []
        async with running_product(data, **chosen) as third:
            before = await at_progress(alice, document_id, 0.5)
            await third.kill()
        begun = monotonic()
        async with running_product(data, **chosen):
            answering = monotonic() - begun
            assert (await alice.document(document_id))["progress"]["done"] >= before["progress"]["done"], "what was stored is kept"
            document = await alice.settled(document_id)
            report(
                f"answers {answering:.1f} s after the restart began, and the document is ready after {monotonic() - begun:.1f} s"
            )
            assert document["status"] == "ready"
            await assert_stored_once(data, document)
            await assert_found(alice, 399)


async def test_a_file_that_kills_its_process_each_time_is_given_up_at_the_fourth_start(
    slow_ollama: StandInOllama, tmp_path: Path
) -> None:
    chosen, data = settings(slow_ollama), tmp_path / "data"
    async with running_product(data, **chosen) as first, first.account() as alice:
        document_id = await uploaded(alice)
        await at_attempt(data, document_id, 1)
        await first.kill()
        for attempt in (2, 3):
            async with running_product(data, **chosen) as again:
                await at_attempt(data, document_id, attempt)
                await again.kill()
        async with running_product(data, **chosen):
            document = await alice.settled(document_id)
            assert (document["status"], document["error"]["code"]) == ("failed", "indexing_crashed")
            assert "three times" in document["error"]["message"]
            assert (await alice.ask("How many grams does subject 1 weigh?")).json()["answer_status"] == "no_documents"
            assert (await uploaded(alice)) == document_id, "the same bytes again are another chance"
            await at_progress(alice, document_id, 0.05)


@pytest.mark.parametrize("victim", ["postgres -D", "chroma run"])
async def test_after_a_kill_of_a_server_below_the_document_becomes_ready_once_without_a_restart(
    product: Product, alice: Account, victim: str
) -> None:
    document_id = await uploaded(alice)
    await at_progress(alice, document_id, 0.3)
    assert kill_below(product.process.pid, lambda command: victim in command and "postgres:" not in command)
    begun = monotonic()
    document = await alice.settled(document_id)
    report(f"{victim}: ready {monotonic() - begun:.1f} s after the kill")
    assert document["status"] == "ready"
    await assert_stored_once(Path(product.environment["DATA_DIR"]), document)
    await assert_found(alice, 7)


async def test_a_killed_parser_ends_the_document_with_a_sentence_and_nothing_else(product: Product, alice: Account) -> None:
    document_id = await uploaded(alice, long_text(60_000))
    killed = 0
    while not killed and (await alice.document(document_id))["status"] != "failed":
        killed = kill_below(product.process.pid, lambda command: "document_parsers" in command)
        await asyncio.sleep(0.005)
    document = await alice.settled(document_id)
    assert killed
    assert document["status"] == "failed"
    assert document["error"]["message"].endswith(".")
    assert product.process.returncode is None


async def test_while_the_embedder_is_down_the_document_says_what_it_waits_for(
    product: Product, alice: Account, slow_ollama: StandInOllama
) -> None:
    async with slow_ollama.refusing():
        document_id = await uploaded(alice)
        document = await watched(alice, document_id, lambda d: d["waiting_for"] is not None)
        assert document["status"] == "pending"
        assert "nomic-embed-text" in document["waiting_for"]
    begun = monotonic()
    document = await alice.settled(document_id)
    report(f"ready {monotonic() - begun:.1f} s after the embedder was back")
    assert (document["status"], document["waiting_for"]) == ("ready", None)
    await assert_stored_once(Path(product.environment["DATA_DIR"]), document)
