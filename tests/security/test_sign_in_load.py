"""Sign-in load never freezes a running stream.

An answer streams at 20 ms a token, first in peace and then while 16 clients sign in as fast as they can, which keeps both hashing
threads busy. The model, the readers of the streams and those who sign in are processes of their own, so that the test does not
measure itself, and both measurements are printed.

The promise is 100 ms for 99 of 100 gaps. On a machine that cannot even keep the pace in peace that says nothing about sign-ins, so
there the bound is three times the gap in peace: a hash on the event loop (30 ms each, 16 waiting) would be far over either.
"""

import asyncio
import http.client
import json
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.support.ollama import StandInOllama
from tests.support.product import PASSWORD, Product, running_product

if TYPE_CHECKING:  # A pipe's end has type parameters only for type checkers.
    from multiprocessing.connection import Connection

TOKEN_SECONDS = 0.020
TOKENS = 150
STREAMS = 3
CLIENTS = 16
PROMISED_SECONDS = 0.100
WORSE_THAN_IN_PEACE = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """The gaps between the events of streams, in seconds."""

    gaps: Sequence[float]

    def share(self, of: float) -> float:
        """The gap that so many of them do not exceed."""
        return sorted(self.gaps)[min(int(len(self.gaps) * of), len(self.gaps) - 1)]

    def __str__(self) -> str:
        shares = ", ".join(f"p{round(of * 100)} {self.share(of) * 1000:.1f}" for of in (0.5, 0.95, 0.99))
        return f"{shares}, worst {max(self.gaps) * 1000:.1f} ms of {len(self.gaps)} gaps"


def serve_model(address: "Connection[str, str]") -> None:
    """Be a model that says a word every 20 ms, until the process is ended."""

    async def serve() -> None:
        async with StandInOllama(reply=[f"word{number} " for number in range(TOKENS)], interval=TOKEN_SECONDS) as ollama:
            address.send(ollama.url)
            await asyncio.Event().wait()

    asyncio.run(serve())


def read_stream(url: str, token: str, tokens: int = TOKENS) -> list[float]:
    """Ask, and note how long after the one before each piece of the answer came."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request("POST", "/api/v1/chat/query", json.dumps({"query": "Go on.", "stream": True, "max_tokens": tokens}), headers)
    response = connection.getresponse()
    assert response.status == 200, response.read()
    moments, events = list[float](), set[bytes]()
    while line := response.readline():
        if line.startswith(b"event: "):
            events.add(line.split()[1])
            if line == b"event: delta\n":
                moments.append(time.monotonic())
    connection.close()
    assert b"done" in events, events
    return [later - earlier for earlier, later in pairwise(moments)]


def sign_in_without_mercy(url: str, username: str, seconds: float) -> int:
    """Sign in again and again with every client; return how often that went well."""

    async def client(session: aiohttp.ClientSession, until: float) -> int:
        done = 0
        while time.monotonic() < until:
            async with session.post(f"{url}/api/v1/auth/login", json={"username": username, "password": PASSWORD}) as answer:
                assert answer.status == 200, await answer.text()
                await answer.read()
                done += 1
        return done

    async def storm() -> int:
        until = time.monotonic() + seconds
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            return sum(await asyncio.gather(*(client(session, until) for _ in range(CLIENTS))))

    return asyncio.run(storm())


@pytest.fixture
async def model() -> AsyncIterator[str]:
    """The address of a model in a process of its own."""
    receiver, sender = get_context("spawn").Pipe(duplex=False)
    process = get_context("spawn").Process(target=serve_model, args=(sender,), daemon=True)
    process.start()
    try:
        yield await asyncio.to_thread(receiver.recv)
    finally:
        process.terminate()
        await asyncio.to_thread(process.join)


@pytest.fixture
async def product(model: str, tmp_path: Path) -> AsyncIterator[Product]:
    async with running_product(tmp_path / "data", chat_provider="ollama", embedder="hashing", ollama_url=model) as running:
        yield running


async def pace_of(product: Product, token: str, readers: Executor, tokens: int = TOKENS) -> Pace:
    loop = asyncio.get_running_loop()
    gaps = await asyncio.gather(*(loop.run_in_executor(readers, read_stream, product.url, token, tokens) for _ in range(STREAMS)))
    return Pace([gap for stream in gaps for gap in stream])


async def test_a_running_stream_keeps_its_pace_while_people_sign_in(product: Product) -> None:
    with ProcessPoolExecutor(STREAMS + 1, mp_context=get_context("spawn")) as processes:
        async with product.account() as account:
            await pace_of(product, account.access_token, processes, tokens=5)  # Everything is loaded now, here and there.
            peace = await pace_of(product, account.access_token, processes)
            seconds = TOKENS * TOKEN_SECONDS + 2
            storm = asyncio.get_running_loop().run_in_executor(
                processes, sign_in_without_mercy, product.url, account.username, seconds
            )
            await asyncio.sleep(1)
            load = await pace_of(product, account.access_token, processes)
            signed_in = await storm

    print(f"\nin peace:           {peace}\nwhile they sign in: {load}\nsign-ins:           {signed_in / seconds:.0f} a second")  # noqa: T201 - the measurement
    assert signed_in > CLIENTS, "the hashing threads were not busy"
    assert load.share(0.99) < max(PROMISED_SECONDS, WORSE_THAN_IN_PEACE * peace.share(0.99)), (peace, load)
