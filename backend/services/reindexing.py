"""Changing the embedding model, and rebuilding the vector index."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from backend.core.errors import ConfigurationError, EmbedderUnusableError, EmbeddingRefusedError, UnavailableError
from backend.db.repositories.generations import Generation
from backend.db.uow import UnitOfWork
from backend.ports.vector_index import VectorIndex
from backend.services.embedders import PREFERRED, Embedders, new_generation
from backend.services.indexing.generations import GenerationBuilder, defer_generation, queue_generation
from backend.services.indexing.offering import queue_drop

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReindexState:
    """How far a change of the embedding model is.

    ``owners`` counts those with documents, ``switched`` those whose answers come from ``embedder`` already, and ``retired`` the old
    generations that are kept. ``chunks_missing`` is how many chunks still have to be embedded.
    """

    embedder: str
    owners: int
    switched: int
    chunks_missing: int
    retired: int

    @property
    def complete(self) -> bool:
        """Whether every answer comes from the embedder, and nothing is missing."""
        return self.switched == self.owners and self.chunks_missing == 0


class ReindexService:
    """Builds new generations beside those that answer, and rebuilds collections. The work itself is done by jobs."""

    def __init__(self, uow: UnitOfWork, index: VectorIndex, embedders: Embedders, builder: GenerationBuilder) -> None:
        self._uow = uow
        self._index = index
        self._embedders = embedders
        self._builder = builder

    async def change(self, name: str) -> ReindexState:
        """Let another model embed everything: what is there by jobs, what comes by and by. Asking again changes nothing.

        ``name`` is an identity, such as ``ollama/nomic-embed-text``, or the name of an embedder that has one model only.

        Every owner is switched when nothing of theirs is missing; until then the old vectors answer, and they are kept.

        Raises:
            EmbedderUnusableError: It is not there, does not answer, or does not embed; nothing was changed.
        """
        try:
            embedder = self._embedders.present(name)
            dimensions = await embedder.dimensions()
            identity = embedder.identity  # Some know it only when they have read their model.
        except (ConfigurationError, UnavailableError, EmbeddingRefusedError) as error:
            raise EmbedderUnusableError(error.message) from error
        async with self._uow.system() as tx:
            await tx.settings.replace(PREFERRED, identity)
            for generation in await tx.generations.all(state="ready"):
                if generation.embedder == identity:
                    await queue_generation(tx, "build_generation", generation)  # Restored without its vectors, perhaps.
        for generation in await self._behind(identity):
            await self._begin(generation.owner_id, identity, dimensions)
        await self._stop_others()
        return await self.state()

    async def _behind(self, identity: str) -> list[Generation]:
        """Return the generations that answer by another model, and that nothing by this one is being built beside."""
        async with self._uow.system() as tx:
            generations = await tx.generations.all()
        begun = {found.owner_id for found in generations if found.state == "building" and found.embedder == identity}
        return [
            found for found in generations if found.state == "ready" and found.embedder != identity and found.owner_id not in begun
        ]

    async def _begin(self, owner_id: UUID, identity: str, dimensions: int) -> None:
        generation_id, collection = new_generation(owner_id)
        async with self._uow.of(owner_id) as tx:
            if await tx.settings.get(PREFERRED, hold=True) != identity:
                return  # Another change has overtaken this one.
            generation = await tx.generations.ensure(
                owner_id, identity, generation_id=generation_id, dimensions=dimensions, collection=collection, building=True
            )
            await queue_generation(tx, "build_generation", generation)

    async def _stop_others(self) -> None:
        """A change that another change overtakes is not finished: its generations are retired as they are."""
        async with self._uow.system() as tx:
            identity = await tx.settings.get(PREFERRED, hold=True)
            overtaken = [found for found in await tx.generations.all(state="building") if found.embedder != identity]
        for generation in overtaken:
            async with self._uow.of(generation.owner_id) as tx:
                await tx.generations.retire(generation.owner_id, generation.id)

    async def state(self) -> ReindexState:
        """Return how far the latest change is."""
        async with self._uow.system() as tx:
            identity = str(await tx.settings.get(PREFERRED))
            generations = await tx.generations.all()
            missing = await tx.generations.missing_chunks()
        ready = [found for found in generations if found.state == "ready"]
        return ReindexState(
            embedder=identity,
            owners=len(ready),
            switched=sum(found.embedder == identity for found in ready),
            chunks_missing=missing,
            retired=sum(found.state == "retired" for found in generations),
        )

    async def rebuild(self) -> int:
        """Queue the rebuilding of every collection from PostgreSQL, embedding nothing; return how many."""
        async with self._uow.system() as tx:
            generations = [found for found in await tx.generations.all() if found.state in {"ready", "building"}]
            for generation in generations:
                await queue_generation(tx, "rebuild_collection", generation)
        return len(generations)

    async def rebuilding(self) -> int:
        """Return how many collections wait for their rebuilding, or are being rebuilt."""
        async with self._uow.system() as tx:
            return await tx.jobs.queued("rebuild_collection")

    async def drop_old(self) -> int:
        """Remove the generations that do not answer any more, with their vectors and collections; return how many."""
        async with self._uow.system() as tx:
            retired = await tx.generations.all(state="retired")
        return sum([await self._drop(generation) for generation in retired])

    async def _drop(self, generation: Generation) -> bool:
        """Remove a generation unless somebody has begun to build it again; its collection goes now, or once the index is back."""
        owner_id = generation.owner_id
        async with self._uow.of(owner_id) as tx:
            await tx.generations.lock(owner_id)
            present = await tx.generations.get(owner_id, generation.id)
            if present is None or present.state != "retired":
                return False
            await tx.generations.remove(owner_id, generation.id)
        try:
            await self._index.drop(present.collection)
        except UnavailableError as error:
            log.warning("collection_left_behind", collection=present.collection, code=error.code)
            async with self._uow.of(owner_id) as tx:
                await queue_drop(tx, present)
        return True

    # --- jobs ---------------------------------------------------------------------------------------------------------
    async def build_generation(self, owner_id: UUID, generation_id: UUID) -> None:
        """Embed what a generation lacks, for a turn, and queue the next one; see ``GenerationBuilder.build``."""
        if await self._builder.build(owner_id, generation_id):
            return
        async with self._uow.of(owner_id) as tx:
            generation = await tx.generations.get(owner_id, generation_id)
            if generation is not None:
                await defer_generation(tx, "build_generation", generation)

    async def rebuild_collection(self, owner_id: UUID, generation_id: UUID) -> None:
        """Fill a new collection from PostgreSQL; see ``GenerationBuilder.rebuild``."""
        await self._builder.rebuild(owner_id, generation_id)

    async def drop_collection(self, collection: str) -> None:
        """Remove a collection that is not used any more; see ``GenerationBuilder.drop``."""
        await self._builder.drop(collection)

    async def verify_index(self, *, seconds: float | None = None) -> bool:
        """Look whether the index has lost something; see ``GenerationBuilder.verify_all``."""
        return await self._builder.verify_all(seconds=seconds)

    async def resume(self) -> None:
        """Queue what has no job: generations that are not complete, and collections that too much was deleted from.

        A change of the model that was cut short before it had reached every owner reaches the others now.
        """
        await self._go_on_changing()
        async with self._uow.system() as tx:
            for generation in await tx.generations.all(state="building"):
                await queue_generation(tx, "build_generation", generation)
            for generation in await tx.generations.worn():
                await queue_generation(tx, "rebuild_collection", generation)

    async def _go_on_changing(self) -> None:
        async with self._uow.system() as tx:
            identity = str(await tx.settings.get(PREFERRED))
        behind = await self._behind(identity)
        if not behind:
            return
        try:
            dimensions = await self._embedders.named(identity).dimensions()
        except (UnavailableError, EmbeddingRefusedError, ConfigurationError) as error:
            log.warning("embedding_model_not_changed", code=error.code, embedder=identity, owners=len(behind))
            return
        for generation in behind:
            await self._begin(generation.owner_id, identity, dimensions)
        await self._stop_others()
