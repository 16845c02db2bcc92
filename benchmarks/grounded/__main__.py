"""What grounded answers add to the time of the models: ``python -m benchmarks.grounded``.

A stand-in for both models, the servers and the client are processes of their own. The accounts and their documents are written in
bulk. Each question is new, so that each is embedded. What is added is the time to the first token, less that of the model asked
directly and that of the embedding asked directly, at as many streams in the same round. The table has the medians of the rounds.
"""

import argparse
import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, closing
from datetime import timedelta
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from time import monotonic
from uuid import UUID

import uvloop

from backend.adapters.embedders.ollama import OllamaEmbedder
from backend.bootstrap.servers import open_addresses
from backend.core.config import Settings
from backend.core.logging import configure_logging
from backend.core.security import AccessTokens
from backend.db.engine import make_engine
from backend.db.uow import UnitOfWork
from benchmarks.grounded.model import EMBEDDING
from benchmarks.grounded.promises import LARGE, SMALL, Row, added, verdicts
from benchmarks.owners.asking import token_of
from benchmarks.owners.building import build
from benchmarks.processes import machine, running
from benchmarks.requests.client import Line
from benchmarks.searching.__main__ import settle
from benchmarks.searching.questions import questions
from benchmarks.streams.__main__ import post
from benchmarks.streams.client import Target, ask_at_once
from benchmarks.streams.model import INTERVAL_SECONDS, NAME
from benchmarks.verdicts import tell
from tests.support.product import Product, running_product

CHUNKS = {SMALL: 16, LARGE: 16_000}
"""A passage has about 640 characters."""
TOKENS = {1: 10, 32: 60}
"""Of an answer, by the number of streams: short ones are more of them."""
ACCOUNTS = 2
"""With documents, of each size."""
BEGUN_WITHIN = 0.7
"""Of the warm-up: so long the client takes to begin its streams."""
PLAIN = "What do you know about the lighthouse of Alexandria?"


async def main(
    numbers: Sequence[int], rounds: int, seconds: float, chunks: dict[str, int], folder: Path
) -> dict[int, dict[str, list[Row]]]:
    print(machine())
    measured: dict[int, dict[str, list[Row]]] = {}
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(running("benchmarks.grounded.model", "200"))
        url = f"http://127.0.0.1:{model.port}"
        if not (folder / "data").exists():
            embedder = OllamaEmbedder(url, model=EMBEDDING)
            values = {"data_dir": folder / "data", "worker": False, "embedder": "ollama", "ollama_url": url}
            sizes = [size for size in chunks.values() for _ in range(ACCOUNTS)]
            settings = Settings(_env_file=None, **values)  # type: ignore[arg-type] # checked by pydantic
            await build(settings, sizes, embedder)
            await embedder.aclose()
            async with open_addresses(settings) as at:
                await settle(at)
        product = await stack.enter_async_context(
            running_product(folder / "data", chat_provider="ollama", embedder="ollama", ollama_url=url)
        )
        port, new = int(product.url.rpartition(":")[2]), questions()
        tokens = await _tokens(product, chunks)
        tokens["chat"] = [(await stack.enter_async_context(product.account())).access_token for _ in range(ACCOUNTS)]
        for streams in numbers:
            rows = measured[streams] = {}
            length = TOKENS.get(streams, 20)
            for _ in range(rounds):
                for name in ("direct", "embedding", *tokens):
                    if name == "embedding":
                        row = await embedding(model.port, streams, seconds, length * INTERVAL_SECONDS, new)
                    elif name == "direct":
                        row = await asking(
                            Target(name, model.port, (_direct(model.port, length),), b'"done":true'), streams, seconds, length
                        )
                    else:
                        requests = tuple(_asked(port, tokens[name], new, length, plain=name == "chat"))
                        row = await asking(Target(name, port, requests, b"event: done"), streams, seconds, length)
                    rows.setdefault(name, []).append(row)
            show(streams, rows)
    return measured


