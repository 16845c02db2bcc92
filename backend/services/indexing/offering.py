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
from backend.services.indexing.stages import stage

log = structlog.get_logger(__name__)

UPSERT_BATCH = 256
"""How many vectors to offer at once."""


async def offer(
    uow: UnitOfWork, index: VectorIndex, generation: Generation, ids: Sequence[UUID], vectors: Sequence[bytes | None]
) -> bool:
    """Give vectors of a generation to the index; return whether it took them.

    If it is away, exact search covers them until they are offered again.

    Whoever removed a document or moved the collection while the index took its vectors may have looked there too early, so what
    nobody needs any more afterwards is removed here.
    """
    present = [(chunk_id, vector) for chunk_id, vector in zip(ids, vectors, strict=True) if vector is not None]
    owner_id = generation.owner_id
    async with uow.of(owner_id) as tx:
        # It may have been rebuilt since somebody read its name, and writing to the old collection would make that anew.
        current = await tx.generations.get(owner_id, generation.id)
    if not present or current is None:
        return True
    ids = [chunk_id for chunk_id, _ in present]
    try:
        with stage("indexing"):
            await index.upsert(current.collection, ids, from_bytes([vector for _, vector in present], current.dimensions))
    except (UnavailableError, VectorIndexBrokenError) as error:
        log.warning("vector_index_passed_over", code=error.code, vectors=len(ids))
        return False
    await reach("index.upserted")
    async with uow.of(owner_id) as tx:
        taken = await tx.vectors.confirm(owner_id, current.id, ids, collection=current.collection)
        if not taken:
            await queue_drop(tx, current)
        unwanted = set(ids) - await tx.chunks.wanted(owner_id, ids)
    await forget(index, [current.collection], list(unwanted))
    return taken


async def queue_drop(tx: Transaction, generation: Generation) -> None:
    """Queue the removal of a collection that its generation has left, though never while a rebuild may be filling it again."""
    await tx.jobs.defer("drop_collection", lock=str(generation.id), collection=generation.collection)
