"""The dense leg: by meaning, in the vector index or exactly."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from backend.core.errors import UnavailableError, VectorIndexBrokenError
from backend.core.metrics import DENSE_SEARCHES
from backend.core.values.packed import PackedVectors
from backend.db.repositories.generations import Generation
from backend.db.uow import Transaction, UnitOfWork
from backend.ports.embedder import Embedder, Vector
from backend.ports.vector_index import Neighbour, VectorIndex
from backend.rag.similarity import exact_top, from_packed
from backend.services.embedders import Embedders
from backend.services.retrieval.asking import IndexQueries
from backend.services.retrieval.legs import LateError
from backend.services.retrieval.questions import QuestionVectors

FEWEST_KNOWN = 30
"""Where fewer of a full answer of the index can be searched, it is crowded with what cannot."""
EXACT_CHUNKS = 2000
"""Up to so many chunks of an owner the vectors themselves are searched: that takes about as long as asking the index, far less than
where it has to load the collection first, and finds everything. See docs/scaling.md."""
HEDGED_CHUNKS = 50_000
"""Up to so many, an exact search is worth beginning where the index does not answer at once."""
PATIENCE_SECONDS = 0.05
"""How long "at once" is: an index that has the collection ready takes a tenth of it."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ground:
    """What an owner's question is compared with: so many ``chunks``. ``late`` are the vectors that the index has not confirmed."""

    embedder: Embedder
    generation: Generation | None
    chunks: int
    late: PackedVectors


class DenseLeg:
    """Finds the chunks whose vectors are nearest to a question.

    Of owners with few chunks, up to ``exact_chunks``, the index is not asked.
    """

    def __init__(self, uow: UnitOfWork, index: VectorIndex, embedders: Embedders, *, exact_chunks: int) -> None:
        self._uow = uow
        self._queries = IndexQueries(index)
        self._exact_chunks = exact_chunks
        self._embedders = embedders
        self._questions = QuestionVectors()

    async def ground(self, tx: Transaction, owner_id: UUID, *, whole: bool) -> Ground:
        """Read what questions are compared with, in one transaction.

        While the embedding model is changed, one question is answered by one model and its vectors alone. The late vectors are
        read for a search of the ``whole`` by the index only, and before that is asked: what it takes meanwhile is found twice, not
        missed.
        """
        embedder, generation = await self._embedders.of_owner(tx, owner_id)
        if generation is None or not whole:
            return Ground(embedder, generation, 0, PackedVectors())
        chunks = await tx.lexicon.chunks(owner_id)
        if chunks <= self._exact_chunks:
            return Ground(embedder, generation, chunks, PackedVectors())
        late = await tx.vectors.searchable(owner_id, generation.id, unindexed_only=True)
        return Ground(embedder, generation, chunks, late)

    async def search(
        self, owner_id: UUID, ground: Ground, forms: Sequence[str], within: Sequence[UUID] | None, *, depth: int, until: float
    ) -> list[list[Neighbour]]:
        """Return the nearest chunks to each form of a question, best first.

        Of the time that is left ``until`` a moment of the loop's clock, the index has half, so that an exact search can follow; of
        owners for whom that is quick it has a moment only. A collection that it has to load is ready for a later question.

        Raises:
            EmbedderUnavailableError: The question cannot be embedded now.
            EmbeddingRefusedError: It cannot be embedded at all.
        """
        generation = ground.generation
        if generation is None:
            return []
        if within is not None or ground.chunks <= self._exact_chunks:
            # A metadata filter in the index costs many times an unfiltered query, and loses neighbours.
            DENSE_SEARCHES.add(1, "exact")
            vectors, stored = await asyncio.gather(
                self._questions.of(ground.embedder, forms), self._stored(owner_id, generation, within)
            )
            return await _nearest(generation, vectors, stored, depth)
        vectors = await self._questions.of(ground.embedder, forms)
        found = await self._indexed(owner_id, ground, generation, vectors, depth=depth, until=until)
        DENSE_SEARCHES.add(1, "index" if found is not None else "exact_instead")
        if found is None:
            return await _nearest(generation, vectors, await self._stored(owner_id, generation, None), depth)
        late = await _nearest(generation, vectors, ground.late, depth)
        return [_merged(*both, depth) for both in zip(found, late, strict=True)]

    async def _indexed(
        self, owner_id: UUID, ground: Ground, generation: Generation, vectors: Sequence[Vector], *, depth: int, until: float
    ) -> list[list[Neighbour]] | None:
        """Return what the index finds of what can be searched, or ``None`` where its answer is of no use."""
        now = asyncio.get_running_loop().time()
        hedged = ground.chunks <= HEDGED_CHUNKS
        if hedged and generation.collection in self._queries.loading:
            log.info("vector_index_passed_over", code="loading")
            return None
        given = min(PATIENCE_SECONDS, (until - now) / 2) if hedged else (until - now) / 2
        try:
            near = await self._queries.nearest(generation.collection, vectors, depth, until=now + given)
        except LateError:
            log.log(logging.INFO if hedged else logging.WARNING, "vector_index_passed_over", code="late")
            return None
        except (UnavailableError, VectorIndexBrokenError) as error:
            log.warning("vector_index_passed_over", code=error.code)
            return None
        async with self._uow.of(owner_id) as tx:
            searchable = await tx.chunks.searchable(owner_id, list({hit.chunk_id for hits in near for hit in hits}))
        known = [[hit for hit in hits if hit.chunk_id in searchable] for hits in near]
        # The collection is lost, or has just moved, or knows the versions before; or a document that is being indexed or was
        # deleted crowds the others out of the index's answer.
        crowded = any(
            not kept or (len(hits) >= depth and len(kept) < min(FEWEST_KNOWN, depth))
            for hits, kept in zip(near, known, strict=True)
        )
        return None if crowded else known

    async def _stored(self, owner_id: UUID, generation: Generation, within: Sequence[UUID] | None) -> PackedVectors:
        async with self._uow.of(owner_id) as tx:
            return await tx.vectors.searchable(owner_id, generation.id, within=within)


async def _nearest(generation: Generation, vectors: Sequence[Vector], stored: PackedVectors, depth: int) -> list[list[Neighbour]]:
    """Search these vectors themselves."""
    if not stored:
        return [[] for _ in vectors]

    def search() -> list[list[Neighbour]]:
        matrix = from_packed(stored, generation.dimensions)
        found = [exact_top(vector, matrix, depth) for vector in vectors]
        return [[Neighbour(stored.id_at(row), float(score)) for row, score in zip(*top, strict=True)] for top in found]

    return await asyncio.to_thread(search)


def _merged(indexed: Sequence[Neighbour], late: Sequence[Neighbour], depth: int) -> list[Neighbour]:
    known = {hit.chunk_id for hit in indexed}
    merged = [*indexed, *(hit for hit in late if hit.chunk_id not in known)]
    return sorted(merged, key=lambda hit: (-hit.similarity, hit.chunk_id))[:depth]
