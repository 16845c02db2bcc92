"""How soon the model is free once a client has hung up: ``python -m benchmarks.hangups``.

Clients hang up at all moments of an answer, some of them at once, at every door that waits for a model. The stand-in model, a
process of its own, notes when its stream was closed; the time between the two is what counts. ``direct`` asks the model itself:
that is what the machine takes. A ``resumable`` answer outlives its reader by STREAM_GRACE_SECONDS, and is no part of the promise.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import httpx2

from benchmarks.hangups.client import Door, Row, hang_up, row
from benchmarks.processes import Running, machine, running
from benchmarks.streams.__main__ import post
from benchmarks.streams.model import NAME
from benchmarks.verdicts import Verdict, tell
from tests.support.product import Account, running_product

TOKENS = 600
"""Of an answer: half a minute, so that none ends by itself."""
ACCOUNTS = 4
GRACE_SECONDS = 1.0
PROMISED_MS = 100
LIGHTHOUSE = "The lighthouse of Alexandria was built on the island of Pharos. Its fire was seen from far away.\n" * 20
Body = Callable[[str], dict[str, Any]]


async def measure(door: Door, *, model: Running, hang_ups: int, at_once: int, numbers: Iterator[int], grace: float) -> Row:
    """Let so many clients hang up whose question the model had got or still gets: half of them each by itself, half in crowds."""
    chance = Random(hang_ups)  # noqa: S311 - moments, no secrets
    hung_up: dict[int, int] = {}
    while True:
        missing = hang_ups - len(hung_up)
        alone = iter(range(missing - missing // 2 // at_once * at_once))

        async def one(together: asyncio.Barrier | None = None) -> None:
            number = next(numbers)
            hung_up[number] = await hang_up(door, number, chance, together)

        async def several(alone: Iterator[int] = alone) -> None:
            for _ in alone:
                await one()

        await asyncio.gather(*(several() for _ in range(at_once)))
        for _ in range(missing // 2 // at_once):
            barrier = asyncio.Barrier(at_once)
            await asyncio.gather(*(one(barrier) for _ in range(at_once)))
        await asyncio.sleep(grace)
        notes = await _notes(model, hung_up)
        for number in [number for number in hung_up if str(number) not in notes["asked"]]:
            del hung_up[number]
        if len(hung_up) >= hang_ups:
            return row(door.name, hung_up, notes["asked"], notes["closed"])


async def _notes(model: Running, hung_up: dict[int, int]) -> dict[str, dict[str, int]]:
    """Return what the model noted, as soon as it was left by all of whom clients hung up, or after five seconds."""
    patience = monotonic() + 5
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{model.port}") as client:
        while True:
            notes: dict[str, dict[str, int]] = (await client.get("/notes")).json()
            held = [number for number in hung_up if str(number) in notes["asked"] and str(number) not in notes["closed"]]
            if not held or monotonic() > patience:
                return notes
            await asyncio.sleep(0.1)


def doors(model: int, port: int, plain: Sequence[Account], readers: Sequence[Account]) -> list[Door]:
    """Return the model itself, every door that a client can hang up on, and at last the answers that outlive it."""
    messages: Body = lambda text: {"messages": [{"role": "user", "content": text}], "stream": True}  # noqa: E731 - as those below

    def door(name: str, path: str, accounts: Sequence[Account], body: Body, *, streamed: bool = True) -> Door:
        def request(number: int) -> bytes:
            token = accounts[number % len(accounts)].access_token
            return post(path, port, body(f"How high was the lighthouse of Alexandria? mark-{number} "), token)

        return Door(name, port, request, streamed)

    query, completions = "/api/v1/chat/query", "/v1/chat/completions"
    return [
        Door("direct", model, lambda number: post("/api/chat", model, {"model": NAME, **messages(f"mark-{number} ")})),
        door("chat", query, plain, lambda text: {"query": text, "stream": True}),
        door("chat, not streamed", query, plain, lambda text: {"query": text}, streamed=False),
        door("chat, grounded", query, readers, lambda text: {"query": text, "stream": True}),
        door("OpenAI's, plain", completions, plain, lambda text: {"model": NAME, **messages(text)}),
        door("OpenAI's, grounded", completions, readers, lambda text: {"model": "docent", **messages(text)}),
        door("chat, resumable", query, plain, lambda text: {"query": text, "stream": True, "resumable": True}),
    ]


async def main(hang_ups: int, at_once: int) -> list[Row]:
    print(machine())
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="docent-hangups-")))
        model = await stack.enter_async_context(running("benchmarks.hangups.model", str(TOKENS)))
        product = await stack.enter_async_context(
            running_product(
                folder / "data",
                chat_provider="ollama",
                embedder="hashing",
                ollama_url=f"http://127.0.0.1:{model.port}",
                chat_max_tokens=TOKENS + 10,
                stream_grace_seconds=GRACE_SECONDS,
            )
        )
        accounts = [await stack.enter_async_context(product.account()) for _ in range(2 * ACCOUNTS)]
        plain, readers = accounts[:ACCOUNTS], accounts[ACCOUNTS:]
        for reader in readers:
            document = (await reader.upload("lighthouse.txt", LIGHTHOUSE.encode())).raise_for_status().json()
            assert (await reader.settled(document["id"]))["status"] == "ready"  # noqa: S101 - else nothing of it is measured
        asked = doors(model.port, int(product.url.rpartition(":")[2]), plain, readers)
        measured = partial(measure, model=model, numbers=count(), at_once=at_once)
        each = -(-hang_ups // (len(asked) - 2))
        for door in asked[1:]:  # What is loaded with the first request of its kind is loaded before it counts.
            await measured(door, hang_ups=ACCOUNTS, at_once=ACCOUNTS, grace=0.3)
        print(f"\n{'':28} hang-ups     late   median      p99      max  in time")
        rows = []
        for door in asked:
            last = door is asked[-1]
            few = min(each, 2 * at_once) if last else each
            rows.append(await measured(door, hang_ups=few, grace=2 * GRACE_SECONDS if last else 0.3))
            print(rows[-1].line(), flush=True)
    print("\nMilliseconds from the hang-up until the model's stream was closed. Late: the model was asked only after the hang-up;")
    print("then the time counts from there.")
    print(f"The grace of what is resumable: {GRACE_SECONDS:g} s.")
    return rows


def verdicts(rows: Sequence[Row]) -> Iterator[Verdict]:
    """Yield what was promised of the doors: all but the first row, which is the model's own, and the last one, which outlives."""
    promised = rows[1:-1]
    total, in_time = sum(one.count for one in promised), sum(one.within(PROMISED_MS) for one in promised)
    yield Verdict(f"hang-ups after which the model's stream is closed within {PROMISED_MS} ms", in_time, "", total, at_least=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hangups", description=__doc__)
    parser.add_argument("--hang-ups", type=int, default=500, help="over all doors together")
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="in small: whether it works, not how fast it is")
    parser.add_argument("--verdicts", type=Path, help="append what was promised and measured to this file")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.hang_ups, chosen.at_once = 40, 4
    tell(verdicts(asyncio.run(main(chosen.hang_ups, chosen.at_once))), chosen.verdicts)
