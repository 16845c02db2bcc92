"""The command."""

import argparse
import asyncio
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

import aiohttp
import numpy as np

from backend.bootstrap.servers import open_addresses
from backend.core.config import Settings
from backend.core.logging import configure_logging
from backend.db.engine import make_engine
from backend.db.uow import UnitOfWork
from benchmarks import owners
from benchmarks.owners.asking import HEAD, Asker
from benchmarks.owners.building import build
from benchmarks.owners.processes import Running, memory, product
from benchmarks.processes import chroma, descriptors, machine


async def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.owners", description=owners.__doc__)
    options.add_argument("--owners", type=int, default=50)
    options.add_argument("--chunks", type=int, default=200, help="passages of each owner")
    options.add_argument("--questions", type=int, default=500, help="at most so many owners are asked about, each in a turn")
    options.add_argument(
        "--folder", type=Path, help="build them here, or ask about those that are here; without it, nothing is kept"
    )
    chosen = options.parse_args()
    configure_logging("error", "auto")
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="docent-benchmark-"))
    try:
        if not (folder / "pg").exists():
            await build(settings(folder), [chosen.chunks] * chosen.owners)
        await measure(folder.resolve(), chosen.questions)
    finally:
        if chosen.folder is None:
            shutil.rmtree(folder)


def settings(folder: Path) -> Settings:
    """Return those of an installation in this folder, with nothing from the environment."""
    values = {"data_dir": folder, "chat_provider": "extractive", "embedder": "hashing", "worker": False, "limits_enabled": False}
    return Settings(_env_file=None, **values)  # type: ignore[arg-type] # checked by pydantic


async def measure(folder: Path, most: int) -> None:
    """Start the product there, ask, and print the tables."""
    async with product(folder) as running, open_addresses(settings(folder), attach=True) as at, aiohttp.ClientSession() as http:
        uow = UnitOfWork(make_engine(at.app_url, pool_size=4))
        asker = Asker(running.url, uow, at.chroma_url, http)
        async with uow.system() as tx:
            made = await tx.generations.all(state="ready")
        everybody = [made[place] for place in np.random.default_rng(7).permutation(len(made))]
        first, second, third = everybody[:most], everybody[-most:], everybody[most : 2 * most] or everybody[:most]
        asked = await asker.questions([*first, *second, *third])
        await asker.sign_in(first, folder)
        print(f"{len(everybody)} owners. {machine()}, chromadb {version('chromadb')}\n\n{HEAD}", flush=True)
        print((await asker.by_http(first, asked)).row("the product, each owner for the first time"), flush=True)
        print((await asker.by_http(first, asked)).row("the product, the same again"), flush=True)
        shipped = _memory("as the product uses Chroma", running)
        print((await asker.by_retriever(second, asked, exact_chunks=10**6)).row("the vectors themselves, always"), flush=True)
        print((await asker.by_retriever(second, asked, exact_chunks=0)).row("Chroma first, other owners"), flush=True)
        recent = second[-50:]
        await asker.by_chroma(recent, asked)
        print(
            (await asker.by_retriever(recent, asked, exact_chunks=0)).row("Chroma first, collections that it has ready"), flush=True
        )
        print((await asker.by_chroma(third, asked)).row("Chroma alone, other owners"), flush=True)
        print((await asker.by_chroma(third[-50:], asked)).row("Chroma alone, collections that it has ready"), flush=True)
        print((await asker.by_counting(first)).row("Chroma counts a collection"), flush=True)
        full = _memory("with all that Chroma keeps loaded", running)
        print("\n| MB (PSS) | PostgreSQL | Chroma | API | watchers | all | descriptors of Chroma |\n|---|---|---|---|---|---|---|")
        print(f"{shipped}\n{full}\n\n{machine()}")
        await asker.aclose()
        await uow.aclose()


def _memory(label: str, running: Running) -> str:
    found = memory(running.pid)
    parts = [found.get(role, 0.0) for role in ("PostgreSQL", "Chroma", "API", "watchers")]
    return f"| {label} | {' | '.join(f'{part:.0f}' for part in [*parts, sum(parts)])} | {descriptors(chroma(running.pid))} |"


if __name__ == "__main__":
    asyncio.run(main())
