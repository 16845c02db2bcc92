"""The scaled topology, and nginx in front of it: a person's way through several processes."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import httpx2
import pytest

from tests.api.conftest import ollama, shared_ollama
from tests.api.test_resuming.places import heard_by, resumed_by
from tests.api.test_streams.streaming import new_session, stored
from tests.support.chroma import free_port
from tests.support.files import WHALES
from tests.support.nginx import running_nginx
from tests.support.ollama import StandInOllama
from tests.support.product import PASSWORD, Account, Reachable
from tests.support.scaled import ScaledProduct, running_scaled

__all__ = ["ollama", "shared_ollama"]

LARGEST = 30_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """The topology, and the port that nginx takes in front of it."""

    product: ScaledProduct
    port: int


@pytest.fixture(scope="module")
async def place(shared_ollama: StandInOllama, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """Two API processes and a worker, the pages, and what they need."""
    port = free_port()
    async with running_scaled(
        tmp_path_factory.mktemp("scaled"),
        workers=1,
        ui=True,
        chat_provider="ollama",
        embedder="hashing",
        ollama_url=shared_ollama.url,
        max_upload_bytes=LARGEST,
        forwarded_allow_ips="127.0.0.1",
        ui_public_api_url=f"http://127.0.0.1:{port}",
    ) as product:
        yield Place(product, port)


@pytest.fixture(scope="module")
async def proxy(place: Place, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Reachable]:
    """nginx in front of them."""
    topology = place.product.topology
    apis, ui = [api.url or "" for api in topology.apis], topology.ui.url or "" if topology.ui is not None else ""
    async with running_nginx(tmp_path_factory.mktemp("nginx"), place.port, apis=apis, ui=ui) as url:
        yield Reachable(url, topology.environment)


def elsewhere(account: Account, client: httpx2.AsyncClient) -> Account:
    client.headers["Authorization"] = f"Bearer {account.access_token}"
    return Account(client, account.username, account.access_token, account.refresh_token)


async def test_any_process_goes_on_with_what_another_one_began(place: Place, ollama: StandInOllama) -> None:
    product = place.product
    ollama.reply, ollama.interval = ["word "] * 500, 0.1
    async with product.process(0).account() as here, product.process(1).client() as client:
        there = elsewhere(here, client)
        accepted = await here.upload("whales.md", WHALES)
        assert accepted.status_code == 202
        assert (await there.settled(accepted.json()["id"]))["status"] == "ready"

        heard = await heard_by(there.client, query="How long does a blue whale become?", events=4)
        if product.topology.redis is not None:
            resumed = await resumed_by(here.client, heard, events=3)
            ids = [event.id for event in resumed.events]
            assert (ids, len(ids)) == (sorted(set(ids)), 7)
            assert set(resumed.text.split()) == {"word"}
        stopped = await here.client.post(f"{heard.message}/stop")
        assert (stopped.status_code, stopped.json()["status"]) == (200, "stopped")
        rest = await resumed_by(there.client, heard)
        assert rest.last.data["status"] == "stopped"
        assert rest.text.startswith(heard.text)


async def test_a_call_of_an_agent_is_cancelled_in_any_process(place: Place, ollama: StandInOllama) -> None:
    ollama.reply, ollama.interval = ["word "] * 2000, 0.1
    window, opened, dropped = {"Mcp-Session-Id": "window"}, ollama.streams_opened, ollama.streams_dropped
    async with place.product.process(0).account() as here, place.product.process(1).client() as client:
        session = await new_session(here)
        params = {"name": "ask", "arguments": {"question": "Go on.", "session_id": session}}
        ask = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}
        cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
        asking = asyncio.create_task(here.client.post("/mcp", json=ask, headers=window))
        async with asyncio.timeout(60):
            while ollama.streams_opened == opened:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
        cancelled = await elsewhere(here, client).client.post("/mcp", json=cancel, headers=window)
        await ollama.dropped(dropped + 1)

        assert [(answer.status_code, answer.content) for answer in (cancelled, await asking)] == [(202, b"")] * 2
        assert (await stored(here, session))["status"] == "stopped"


async def test_a_process_that_is_gone_is_passed_over_and_comes_back(place: Place) -> None:
    gone = place.product.topology.apis[0]
    await gone.kill()
    assert not gone.alive

    async with place.product.client() as client:
        assert [(await client.get("/health")).status_code for _ in range(4)] == [200] * 4
        await gone.start()
        assert [(await client.get("/health")).status_code for _ in range(4)] == [200] * 4
    assert gone.alive


async def test_through_nginx_an_answer_comes_word_by_word_and_who_leaves_frees_the_model(
    proxy: Reachable, ollama: StandInOllama
) -> None:
    ollama.reply, ollama.interval = ["word "] * 500, 0.2
    async with proxy.account() as account:
        before = ollama.streams_dropped
        async with account.client.stream("POST", "/api/v1/chat/query", json={"query": "Hello?", "stream": True}) as answer:
            read = b""
            async for piece in answer.aiter_raw():
                read += piece
                if read.count(b"event: delta") >= 3:
                    break
        await ollama.dropped(before + 1)

    assert read.count(b"event: delta") < 50, "it was held back"


async def test_through_nginx_a_file_passes_up_to_the_limit_and_beyond_it_is_refused_in_form(proxy: Reachable) -> None:
    async with proxy.account() as account:
        largest = await account.upload("largest.pdf", b"%PDF-1.7\n".ljust(LARGEST, b"\0"))
        refused = await account.upload("larger.pdf", b"%PDF-1.7\n".ljust(LARGEST + 1, b"\0"))

    assert (largest.status_code, largest.json()["size"]) == (202, LARGEST)
    assert (refused.status_code, refused.headers["content-type"]) == (413, "application/problem+json")
    assert refused.json()["code"] == "document_too_large"


async def test_through_nginx_somebody_signs_in_and_the_pages_open_at_the_same_address(proxy: Reachable) -> None:
    async with proxy.account() as account, proxy.client() as browser:
        form = {"username": account.username, "password": PASSWORD}
        foreign = await browser.post("/sign-in", data=form, headers={"Origin": "http://elsewhere.example"})
        signed_in = await browser.post("/sign-in", data=form, headers={"Origin": proxy.url, "X-Forwarded-For": "203.0.113.9"})
        page = await browser.get("/")
        sign_ins = (await account.client.get("/api/v1/auth/me/sign-ins")).json()
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(f"{proxy.url}/_stcore/stream", headers={"Origin": "http://elsewhere.example"})
        async with http.ws_connect(f"{proxy.url}/_stcore/stream", headers={"Origin": proxy.url}) as socket:
            assert not socket.closed

    assert (foreign.status_code, signed_in.status_code, signed_in.headers["location"]) == (403, 303, "/")
    assert "streamlit" in page.text.lower()
    assert "203.0.113.9" not in json.dumps(sign_ins), "a claim of the client was believed"


async def test_through_nginx_nobody_reads_the_measurements(place: Place, proxy: Reachable) -> None:
    async with proxy.client() as outside, place.product.client() as inside:
        told = [(await outside.get(path)).status_code for path in ("/metrics", "/metrics/", "/ready")]
        measured = (await inside.get("/metrics")).status_code

    assert (told, measured) == ([404, 404, 200], 200)
