"""How soon the product is there, and how much memory it takes: ``python -m benchmarks.footprint``.

``docent serve`` is started on an empty data folder, and then on the one that this has made. Memory is PSS: of what processes have
in common each has its share. The pages, a process of their own, are left out. MB are 1,000,000 bytes.
"""

import argparse
import asyncio
import json
import socket
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

import aiohttp
import uvloop

from benchmarks.footprint.kinds import API, by_kind
from benchmarks.footprint.load import AT_ONCE, STREAMS, a_few_hundred_requests, per_stream, sessions
from benchmarks.footprint.promises import MB, Start, verdicts
from benchmarks.processes import machine, memory_bytes, running
from benchmarks.verdicts import Verdict, tell
from tests.support.product import Product, running_product

TOKENS = 200
GLANCE_SECONDS = 0.01
WARM = "warm start"


@asynccontextmanager
async def started(folder: Path, ollama_url: str) -> AsyncIterator[tuple[Product, Start]]:
    """Start the product, and time it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings: dict[str, Any] = {
        "chat_provider": "ollama",
        "embedder": "ollama",
        "ollama_url": ollama_url,
        "chat_max_tokens": TOKENS + 10,
    }
    begun = monotonic()
    looking = asyncio.create_task(_start(f"http://127.0.0.1:{port}/ready", begun))
    try:
        async with running_product(folder, port=port, **settings) as product:
            yield product, await looking
    finally:
        looking.cancel()


async def _start(url: str, begun: float) -> Start:
    """Ask until it is ready, and until nothing of it is missing any more."""
    ready: float | None = None
    async with aiohttp.ClientSession() as session:
        while True:
            await asyncio.sleep(GLANCE_SECONDS)
            try:
                async with session.get(url) as response:
                    if response.status != 200:
                        continue
                    ready = ready or monotonic() - begun
                    if (await response.json())["status"] == "ready":
                        return Start(ready, monotonic() - begun)
            except aiohttp.ClientError:
                continue


async def parts_of_a_start(folder: Path) -> Mapping[str, float]:
    """Return the seconds of each part of a start, measured apart in a process of its own."""
    command = (sys.executable, "-m", "benchmarks.footprint.parts", str(monotonic()), str(folder))
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    output, _ = await process.communicate()
    spent: Mapping[str, float] = json.loads(output)
    return spent


async def main(starts: int, idle_seconds: float, requests: int, seconds: float, conversations: int) -> list[Verdict]:
    """Measure, print, and return what was promised of it."""
    print(machine())
    rows: dict[str, Mapping[str, float]] = {}
    warm: list[Start] = []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="docent-footprint-"))) / "data"
        folder.mkdir(mode=0o700)
        model = await stack.enter_async_context(running("benchmarks.ingestion.model", str(TOKENS)))
        url = f"http://127.0.0.1:{model.port}"
        async with started(folder, url) as (_, first):
            pass
        for _ in range(starts):
            async with started(folder, url) as (product, start):
                warm.append(start)
                await asyncio.sleep(idle_seconds)
                rows["idle"] = by_kind(product.process.pid, memory_bytes)
        _print_starts(first, warm, [await parts_of_a_start(folder) for _ in range(starts)])
        product, _ = await stack.enter_async_context(started(folder, url))
        accounts = [await stack.enter_async_context(product.account()) for _ in range(AT_ONCE)]
        await a_few_hundred_requests(accounts[0], requests)
        await asyncio.sleep(idle_seconds)
        rows[f"after {requests} requests and a document"] = by_kind(product.process.pid, memory_bytes)
        each = await per_stream(product, accounts, seconds=seconds)
        await asyncio.sleep(idle_seconds)
        rows[f"after {STREAMS} streams"] = by_kind(product.process.pid, memory_bytes)
        await sessions(accounts, conversations)
        await asyncio.sleep(idle_seconds)
        rows[f"after {conversations} conversations more"] = by_kind(product.process.pid, memory_bytes)
    _print_memory(rows)
    print(f"\n{each / 1000:.0f} kB of the API process for each of {STREAMS} streams")
    return list(verdicts(warm, rows["idle"]))


def _print_starts(first: Start, warm: list[Start], parts: list[Mapping[str, float]]) -> None:
    print("\nseconds                  to /ready   with Chroma")
    ready, whole = median(start.ready for start in warm), median(start.whole for start in warm)
    for name, start in (("first start", first), (WARM, Start(ready, whole))):
        print(f"{name:24} {start.ready:9.2f} {start.whole:13.2f}")
    spent = ", ".join(f"{name} {median(part[name] for part in parts):.2f}" for name in parts[0])
    print(f"parts, each apart: {spent}")


def _print_memory(rows: Mapping[str, Mapping[str, float]]) -> None:
    kinds = list(dict.fromkeys(kind for row in rows.values() for kind in row))
    print("\nMB" + " " * 40 + "".join(f"{kind:>12}" for kind in kinds) + "  everything")
    for name, row in rows.items():
        print(f"{name:42}" + "".join(f"{row.get(kind, 0) / MB:12.1f}" for kind in kinds) + f"{sum(row.values()) / MB:12.1f}")
    print(f"the {API} process runs the worker as well")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.footprint", description=__doc__)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--idle-seconds", type=float, default=5)
    parser.add_argument("--quick", action="store_true", help="in small: whether it works, not how fast it is")
    parser.add_argument("--verdicts", type=Path, help="append what was promised and measured to this file")
    chosen = parser.parse_args()
    how_much = (1, 1.0, 20, 2.0, 20) if chosen.quick else (chosen.starts, chosen.idle_seconds, 300, 8.0, 1000)
    tell(uvloop.run(main(*how_much)), chosen.verdicts)
