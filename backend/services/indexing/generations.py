"""Building generations: all of an owner's vectors by another model, or in another collection."""

from dataclasses import replace
from time import monotonic
from uuid import UUID

import structlog

from backend.core.errors import StorageFullError, UnavailableError, VectorIndexBrokenError
from backend.core.failpoints import reach
from backend.db.repositories.generations import Generation
from backend.db.uow import Transaction, UnitOfWork
from backend.ports.vector_index import VectorIndex
from backend.rag.similarity import from_bytes
from backend.services.embedders import Embedders
from backend.services.indexing.chunks import embedded_text
from backend.services.indexing.embedding import LosslessEmbedding
from backend.services.indexing.offering import UPSERT_BATCH, queue_drop
from backend.services.indexing.pipeline import IndexingPipeline

log = structlog.get_logger(__name__)

READ_AT_ONCE = 512
FILLED_AT_ONCE = 2000
AFTER_DOCUMENTS = -10
"""A priority: what somebody has just uploaded does not wait for what can be searched already."""
TURN_SECONDS = 20.0
"""How long a job builds before it lets others have their turn."""


class GenerationBuilder:
    """Fills generations. Each step may be run again at any time, and goes on where the last one stopped."""

    def __init__(self, uow: UnitOfWork, index: VectorIndex, embedders: Embedders, pipeline: IndexingPipeline) -> None:
        self._uow = uow
        self._index = index
        self._embedders = embedders
        self._pipeline = pipeline
        self._verified_last = UUID(int=0)

    async def build(self, owner_id: UUID, generation_id: UUID, *, seconds: float = TURN_SECONDS) -> bool:
        """Embed what a generation lacks of the owner's live chunks; one that is building answers once it lacks nothing.

        Returns whether it is complete; if not, the time was up, and another call goes on. The generation that answered before is
        kept, retired. Questions are answered by the one or the other, never by both.

        Raises:
            EmbedderUnavailableError: The model did not answer. What was embedded stays, and the job comes again.
            EmbeddingRefusedError: The model takes no text at all.
            ConfigurationError: This installation cannot serve the generation's embedder.
        """
        async with self._uow.of(owner_id) as tx:
            generation = await tx.generations.get(owner_id, generation_id)
        if generation is None or generation.state not in {"building", "ready"}:
            return True
        over = monotonic() + seconds
        embedding = LosslessEmbedding(self._embedders.named(generation.embedder))
        while await self._fill(owner_id, generation, embedding) or not await self._answer_with(owner_id, generation):
            if monotonic() > over:
                return False
        return True

    async def _fill(self, owner_id: UUID, generation: Generation, embedding: LosslessEmbedding) -> bool:
        """Embed some of the chunks that are missing; return whether there were any."""
        async with self._uow.of(owner_id) as tx:
            missing = await tx.vectors.missing(owner_id, generation.id, limit=READ_AT_ONCE)
        begin = 0
        while begin < len(missing):
            batch = missing[begin : begin + embedding.batch_size]
            begin += len(batch)
            vectors = await embedding.embed([embedded_text(chunk.heading, chunk.text) for chunk in batch])
            await reach("build.embedded")
            ids = [chunk.id for chunk in batch]
            async with self._uow.of(owner_id) as tx:
                await tx.vectors.store(owner_id, generation.id, ids, vectors)
            await reach("build.stored")
            await self._pipeline.offer(generation, ids, vectors)
        if not missing:
            await self._offer_late(owner_id, generation)
        return bool(missing)

    async def _offer_late(self, owner_id: UUID, generation: Generation) -> None:
        """Give the index what was stored, and what it did not get because it was away, or because an earlier try was killed."""
        async with self._uow.of(owner_id) as tx:
            late = list(await tx.vectors.searchable(owner_id, generation.id, unindexed_only=True))
        for begin in range(0, len(late), UPSERT_BATCH):
            part = late[begin : begin + UPSERT_BATCH]
            if not await self._pipeline.offer(generation, [chunk_id for chunk_id, _ in part], [vector for _, vector in part]):
                return  # It is away. The clock offers them again.

    async def _answer_with(self, owner_id: UUID, generation: Generation) -> bool:
        """Let a complete generation answer; return False if a document became live meanwhile that it does not know.

        One that another change of the model has overtaken meanwhile stays as it is.
        """
        if generation.state == "ready":
            return True
        await reach("build.switching")
        async with self._uow.of(owner_id) as tx:
            await tx.generations.lock(owner_id)
            present = await tx.generations.get(owner_id, generation.id)
            if present is None or present.state != "building":
                return True
            if await tx.vectors.missing(owner_id, generation.id, limit=1):
                return False
            await tx.generations.switch(owner_id, generation.id)
        log.info("embedding_model_changed", owner_id=str(owner_id), embedder=generation.embedder)
        return True

    async def rebuild(self, owner_id: UUID, generation_id: UUID) -> None:
        """Fill a new collection from the vectors in PostgreSQL, embedding nothing, and let it take the old one's place.

        The old collection answers until then; where it was lost, exact search does.

        Raises:
            VectorIndexUnavailableError: The index is away; the job comes again.
        """
        async with self._uow.of(owner_id) as tx:
            generation = await tx.generations.get(owner_id, generation_id)
        if generation is None:
            return
        collection = other_collection(generation.collection)
        await self._index.drop(collection)  # What an earlier try left there.
        written = await self._copy(owner_id, generation, collection)
        await reach("rebuild.filled")
        async with self._uow.of(owner_id) as tx:
            await tx.generations.lock(owner_id)
            if await tx.generations.get(owner_id, generation_id) is None:
                await queue_drop(tx, replace(generation, collection=collection))  # Somebody does not want it any more.
                return
            await tx.generations.move(owner_id, generation_id, collection)
            kept = set(await tx.vectors.index_only(owner_id, generation_id, chunk_ids=written))
            await queue_drop(tx, generation)
        await reach("rebuild.moved")
        await self._index.delete(collection, [chunk_id for chunk_id in written if chunk_id not in kept])
        log.info("collection_rebuilt", collection=collection, vectors=len(kept))

    async def _copy(self, owner_id: UUID, generation: Generation, collection: str) -> list[UUID]:
        written: list[UUID] = []
        while True:
            async with self._uow.of(owner_id) as tx:
                after = written[-1] if written else None
                ids, vectors = await tx.vectors.batch(owner_id, generation.id, after=after, limit=FILLED_AT_ONCE)
            if not ids:
                return written
            await self._index.upsert(collection, ids, from_bytes(vectors, generation.dimensions))
            written += ids

    async def drop(self, collection: str) -> None:
        """Remove a collection that no generation is indexed by; of one that is in use, the copies that nobody looks for."""
        async with self._uow.system() as tx:
            used = await tx.generations.indexed_by(collection)
        await (self._index.drop_strays(collection) if used else self._index.drop(collection))

    async def verify(self, generation: Generation) -> bool:
        """Compare a collection with PostgreSQL; if it has lost vectors, or cannot be read, queue its rebuilding.

        Returns whether it is sound. Exact search covers a lost collection from the moment that this is noted.

        Raises:
            VectorIndexUnavailableError: The index is away.
        """
        expected = await self._expected(generation)
        try:
            found = await self._index.count(generation.collection)
        except VectorIndexBrokenError:
            found = -1
        if expected is None or found >= expected:
            return True
        expected = await self._expected(generation)  # Somebody may have deleted a document between the first look and the count.
        if expected is None or found >= expected:
            return True
        log.warning("collection_lost_vectors", collection=generation.collection, expected=expected, found=found)
        await self.give_up(generation)
        return False

    async def _expected(self, generation: Generation) -> int | None:
        """Return how many vectors a collection should have at least, or ``None`` if its generation has left it."""
        async with self._uow.of(generation.owner_id) as tx:
            present = await tx.generations.get(generation.owner_id, generation.id)
            if present is None or present.collection != generation.collection:
                return None
            return await tx.vectors.indexed_count(generation.owner_id, generation.id)

    async def give_up(self, generation: Generation) -> None:
        """Note that a collection is of no use any more: exact search answers instead, until it is rebuilt."""
        async with self._uow.of(generation.owner_id) as tx:
            await tx.generations.lock(generation.owner_id)  # So that nobody confirms them meanwhile.
            await tx.vectors.unconfirm(generation.owner_id, generation.id)
            await queue_generation(tx, "rebuild_collection", generation)

    async def verify_all(self, *, seconds: float | None = None) -> bool:
        """Verify every generation that answers or will, and queue the rebuilding of those that are unsound.

        To count a collection, the index has to load it, 40 ms of a core: with ``seconds``, as many are verified as can be within
        that time, and the others by the next calls. Returns False where the index or the database was away for one: ask again.
        """
        try:
            async with self._uow.system() as tx:
                generations = [found for found in await tx.generations.all() if found.state in {"ready", "building"}]
        except UnavailableError as error:
            log.warning("vector_index_not_verified", code=error.code)
            return False
        if seconds is not None:
            generations.sort(key=lambda generation: (generation.id <= self._verified_last, generation.id))
        begun, sound = monotonic(), True
        for generation in generations:
            sound = await self._verified(generation) and sound
            self._verified_last = generation.id
            if seconds is not None and monotonic() - begun > seconds:
                break
        return sound

    async def _verified(self, generation: Generation) -> bool:
        """Return whether a generation could be verified, whatever came out of it: one that is stuck does not hide the others."""
        try:
            await self.verify(generation)
        except (UnavailableError, StorageFullError) as error:
            log.warning("vector_index_not_verified", code=error.code, collection=generation.collection)
            return False
        return True


async def queue_generation(tx: Transaction, task: str, generation: Generation) -> None:
    """Queue a job of a generation, ``build_generation`` or ``rebuild_collection``, unless it is queued; one at a time is done."""
    if not await tx.jobs.queued(task, generation_id=generation.id):
        await defer_generation(tx, task, generation)


async def defer_generation(tx: Transaction, task: str, generation: Generation) -> None:
    """Queue a job of a generation, even while one like it runs."""
    await tx.jobs.defer(
        task,
        lock=str(generation.id),
        priority=AFTER_DOCUMENTS,
        owner_id=generation.owner_id,
        generation_id=generation.id,
    )


def other_collection(name: str) -> str:
    """Return the second of the two names that a generation's collection may have: it is rebuilt from one to the other, and back."""
    return name.removesuffix("-b") if name.endswith("-b") else f"{name}-b"
