"""How fast a collection is filled: rows in a request, requests at once, and how often Chroma writes its index.

Run it with ``python benchmarks/vector_index.py`` (about six minutes; ``--quick`` takes a third). It starts the real server in a
temporary folder, on the loopback.
"""

import argparse
import asyncio
import os
import platform
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from itertools import product
from pathlib import Path
from time import perf_counter
from uuid import UUID

import chromadb
import numpy as np
from chromadb.api import AsyncClientAPI
from chromadb.api.collection_configuration import CreateHNSWConfiguration
from chromadb.config import Settings

from backend.adapters.servers.supervisor import open_servers
from backend.adapters.vector_indexes.chroma import ChromaVectorIndex
from backend.core.errors import VectorIndexUnavailableError
from backend.core.ids import new_id
from backend.ports.embedder import Vectors

Fill = Callable[[str, list[UUID], Vectors], Awaitable[None]]


def unit(rows: int, dimensions: int) -> Vectors:
    """Vectors in 200 clusters: an index of pure noise is slower to fill than one of texts."""
    random = np.random.default_rng(7)
    centres = random.standard_normal((200, dimensions))
    vectors = centres[random.integers(0, 200, rows)] + random.standard_normal((rows, dimensions))
    scaled: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return scaled


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory(prefix="docent-benchmark-") as folder:
        async with open_servers(Path(folder), postgres=False, chroma=True) as servers:
            url = servers.chroma_url or ""
            index = ChromaVectorIndex(url)
            for _ in range(200):
                try:
                    await index.check()
                    break
                except VectorIndexUnavailableError:
                    await asyncio.sleep(0.1)
            await index.aclose()
            yield url


def plain(client: AsyncClientAPI, *, batch: int, at_once: int, threshold: int) -> Fill:
    """Fill with the client of Chroma alone."""

    async def fill(name: str, ids: list[UUID], vectors: Vectors) -> None:
        hnsw: CreateHNSWConfiguration = {"space": "cosine", "ef_search": 200, "max_neighbors": 16, "sync_threshold": threshold}
        collection = await client.create_collection(name, configuration={"hnsw": hnsw}, embedding_function=None)
        starts = iter(range(0, len(ids), batch))

        async def line() -> None:
            for start in starts:
                rows = slice(start, start + batch)
                await collection.upsert(ids=[str(one) for one in ids[rows]], embeddings=vectors[rows])

        await asyncio.gather(*(line() for _ in range(at_once)))

    return fill


async def row(label: str, fill: Fill, rows: int, dimensions: int, client: AsyncClientAPI) -> None:
    ids, vectors, name = [new_id() for _ in range(rows)], unit(rows, dimensions), f"docent-{new_id().hex}"
    cpu, begun = os.times(), perf_counter()
    await fill(name, ids, vectors)
    took, spent = perf_counter() - begun, os.times()
    ours = (spent.user - cpu.user) + (spent.system - cpu.system)
    collection = await client.get_collection(name, embedding_function=None)
    begun = perf_counter()
    answer = await collection.query(query_embeddings=vectors[rows // 2][np.newaxis], n_results=10, include=["distances"])
    asked = (perf_counter() - begun) * 1000
    if await collection.count() != rows or answer["ids"][0][0] != str(ids[rows // 2]):
        raise SystemExit(f"{label}: the collection does not hold what was stored")
    await client.delete_collection(name)
    per = took * 10_000 / rows
    print(f"| {label} | {dimensions} | {per:.2f} | {rows / took:,.0f} | {ours * 1e6 / rows:.0f} | {asked:.0f} |", flush=True)


async def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="a third of the rows")
    rows = 3_072 if options.parse_args().quick else 10_240
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, chromadb {version('chromadb')}\n")
    print("Rows in a request, requests at once, sync_threshold; CPU is of this process, in microseconds for a vector.\n")
    print("| filled with | dimensions | s per 10,000 | vectors/s | CPU | first query, ms |")
    print("|---|---|---|---|---|---|")
    for dimensions in (384, 512):
        # A server for each size: what a dropped collection leaves in the file of the log would slow the later ones.
        async with server() as url:
            client = await chromadb.AsyncHttpClient(
                host="127.0.0.1", port=int(url.rpartition(":")[2]), settings=Settings(_env_file=None, anonymized_telemetry=False)
            )
            for batch, at_once, threshold in product((256, 512, 1000), (1, 2, 4), (1000, 2000, 5000)):
                fill = plain(client, batch=batch, at_once=at_once, threshold=threshold)
                await row(f"{batch}, {at_once}, {threshold}", fill, rows, dimensions, client)
            index = ChromaVectorIndex(url)
            await index.check()
            await row("as the product does it", index.upsert, rows, dimensions, client)
            await index.aclose()


if __name__ == "__main__":
    asyncio.run(main())
