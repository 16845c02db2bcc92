"""The measurements, one stage after the other, on one installation in the scaled shape: an API process, a worker, their servers."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from backend.adapters.servers.supervisor import open_servers
from backend.core.config import plain_url
from backend.db.migrations import migrate
from benchmarks import processes
from benchmarks.unit_costs import stages
from benchmarks.unit_costs.database import Database
from benchmarks.unit_costs.figures import Figures
from benchmarks.unit_costs.place import Place
from tests.support.chroma import free_port
from tests.support.ollama import CHAT_MODEL, StandInOllama
from tests.support.ollama.models import InstalledModel
from tests.support.product import Product, running_product

EMBEDDING_MODEL = InstalledModel("nomic-embed-text:latest", "nomic-bert", 2048, 768, ("embedding",))
"""As large vectors as those of the model that an installation begins with."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    users: int = 80
    large_document: int = 3000
    streams: int = 200
    limited: int = 1000
    idle_seconds: float = 10


async def measured(folder: Path, sizes: Sizes) -> Figures:
    """Start everything in a folder, measure, and return the figures."""
    async with (
        StandInOllama(models=(CHAT_MODEL, EMBEDDING_MODEL)) as ollama,
        open_servers(folder / "servers", postgres=True, chroma=True) as servers,
        _redis() as redis_url,
    ):
        app_url, owner_url = servers.app_url or "", servers.owner_url or ""
        await migrate(owner_url)
        settings: dict[str, object] = {
            "database_url": plain_url(app_url),
            "database_owner_url": plain_url(owner_url),
            "chroma_url": servers.chroma_url or "",
            "redis_url": redis_url,
            "chat_provider": "ollama",
            "embedder": "ollama",
            "ollama_url": ollama.url,
            "worker": False,
        }
        async with running_product(folder / "data", **settings) as product:
            connection = await asyncpg.connect(plain_url(app_url))
            try:
                database = Database(connection)
                async with _worker(product) as worker:
                    pids = {
                        "api": product.process.pid,
                        "worker": worker.pid,
                        "postgres": processes.postgres(os.getpid()),
                        "chroma": processes.chroma(os.getpid()),
                    }
                    place = Place(
                        product, ollama, database, pids, folder / "data" / "files", folder / "servers" / "chroma", redis_url
                    )
                    figures = await stages.all_of_them(place, sizes)
            finally:
                await connection.close()
    return figures


@asynccontextmanager
async def _worker(product: Product) -> AsyncIterator[Process]:
    command = (str(Path(sys.executable).with_name("docent")), "worker")
    process = await asyncio.create_subprocess_exec(
        *command, env={**product.environment, "WORKER": "true"}, cwd="/", stdout=PIPE, stderr=DEVNULL
    )
    try:
        if process.stdout is not None:
            await process.stdout.readline()
        yield process
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def _redis() -> AsyncIterator[str]:
    port = free_port()
    options = ("--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no")
    process = await asyncio.create_subprocess_exec("redis-server", *options, stdin=DEVNULL, stdout=DEVNULL)
    try:
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                break
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        await process.wait()