async def _tokens(product: Product, chunks: dict[str, int]) -> dict[str, list[str]]:
    uow, signing = (
        UnitOfWork(make_engine(product.database_url(), pool_size=2)),
        AccessTokens(product.secret_key(), lifetime=timedelta(hours=6)),
    )
    found: dict[str, list[str]] = {name: [] for name in chunks}
    async with uow.system() as tx:
        owners: dict[UUID, int] = {
            generation.owner_id: await tx.lexicon.chunks(generation.owner_id)
            for generation in await tx.generations.all(state="ready")
        }
    for owner_id, size in owners.items():
        name = next(name for name, wanted in chunks.items() if wanted == size)
        found[name].append(await token_of(uow, signing, owner_id))
    await uow.aclose()
    return found


def _direct(port: int, tokens: int) -> bytes:
    messages = [{"role": "user", "content": PLAIN}]
    return post("/api/chat", port, {"model": NAME, "messages": messages, "stream": True, "options": {"num_predict": tokens}})


def _asked(port: int, tokens: Sequence[str], new: Iterator[str], length: int, *, plain: bool) -> Iterator[bytes]:
    for number, question in enumerate(islice(new, 600)):
        body = {"query": PLAIN if plain else question, "stream": True, "max_tokens": length}
        yield post("/api/v1/chat/query", port, body, tokens[number % len(tokens)])


async def asking(target: Target, streams: int, seconds: float, length: int) -> Row:
    """Ask so that the streams' questions come evenly over the length of an answer."""
    warm_up = 1 + length * INTERVAL_SECONDS / BEGUN_WITHIN
    seen = await ask_at_once(target, streams, warm_up=warm_up, seconds=seconds, tokens=length)
    if target.name in CHUNKS and not seen.firsts:
        raise SystemExit(f"Nothing was answered: {seen.failures[:1]}")
    return _row(seen.firsts, seen.failures)


async def embedding(port: int, streams: int, seconds: float, pause: float, new: Iterator[str]) -> Row:
    """Embed questions as often as so many streams do whose answers last so long."""
    took: list[float] = []
    ends = monotonic() + seconds

    async def one(number: int) -> None:
        await asyncio.sleep(number * pause / streams)
        with closing(await Line.open(port)) as line:
            while monotonic() < ends:
                request = post("/api/embed", port, {"model": EMBEDDING, "input": [f"search_query: {next(new)}"], "truncate": False})
                begun = monotonic()
                await line.ask(request)
                took.append((monotonic() - begun) * 1000)
                await asyncio.sleep(pause)

    await asyncio.gather(*(one(number) for number in range(streams)))
    return _row(took, ())


def _row(took: Sequence[float], failures: Sequence[str]) -> Row:
    p99 = quantiles(took, n=100)[98] if len(took) > 1 else float("nan")
    return Row(median(took or [float("nan")]), p99, tuple(failures))


def show(streams: int, rows: dict[str, list[Row]]) -> None:
    print(f"\n| {streams} streams | first ms, p50 | p99 | beyond model and embedding | failures |\n|---|---|---|---|---|")
    for name, several in rows.items():
        first, p99 = median(row.first for row in several), median(row.first_p99 for row in several)
        more = f"{added(rows, name):.1f}" if name in CHUNKS else ""
        failures = [failure for row in several for failure in row.failures]
        print(f"| {name} | {first:.1f} | {p99:.1f} | {more} | {len(failures)} {failures[:1] or ''} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grounded", description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 32])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--folder", type=Path, help="build the accounts here, or ask those that are here; else nothing is kept")
    parser.add_argument("--quick", action="store_true", help="in small: whether it works, not how fast it is")
    parser.add_argument("--verdicts", type=Path, help="append what was promised and measured to this file")
    options = parser.parse_args()
    sizes = dict(CHUNKS)
    if options.quick:
        options.streams, options.rounds, options.seconds, sizes = [1, 4], 1, 1.5, {SMALL: 8, LARGE: 64}
    configure_logging("error", "auto")
    place = options.folder or Path(tempfile.mkdtemp(prefix="docent-grounded-"))
    try:
        found = uvloop.run(main(options.streams, options.rounds, options.seconds, sizes, place.resolve()))
    finally:
        if options.folder is None:
            shutil.rmtree(place)
    tell(verdicts(found), options.verdicts)
