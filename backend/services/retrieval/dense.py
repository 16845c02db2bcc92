"""The dense leg: by meaning, in the vector index or exactly."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from backend.core.errors import UnavailableError, VectorIndexBrokenError
from backend.db.repositories.generations import Generation
from backend.db.uow import Transaction, UnitOfWork
from backend.ports.embedder import Embedder, Vector
from backend.ports.vector_index import Neighbour, VectorIndex
from backend.rag.similarity import exact_top, from_bytes
from backend.services.embedders import Embedders
from backend.services.retrieval.legs import LateError, deadline
from backend.services.retrieval.questions import QuestionVectors

FEWEST_KNOWN = 30
"""Where fewer of a full answer of the index can be searched, it is crowded with what cannot."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stored:
    """Vectors as PostgreSQL has them, with the ids of their chunks."""

    ids: Sequence[UUID] = ()
    blobs: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """What an owner's question is compared with. ``late`` are the vectors that the index has not confirmed."""

    embedder: Embedder
    generation: Generation | None
    late: Stored


class DenseLeg:
    """Finds the chunks whose vectors are nearest to a question."""

    def __init__(self, uow: UnitOfWork, index: VectorIndex, embedders: Embedders) -> None:
        self._uow = uow
        self._index = index
        self._embedders = embedders
        self._questions = QuestionVectors()

    async def ground(self, tx: Transaction, owner_id: UUID, *, whole: bool) -> Ground:
        """Read what questions are compared with, in one transaction.

        While the embedding model is changed, one question is answered by one model and its vectors alone. The late vectors are
        read for a search of the ``whole`` only, and before the index is asked: what it takes meanwhile is found twice, not missed.
        """
        embedder, generation = await self._embedders.of_owner(tx, owner_id)
        if generation is None or not whole:
            return Ground(embedder, generation, Stored())
        return Ground(embedder, generation, Stored(*await tx.vectors.searchable(owner_id, generation.id, unindexed_only=True)))

    async def search(
        self, owner_id: UUID, ground: Ground, forms: Sequence[str], within: Sequence[UUID] | None, *, depth: int, until: float
    ) -> list[list[Neighbour]]:
        """Return the nearest chunks to each form of a question, best first.

        Of the time that is left ``until`` a moment of the loop's clock, the index has half, so that an exact search can follow.

        Raises:
            EmbedderUnavailableError: The question cannot be embedded now.
            EmbeddingRefusedError: It cannot be embedded at all.
        """
        generation = ground.generation
        if generation is None:
            return []
        if within is not None:
            # A metadata filter in the index costs many times an unfiltered query, and loses neighbours.
            vectors, stored = await asyncio.gather(
                self._questions.of(ground.embedder, forms), self._stored(owner_id, generation, within)
            )
            return await _nearest(generation, vectors, stored, depth)
        vectors = await self._questions.of(ground.embedder, forms)
        found = await self._indexed(owner_id, generation, vectors, depth=depth, until=until)
        if found is None:
            return await _nearest(generation, vectors, await self._stored(owner_id, generation, None), depth)
        late = await _nearest(generation, vectors, ground.late, depth)
        return [_merged(*both, depth) for both in zip(found, late, strict=True)]

    async def _indexed(
        self, owner_id: UUID, generation: Generation, vectors: Sequence[Vector], *, depth: int, until: float
    ) -> list[list[Neighbour]] | None:
        """Return what the index finds of what can be searched, or ``None`` where its answer is of no use."""
        now = asyncio.get_running_loop().time()
        try:
            async with deadline(now + (until - now) / 2):
                near = await asyncio.gather(*(self._index.query(generation.collection, vector, depth) for vector in vectors))
        except LateError:
            log.warning("vector_index_passed_over", code="late")
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

    async def _stored(self, owner_id: UUID, generation: Generation, within: Sequence[UUID] | None) -> Stored:
        async with self._uow.of(owner_id) as tx:
            return Stored(*await tx.vectors.searchable(owner_id, generation.id, within=within))


async def _nearest(generation: Generation, vectors: Sequence[Vector], stored: Stored, depth: int) -> list[list[Neighbour]]:
    """Search these vectors themselves."""
    if not stored.ids:
        return [[] for _ in vectors]

    def search() -> list[list[Neighbour]]:
        matrix = from_bytes(stored.blobs, generation.dimensions)
        found = [exact_top(vector, matrix, depth) for vector in vectors]
        return [[Neighbour(stored.ids[row], float(score)) for row, score in zip(*top, strict=True)] for top in found]

    return await asyncio.to_thread(search)


def _merged(indexed: Sequence[Neighbour], late: Sequence[Neighbour], depth: int) -> list[Neighbour]:
    known = {hit.chunk_id for hit in indexed}
    merged = [*indexed, *(hit for hit in late if hit.chunk_id not in known)]
    return sorted(merged, key=lambda hit: (-hit.similarity, hit.chunk_id))[:depth]
