"""How soon a document can be searched, and who notices: ``python -m benchmarks.ingestion``.

A stand-in embeds one request after the other, 5 ms each and 0.5 ms a text. Pure embedding is the product's own adapter, in this
process and with nothing else to do, that sends it the same chunks in batches of 64, one after the other. Each upload is of another
text and to an account that has none; rounds of pure embedding and uploads take turns. ``ready`` is when the product says so.
"""

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import time
from typing import Any

import uvloop

from backend.adapters.embedders.ollama import OllamaEmbedder
from benchmarks.ingestion.bystanders import seen
from benchmarks.ingestion.material import pdf_of, text_of
from benchmarks.ingestion.model import TEXT_SECONDS
from benchmarks.ingestion.promises import MB, Bystanders, Upload, of_bystanders, of_pdf, of_texts
from benchmarks.ingestion.uploading import BATCH, chunks_of, embedded_alone, finished, ready, sent_quietly, uploaded
from benchmarks.processes import machine, running
from benchmarks.streams.__main__ import QUESTION, post
from benchmarks.streams.client import Target
from benchmarks.verdicts import Verdict, tell
from tests.support.product import Product, running_product

PARTS = ("texts", "bystanders", "pdf")
EMBEDDER = "nomic-embed-text"
TOKENS = 100
ACCOUNTS = 8
PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured: bytes of texts, pages, seconds."""

    texts: tuple[int, ...] = (MB, 10 * MB)
    pages: int = 200
    warm_up: float = 4.0
    seconds: float = 20.0


QUICK = Sizes((MB // 20, MB // 5), 5, 1.0, 1.0)


class Bench:
    """A product and its stand-in, and a client of the stand-in's own."""

    def __init__(self, product: Product, embedder: OllamaEmbedder) -> None:
        self._product = product
        self._embedder = embedder
        self._seeds = iter(range(1_000_000))

    async def text(self, size: int) -> Upload:
        """Measure one text."""
        return await self._document("text.txt", text_of(size, next(self._seeds)), "text/plain")

    async def pdf(self, data: bytes) -> Upload:
        """Measure one PDF."""
        return await self._document("pages.pdf", data, PDF)

    async def _document(self, filename: str, data: bytes, media_type: str) -> Upload:
        chunks = await chunks_of(data, media_type, self._embedder)
        pure = await embedded_alone(self._embedder, chunks)
        async with self._product.account() as account:
            found = await uploaded(self._product, account, filename, data, pure)
        print(f"{filename}, {len(data) / MB:g} MB: {found.whole:.2f} s, pure {pure:.2f} s", flush=True)
        if found.chunks != len(chunks):
            raise SystemExit(f"The product made {found.chunks} chunks, and pure embedding took {len(chunks)}.")
        return found

    async def bystanders(self, sizes: Sizes) -> tuple[Bystanders, Bystanders]:
        """Return what others see while nothing is uploaded, and while a text is indexed all the time."""
        async with AsyncExitStack() as stack:
            accounts = [await stack.enter_async_context(self._product.account()) for _ in range(ACCOUNTS)]
            port = int(self._product.url.rpartition(":")[2])
            question = {"query": QUESTION, "stream": True}
            asked = tuple(post("/api/v1/chat/query", port, question, one.access_token) for one in accounts)
            target, me = Target("chat", port, asked, b"event: done"), accounts[0].access_token
            look = partial(seen, target, self._product.url, me, warm_up=sizes.warm_up, seconds=sizes.seconds, tokens=TOKENS)
            idle = await look()
            author = await stack.enter_async_context(self._product.account())
            text = text_of(sizes.texts[-1], next(self._seeds))
            looking = asyncio.create_task(look())
            await asyncio.sleep(sizes.warm_up)
            begun = time()
            document = await sent_quietly(author, "text.txt", text)
            busy = await looking
            took = finished(await ready(author, document)) - begun
            print(f"Others looked for {sizes.seconds:.0f} s, and the text was indexed in {took:.1f} s.")
            return idle, busy


