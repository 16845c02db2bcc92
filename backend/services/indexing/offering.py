"""Giving vectors to the index, and leaving nothing there that somebody removed meanwhile."""

from collections.abc import Sequence
from uuid import UUID

import structlog

from backend.core.errors import UnavailableError, VectorIndexBrokenError
from backend.core.failpoints import reach
from backend.db.repositories.generations import Generation
from backend.db.uow import Transaction, UnitOfWork
from backend.ports.vector_index import VectorIndex
from backend.rag.similarity import from_bytes
from backend.services.indexing.forgetting import forget

log = structlog.get_logger(__name__)


async def offer(
    uow: UnitOfWork, index: VectorIndex, generation: Generation, ids: Sequence[UUID], vectors: Sequence[bytes | None]
) -> None:
    """Give vectors of a generation to the index. If it is away, exact search covers them until they are offered again.

    Whoever removed a document or moved the collection while the index took its vectors may have looked there too early, so what
    nobody needs any more afterwards is removed here.
    """
    present = [(chunk_id, vector) for chunk_id, vector in zip(ids, vectors, strict=True) if vector is not None]
    if not present:
        return
    ids = [chunk_id for chunk_id, _ in present]
    try:
        await index.upsert(generation.collection, ids, from_bytes([vector for _, vector in present], generation.dimensions))
    except (UnavailableError, VectorIndexBrokenError) as error:
        log.warning("vector_index_passed_over", code=error.code, vectors=len(ids))
        return
    await reach("index.upserted")
    owner_id = generation.owner_id
    async with uow.of(owner_id) as tx:
        if not await tx.vectors.confirm(owner_id, generation.id, ids, collection=generation.collection):
            await queue_drop(tx, generation)
        unwanted = set(ids) - await tx.chunks.wanted(owner_id, ids)
    await forget(index, [generation.collection], list(unwanted))


async def queue_drop(tx: Transaction, generation: Generation) -> None:
    """Queue the removal of a collection that its generation has left, though never while a rebuild may be filling it again."""
    await tx.jobs.defer("drop_collection", lock=str(generation.id), collection=generation.collection)
