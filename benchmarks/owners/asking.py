"""Questions, timed."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

import aiohttp
import numpy as np

from backend.adapters.embedders.hashing import HashingEmbedder
from backend.adapters.vector_indexes.chroma import ChromaVectorIndex
from backend.core import metrics
from backend.core.clock import now
from backend.core.errors import VectorIndexBrokenError
from backend.core.ids import new_id
from backend.core.security import AccessTokens, Claims
from backend.db.repositories.generations import Generation
from backend.db.uow import UnitOfWork
from backend.rag.normalising import search_text
from backend.services.embedders import Embedders
from backend.services.retrieval import Retriever

PATIENT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Timed:
    """How long questions took, in milliseconds, and what the searches by meaning were answered by."""

    milliseconds: Sequence[float]
    by: Counter[str]

    def row(self, label: str) -> str:
        """Return a line of the table."""
        p50, p95, p99 = np.percentile(self.milliseconds, [50, 95, 99])
        shares = [f"{self.by[name] / max(self.by.total(), 1):.0%}" for name in ("index", "exact", "exact_instead")]
        shares.append(str(self.by["broken"]))
        return f"| {label} | {len(self.milliseconds)} | {p50:.0f} | {p95:.0f} | {p99:.0f} | {' | '.join(shares)} |"


HEAD = (
    "| asked | questions | p50 ms | p95 ms | p99 ms | by Chroma | exactly | exactly instead | broken |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


async def token_of(uow: UnitOfWork, tokens: AccessTokens, owner_id: UUID) -> str:
    """Return a token of somebody who has no password."""
    sign_in_id = new_id()
    async with uow.of(owner_id) as tx:
        await tx.sign_ins.add(
            owner_id,
            sign_in_id=sign_in_id,
            refresh_hash=sign_in_id.bytes,
            expires_at=now() + timedelta(days=1),
            user_agent=None,
        )
        user = await tx.users.get(owner_id)
    if user is None:
        raise LookupError("no such owner")
    return tokens.issue(Claims(owner_id, sign_in_id, user.token_version))


class _Counting:
    """Counts what the searches of this process are answered by."""

    def __init__(self) -> None:
        self.by: Counter[str] = Counter()

    def add(self, counter: metrics.Counter, amount: float, labels: tuple[str, ...]) -> None:
        """See ``Exporter.add``."""
        if counter is metrics.DENSE_SEARCHES:
            self.by[labels[0]] += int(amount)

    def observe(self, histogram: metrics.Histogram, value: float, labels: tuple[str, ...]) -> None:
        """See ``Exporter.observe``."""


async def timed(calls: Sequence[Callable[[], Awaitable[object]]]) -> Timed:
    """Make one call after the other."""
    counting, took = _Counting(), []
    metrics.export_to(counting)
    for call in calls:
        begun = perf_counter()
        try:
            await call()
        except VectorIndexBrokenError:
            counting.by["broken"] += 1  # Chroma alone: what it has unloaded without ever writing it.
        took.append((perf_counter() - begun) * 1000)
    metrics.export_to(None)
    return Timed(took, counting.by)


class Asker:
    """Asks about owners: the product over HTTP, its retriever in this process, or Chroma alone."""

    def __init__(self, url: str, uow: UnitOfWork, chroma_url: str, http: aiohttp.ClientSession) -> None:
        self._url, self._uow, self._http = url, uow, http
        self._index = ChromaVectorIndex(chroma_url, query_seconds=PATIENT_SECONDS)
        self._embedders = Embedders({HashingEmbedder.identity: HashingEmbedder()}.__getitem__)
        self._tokens: dict[UUID, str] = {}

    async def questions(self, owners: Sequence[Generation]) -> dict[UUID, str]:
        """Return a question for each owner, of words that one of their passages has."""
        asked = {}
        for owner in owners:
            async with self._uow.of(owner.owner_id) as tx:
                (document,) = (await tx.documents.page(owner.owner_id, limit=1, after=None)).items
                text, _ = await tx.texts.slice(owner.owner_id, document.id, 1, start=0, end=2000) or ("", 0)
            words = search_text(text).split()
            asked[owner.owner_id] = " ".join(sorted(set(words), key=lambda word: (words.count(word), word))[:8])
        return asked

    async def sign_in(self, owners: Sequence[Generation], folder: Path) -> None:
        """Give this benchmark a token for each owner."""
        tokens = AccessTokens((folder / "secret_key").read_text().strip(), lifetime=timedelta(hours=6))
        for owner in owners:
            self._tokens[owner.owner_id] = await token_of(self._uow, tokens, owner.owner_id)

    async def by_http(self, owners: Sequence[Generation], questions: dict[UUID, str]) -> Timed:
        """Let the running product search: the time is the product's own, from the question's arrival to the texts of the hits."""
        before, took = await self._answered_by(), []
        for owner in owners:
            answer = await self._search(owner.owner_id, questions[owner.owner_id])
            if answer["degraded"] or not answer["hits"]:
                raise SystemExit(f"A search was degraded or found nothing: {answer}")
            took.append(float(answer["timings"]["total_ms"]))
        return Timed(took, await self._answered_by() - before)

    async def by_retriever(self, owners: Sequence[Generation], questions: dict[UUID, str], *, exact_chunks: int) -> Timed:
        """Let the retriever of this process search."""
        retriever = Retriever(self._uow, self._index, self._embedders, exact_chunks=exact_chunks)
        return await timed(
            [partial(retriever.retrieve, owner.owner_id, questions[owner.owner_id], within=None) for owner in owners]
        )

    async def by_chroma(self, owners: Sequence[Generation], questions: dict[UUID, str]) -> Timed:
        """Ask Chroma alone, however long it takes."""
        embedder = HashingEmbedder()
        vectors = [await embedder.embed_query(questions[owner.owner_id]) for owner in owners]
        calls = [partial(self._index.query, owner.collection, vector, 100) for owner, vector in zip(owners, vectors, strict=True)]
        return await timed(calls)

    async def by_counting(self, owners: Sequence[Generation]) -> Timed:
        """Count collections, as the product does with all of them at its start and every ten minutes."""
        return await timed([partial(self._index.count, owner.collection) for owner in owners])

    async def aclose(self) -> None:
        """Close the index."""
        await self._index.aclose()

    async def _search(self, owner_id: UUID, question: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._tokens[owner_id]}"}
        async with self._http.post(f"{self._url}/api/v1/chat/search", json={"query": question}, headers=headers) as response:
            response.raise_for_status()
            answer: dict[str, Any] = await response.json()
            return answer

    async def _answered_by(self) -> Counter[str]:
        async with self._http.get(f"{self._url}/metrics") as response:
            told = await response.text()
        lines = [line for line in told.splitlines() if line.startswith(f"{metrics.DENSE_SEARCHES.name}{{")]
        return Counter({line.partition('by="')[2].partition('"')[0]: int(float(line.rpartition(" ")[2])) for line in lines})
