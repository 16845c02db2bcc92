"""How long retrieval alone takes, by the number of an owner's chunks: ``python -m benchmarks.searching``.

The product's own retriever, in a process of its own beside its servers, searches one owner after the other. Each question is new.
With the hashing embedder embedding it takes next to nothing. The table has the medians of the rounds.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import UUID

import asyncpg
import numpy as np
import uvloop

from backend.adapters.embedders.hashing import HashingEmbedder
from backend.adapters.vector_indexes.chroma import ChromaVectorIndex
from backend.bootstrap.servers import Addresses, open_addresses
from backend.core.config import Settings
from backend.core.logging import configure_logging
from backend.db.engine import make_engine
from backend.db.uow import UnitOfWork
from backend.services.embedders import Embedders
from backend.services.retrieval import Retriever
from benchmarks.owners.building import build
from benchmarks.processes import machine
from benchmarks.searching.questions import questions
from benchmarks.verdicts import Verdict, tell

SIZES = (1_000, 10_000, 100_000)
WARM_UP = 30


@dataclass(frozen=True, slots=True)
class Row:
    """What one round took for one owner, in milliseconds: the whole, and each leg, which run at the same time."""

    whole: list[float]
    dense: list[float]
    lexical: list[float]

    @property
    def p50(self) -> float:
        return float(np.percentile(self.whole, 50))


Measured = Mapping[int, Sequence[Row]]
"""The rounds of each size."""


def settings(folder: Path) -> Settings:
    values = {"data_dir": folder, "chat_provider": "extractive", "embedder": "hashing", "worker": False, "limits_enabled": False}
    return Settings(_env_file=None, **values)  # type: ignore[arg-type] # checked by pydantic


async def main(sizes: Sequence[int], rounds: int, asked: int, folder: Path) -> Measured:
    print(machine())
    if not (folder / "pg").exists():
        await build(settings(folder), sizes)
    async with open_addresses(settings(folder)) as at:
        await settle(at)
        uow, index = UnitOfWork(make_engine(at.app_url, pool_size=10)), ChromaVectorIndex(at.chroma_url)
        retriever = Retriever(uow, index, Embedders({HashingEmbedder.identity: HashingEmbedder()}.__getitem__))
        owners, new = await owners_of(uow), questions()
        for owner_id in owners.values():
            await ask(retriever, owner_id, islice(new, WARM_UP))
        measured: dict[int, list[Row]] = {size: [] for size in owners}
        for _ in range(rounds):
            for size, owner_id in owners.items():
                measured[size].append(await ask(retriever, owner_id, islice(new, asked)))
        await index.aclose()
        await uow.aclose()
    return measured


async def settle(at: Addresses) -> None:
    """Do what PostgreSQL does by itself within a minute or two of so many rows."""
    connection = await asyncpg.connect(at.owner_url.replace("+asyncpg", ""))
    await connection.execute("vacuum analyze")
    await connection.close()


async def owners_of(uow: UnitOfWork) -> dict[int, UUID]:
    """Return the owners by how many chunks they have, the smallest first."""
    found = {}
    async with uow.system() as tx:
        for generation in await tx.generations.all(state="ready"):
            found[await tx.lexicon.chunks(generation.owner_id)] = generation.owner_id
    return dict(sorted(found.items()))


async def ask(retriever: Retriever, owner_id: UUID, asked: Iterator[str]) -> Row:
    row = Row([], [], [])
    for question in asked:
        begun = perf_counter()
        ranking, found = await retriever.search(owner_id, question, within=None, limit=30)
        row.whole.append((perf_counter() - begun) * 1000)
        if ranking.degraded or not found:
            raise SystemExit(f"A search was degraded or found nothing: {question}")
        row.dense.append(ranking.dense_ms or 0.0)
        row.lexical.append(ranking.lexical_ms or 0.0)
    return row


def verdicts(measured: Measured) -> Iterator[Verdict]:
    """Yield what was promised of those sizes that were measured."""
    if 10_000 in measured:
        yield Verdict("retrieval of 10,000 chunks, p50", median(row.p50 for row in measured[10_000]), "ms", 8)
    if {10_000, 100_000} <= set(measured):
        longer = median(many.p50 / few.p50 for many, few in zip(measured[100_000], measured[10_000], strict=True))
        yield Verdict("retrieval of 100,000 chunks, p50, of that of 10,000", longer, "x", 3)


def show(measured: Measured) -> None:
    print("\n| chunks | questions | p50 ms | p99 ms | by meaning, p50 | by words, p50 |\n|---|---|---|---|---|---|")
    for size, rows in measured.items():
        whole = [each for row in rows for each in row.whole]
        legs = [
            median(np.percentile(leg, 50) for leg in legs) for legs in zip(*((row.dense, row.lexical) for row in rows), strict=True)
        ]
        p50 = median(row.p50 for row in rows)
        print(f"| {size:,} | {len(whole)} | {p50:.1f} | {np.percentile(whole, 99):.1f} | {legs[0]:.1f} | {legs[1]:.1f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.searching", description=__doc__)
    parser.add_argument("--chunks", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--questions", type=int, default=100, help="of each owner in each round")
    parser.add_argument("--folder", type=Path, help="build them here, or ask about those that are here; else nothing is kept")
    parser.add_argument("--quick", action="store_true", help="in small: whether it works, not how fast it is")
    parser.add_argument("--verdicts", type=Path, help="append what was promised and measured to this file")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.chunks, chosen.rounds, chosen.questions = [100, 2_500], 1, 10
    configure_logging("error", "auto")
    place = chosen.folder or Path(tempfile.mkdtemp(prefix="docent-searching-"))
    try:
        found = uvloop.run(main(chosen.chunks, chosen.rounds, chosen.questions, place.resolve()))
    finally:
        if chosen.folder is None:
            shutil.rmtree(place)
    show(found)
    tell(verdicts(found), chosen.verdicts)
