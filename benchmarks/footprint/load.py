"""What is done to the product between two looks at its memory."""

import asyncio
from collections.abc import Sequence

from benchmarks.ingestion.material import text_of
from benchmarks.ingestion.uploading import ready, sent
from benchmarks.processes import memory_bytes
from benchmarks.streams.__main__ import QUESTION, post
from benchmarks.streams.client import Target, ask_at_once
from tests.support.product import Account, Product

PAGES = ("/api/v1/auth/me", "/api/v1/chat/sessions", "/api/v1/chat/documents")
DOCUMENT_BYTES = 200_000
STREAMS = 128
AT_ONCE = 8


async def a_few_hundred_requests(account: Account, requests: int) -> None:
    """Upload a document, look at pages, and ask some questions about it."""
    await ready(account, await sent(account, "text.txt", text_of(DOCUMENT_BYTES, 1)))
    for number in range(requests):
        (await account.client.get(PAGES[number % len(PAGES)])).raise_for_status()
        if number % 20 == 0:
            await account.answered(QUESTION, max_tokens=2)


async def per_stream(product: Product, accounts: Sequence[Account], *, seconds: float) -> float:
    """Return by how many bytes the API process is larger while it writes paced answers, for each of them."""
    port = int(product.url.rpartition(":")[2])
    question = {"query": QUESTION, "stream": True}
    asked = tuple(post("/api/v1/chat/query", port, question, one.access_token) for one in accounts)
    before = memory_bytes(product.process.pid)
    streams = asyncio.create_task(
        ask_at_once(Target("chat", port, asked, b"event: done"), STREAMS, warm_up=seconds, seconds=seconds, tokens=0)
    )
    await asyncio.sleep(seconds * 1.5)
    during = memory_bytes(product.process.pid)
    seen = await streams
    if seen.failures:
        raise SystemExit(f"{len(seen.failures)} answers failed: {seen.failures[0]}")
    return (during - before) / STREAMS


async def sessions(accounts: Sequence[Account], count: int) -> None:
    """Hold so many conversations of one short question and answer each."""
    turns = iter(range(count))

    async def hold(account: Account) -> None:
        for number in turns:
            await account.answered(f"{QUESTION} And what of number {number}?", max_tokens=2)

    await asyncio.gather(*(hold(account) for account in accounts[:AT_ONCE]))
