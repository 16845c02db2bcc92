"""Retrieval: the dense and the lexical leg, fused, of one owner's ready documents."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from backend.core.errors import (
    DocentError,
    EmbedderUnavailableError,
    EmbeddingRefusedError,
    UnavailableError,
    VectorIndexBrokenError,
)
from backend.core.values.chat import Leg
from backend.core.values.search import DenseRank, LexicalRank, Ranked, RankedChunk, Thresholds
from backend.db.repositories.chunks import FoundChunk
from backend.db.repositories.generations import Generation
from backend.db.repositories.lexicon import LexicalHit
from backend.db.uow import UnitOfWork
from backend.ports.chat_model import Passage
from backend.ports.embedder import Embedder, Vector
from backend.ports.vector_index import Neighbour, VectorIndex
from backend.rag.deduplication import distinct
from backend.rag.fusion import Fused, fuse
from backend.rag.normalising import search_text
from backend.rag.selection import within_budget
from backend.rag.similarity import exact_top, from_bytes
from backend.services.embedders import Embedders

log = structlog.get_logger(__name__)

DEPTH = 100
"""How many chunks each leg returns."""
FETCHED = 30
"""How many fused chunks have their texts fetched: more than the prompt's budget can hold."""
LEXICAL_THRESHOLD = 0.4
"""The share of the question's idf from which a lexical hit alone counts as relevant; chosen as docs/benchmarks.md says."""
CACHED_QUESTIONS = 512


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Relevant passages, best first, with markers from 1; ``degraded`` names the legs that were down."""

    passages: tuple[Passage, ...]
    degraded: tuple[Leg, ...]


class Retriever:
    """Finds passages. Every query carries the owner, and row-level security stands behind it."""

    def __init__(self, uow: UnitOfWork, index: VectorIndex, embedders: Embedders, *, language: str) -> None:
        self._uow = uow
        self._index = index
        self._embedders = embedders
        self._language = language
        self._questions: OrderedDict[tuple[str, str], Vector] = OrderedDict()

    async def retrieve(self, owner_id: UUID, question: str, *, within: Sequence[UUID] | None) -> Retrieved:
        """Return the passages that bear on a question, of all the owner's ready documents or of those in ``within``.

        One leg may be down: the other answers, and the result says so.

        Raises:
            DatabaseUnavailableError: Both legs need PostgreSQL for their texts.
        """
        found, complete = await self._retrieve(owner_id, question, within)
        # A new version may take its document's place between the search and the reading: then the question is asked again.
        return found if complete else (await self._retrieve(owner_id, question, within))[0]

    async def _retrieve(self, owner_id: UUID, question: str, within: Sequence[UUID] | None) -> tuple[Retrieved, bool]:
        """Return the passages, and whether every chunk that was found could still be read."""
        ranked = await self.rank(owner_id, question, within)
        relevant = [hit for hit in ranked.hits if hit.relevant][:FETCHED]
        passages, complete = await self._passages(owner_id, relevant)
        return Retrieved(passages, ranked.degraded), complete

    async def rank(self, owner_id: UUID, question: str, within: Sequence[UUID] | None = None) -> Ranked:
        """Return the fused ranking of chunks, with what is under the thresholds as well."""
        # Read once: while the embedding model is changed, one question is answered by one model and its vectors alone.
        async with self._uow.of(owner_id) as tx:
            embedder, generation = await self._embedders.of_owner(tx, owner_id)
        dense, lexical = await asyncio.gather(
            self._dense(owner_id, question, within, embedder, generation),
            self._lexical(owner_id, question, within),
            return_exceptions=True,
        )
        degraded: list[Leg] = []
        if isinstance(dense, BaseException):
            degraded.append(_down("dense", dense))
            dense = []
        if isinstance(lexical, BaseException):
            degraded.append(_down("lexical", lexical))
            lexical = []
        shares = {hit.chunk_id: hit.share for hit in lexical}
        thresholds = Thresholds(embedder.relevance_threshold, LEXICAL_THRESHOLD)
        fused = fuse(
            [(hit.chunk_id, hit.similarity) for hit in dense],
            [(hit.chunk_id, hit.score) for hit in lexical],
            dense_weight=embedder.dense_weight,
        )
        hits = tuple(_ranked(hit, shares.get(hit.chunk_id, 0.0), thresholds) for hit in fused)
        return Ranked(hits, tuple(degraded), embedder.identity, embedder.dense_weight, thresholds, None, None)

    async def _passages(self, owner_id: UUID, ranked: Sequence[RankedChunk]) -> tuple[tuple[Passage, ...], bool]:
        if not ranked:
            return (), True
        async with self._uow.of(owner_id) as tx:
            found = await tx.chunks.found(owner_id, [hit.chunk_id for hit in ranked])
        hits = [(hit, found[hit.chunk_id]) for hit in ranked if hit.chunk_id in found]
        complete = len(hits) == len(ranked)
        hits = [hits[i] for i in distinct([chunk.text for _, chunk in hits])]
        hits = [hits[i] for i in within_budget([chunk.text for _, chunk in hits])]
        return tuple(_passage(marker, hit, chunk) for marker, (hit, chunk) in enumerate(hits, start=1)), complete

    async def _lexical(self, owner_id: UUID, question: str, within: Sequence[UUID] | None) -> list[LexicalHit]:
        async with self._uow.of(owner_id) as tx:
            return await tx.lexicon.search(owner_id, search_text(question), language=self._language, within=within, limit=DEPTH)

    async def _dense(
        self,
        owner_id: UUID,
        question: str,
        within: Sequence[UUID] | None,
        embedder: Embedder,
        generation: Generation | None,
    ) -> list[Neighbour]:
        if generation is None:
            return []
        async with self._uow.of(owner_id) as tx:
            # Read before the index is asked: a vector that it takes in between is then found twice, and not missed.
            late = await tx.vectors.searchable(owner_id, generation.id, unindexed_only=True) if within is None else ([], [])
        vector = await self._embedded(embedder, question)
        if within is not None:
            # A metadata filter in the index costs many times an unfiltered query, and loses neighbours.
            return await self._exact(owner_id, generation, vector, within=within)
        try:
            near = await self._index.query(generation.collection, vector, DEPTH)
        except (UnavailableError, VectorIndexBrokenError) as error:
            log.warning("vector_index_passed_over", code=error.code)
            return await self._exact(owner_id, generation, vector)
        async with self._uow.of(owner_id) as tx:
            searchable = await tx.chunks.searchable(owner_id, [hit.chunk_id for hit in near])
        known = {hit.chunk_id: hit for hit in near if hit.chunk_id in searchable}
        if not known or (len(near) >= DEPTH and len(known) < FETCHED):
            # The collection is lost, or has just moved, or knows the versions before; or a document that is being indexed or was
            # deleted crowds the others out of the index's answer.
            return await self._exact(owner_id, generation, vector)
        merged = [*known.values(), *(hit for hit in await _nearest(generation, vector, *late) if hit.chunk_id not in known)]
        return sorted(merged, key=lambda hit: -hit.similarity)[:DEPTH]

    async def _exact(
        self, owner_id: UUID, generation: Generation, vector: Vector, *, within: Sequence[UUID] | None = None
    ) -> list[Neighbour]:
        """Search the vectors in PostgreSQL themselves: of some documents, or of all where the index is of no use."""
        async with self._uow.of(owner_id) as tx:
            ids, blobs = await tx.vectors.searchable(owner_id, generation.id, within=within)
        return await _nearest(generation, vector, ids, blobs)

    async def _embedded(self, embedder: Embedder, question: str) -> Vector:
        key = (embedder.identity, question)
        vector = self._questions.get(key)
        if vector is None:
            vector = await embedder.embed_query(question)
            self._questions[key] = vector
            if len(self._questions) > CACHED_QUESTIONS:
                self._questions.popitem(last=False)
        else:
            self._questions.move_to_end(key)
        return vector


def _ranked(hit: Fused, share: float, thresholds: Thresholds) -> RankedChunk:
    """Judge by raw scores: fused ones are relative, and the best of a bad lot would always be 1."""
    dense = lexical = None
    if hit.dense_rank is not None and hit.dense_score is not None:
        dense = DenseRank(hit.dense_rank, hit.dense_score)
    if hit.lexical_rank is not None and hit.lexical_score is not None:
        lexical = LexicalRank(hit.lexical_rank, hit.lexical_score, share)
    relevant = (dense is not None and dense.score >= thresholds.dense) or share >= thresholds.lexical
    return RankedChunk(hit.chunk_id, hit.score, relevant, dense, lexical)


async def _nearest(generation: Generation, vector: Vector, ids: Sequence[UUID], blobs: Sequence[bytes]) -> list[Neighbour]:
    if not ids:
        return []

    def search() -> list[Neighbour]:
        rows, scores = exact_top(vector, from_bytes(blobs, generation.dimensions), DEPTH)
        return [Neighbour(ids[row], float(score)) for row, score in zip(rows, scores, strict=True)]

    return await asyncio.to_thread(search)


def _down(leg: Leg, error: BaseException) -> Leg:
    """Accept that a leg is down; a defect, and a database that is down, are not that."""
    if not isinstance(error, EmbedderUnavailableError | EmbeddingRefusedError):
        raise error
    log.warning("retrieval_leg_down", leg=leg, code=error.code if isinstance(error, DocentError) else None)
    return leg


def _passage(marker: int, hit: RankedChunk, chunk: FoundChunk) -> Passage:
    return Passage(
        marker=marker,
        chunk_id=chunk.id,
        document_id=chunk.document_id,
        title=chunk.title,
        page=chunk.page,
        heading=chunk.heading,
        start=chunk.start,
        end=chunk.end,
        text=chunk.text,
        score=hit.score,
        version=chunk.version,
    )