@asynccontextmanager
async def opened(text_seconds: float = TEXT_SECONDS) -> AsyncIterator[Bench]:
    """Start everything."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="docent-ingestion-")))
        model = await stack.enter_async_context(running("benchmarks.ingestion.model", str(TOKENS), str(text_seconds)))
        url = f"http://127.0.0.1:{model.port}"
        settings: dict[str, Any] = {"chat_provider": "ollama", "embedder": "ollama", "embedding_model": EMBEDDER, "ollama_url": url}
        product = await stack.enter_async_context(running_product(folder / "data", **settings, chat_max_tokens=TOKENS + 10))
        embedder = OllamaEmbedder(url, model=EMBEDDER)
        embedder.batch_size = BATCH
        stack.push_async_callback(embedder.aclose)
        yield Bench(product, embedder)


async def main(sizes: Sizes, rounds: int, parts: Sequence[str], text_seconds: float) -> list[Verdict]:
    """Measure, print, and return what was promised of it."""
    print(machine())
    told: list[Verdict] = []
    async with opened(text_seconds) as bench:
        if "texts" in parts:
            texts: dict[int, list[Upload]] = {size: [] for size in sizes.texts}
            for _ in range(rounds):
                for size, uploads in texts.items():
                    uploads.append(await bench.text(size))
            _print((f"{size / MB:g} MB of text", uploads) for size, uploads in texts.items())
            told += of_texts(texts)
        if "bystanders" in parts:
            looks = [await bench.bystanders(sizes) for _ in range(rounds)]
            idle, busy = [look[0] for look in looks], [look[1] for look in looks]
            _print_bystanders(idle, busy)
            told += of_bystanders(idle, busy)
        if "pdf" in parts:
            data = await asyncio.to_thread(pdf_of, sizes.pages)
            uploads = [await bench.pdf(data) for _ in range(rounds)]
            _print([(f"a PDF of {sizes.pages} pages", uploads)])
            told += of_pdf(sizes.pages, uploads)
    return told


def _print(rows: Iterable[tuple[str, Sequence[Upload]]]) -> None:
    print("\nseconds, medians          chunks    whole     pure    ratio  grown MB")
    for name, uploads in rows:
        whole, pure = median(one.whole for one in uploads), median(one.pure for one in uploads)
        ratio, grown = median(one.whole / one.pure for one in uploads), max(one.grown for one in uploads) / MB
        print(f"{name:24} {uploads[0].chunks:7} {whole:8.2f} {pure:8.2f} {ratio:8.2f} {grown:9.1f}")
        print(f"  seconds of stages: {_medians([one.stages for one in uploads])}; of CPU: {_medians([one.cpu for one in uploads])}")


def _medians(several: Sequence[Mapping[str, float]]) -> str:
    return ", ".join(f"{name} {median(one.get(name, 0.0) for one in several):.2f}" for name in several[0])


def _print_bystanders(idle: list[Bystanders], busy: list[Bystanders]) -> None:
    print("\nmilliseconds, medians    GET /auth/me     p99   lag of a token     p99   failures")
    for name, looks in (("nothing is indexed", idle), ("a text is indexed", busy)):
        me, me_p99, lag, lag_p99 = (median(getattr(one, what) for one in looks) for what in ("me", "me_p99", "lag", "lag_p99"))
        print(f"{name:24} {me:12.2f} {me_p99:7.1f} {lag:16.2f} {lag_p99:7.1f} {sum(one.failures for one in looks):10}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingestion", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=float, nargs="+", default=[1, 10], help="of text")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument(
        "--text-ms", type=float, default=TEXT_SECONDS * 1000, help="what a text costs the stand-in; else no verdicts"
    )
    parser.add_argument("--quick", action="store_true", help="in small: whether it works, not how fast it is")
    parser.add_argument("--verdicts", type=Path, help="append what was promised and measured to this file")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rounds = 1
    wanted = QUICK if chosen.quick else Sizes(tuple(int(size * MB) for size in chosen.megabytes))
    verdicts = uvloop.run(main(wanted, chosen.rounds, chosen.only, chosen.text_ms / 1000))
    if chosen.text_ms == TEXT_SECONDS * 1000:
        tell(verdicts, chosen.verdicts)
