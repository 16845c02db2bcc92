"""Mending: what was found is made right, by jobs where jobs do such work."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import structlog

from backend.core.errors import VectorIndexBrokenError
from backend.core.values.chat import ANSWER_LEASE
from backend.core.values.defect import KINDS, Defect, DefectKind
from backend.db.repositories.generations import Generation
from backend.db.uow import UnitOfWork
from backend.ports.blob_store import BlobStore
from backend.ports.vector_index import VectorIndex
from backend.services.consistency.rereading import Rereader
from backend.services.consistency.vectors import is_whole
from backend.services.embedders import Embedders, new_generation
from backend.services.indexing.forgetting import forget
from backend.services.indexing.generations import GenerationBuilder, queue_generation
from backend.services.indexing.offering import UPSERT_BATCH
from backend.services.indexing.pipeline import IndexingPipeline
from backend.services.indexing.purging import queue_tidying

log = structlog.get_logger(__name__)


class Mender:
    """Mends defects, one at a time. Each step looks again before it removes anything, and may be run again at any time."""

    def __init__(
        self,
        uow: UnitOfWork,
        blobs: BlobStore,
        index: VectorIndex,
        embedders: Embedders,
        *,
        builder: GenerationBuilder,
        pipeline: IndexingPipeline,
        rereader: Rereader,
    ) -> None:
        self._uow = uow
        self._blobs = blobs
        self._index = index
        self._embedders = embedders
        self._builder = builder
        self._pipeline = pipeline
        self._rereader = rereader
        self._ways: dict[DefectKind, Callable[[Defect], Awaitable[None]]] = {
            "vector_damaged": self._embed_anew,
            "embeddings_missing": self._embed,
            "collection_broken": self._rebuild,
            "collection_missing": self._rebuild,
            "collection_orphan": self._drop,
            "vectors_missing": self._align,
            "vectors_extra": self._align,
            "vectors_foreign": self._align,
            "vectors_wrong": self._align,
            "text_missing": rereader.read_again,
            "chunks_incomplete": rereader.read_again,
            "chunk_text_mismatch": rereader.read_again,
            "chunks_dead": self._tidy,
            "file_missing": rereader.lose_file,
            "file_damaged": rereader.lose_file,
            "file_orphan": self._remove_file,
            "document_stuck": self._queue,
            "answer_stuck": self._end_answers,
            "account_left": self._purge_account,
            "lexicon_wrong": self._recount,
        }

    async def mend(self, defects: Sequence[Defect]) -> None:
        """Mend what can be mended, what others are made of first.

        Raises:
            UnavailableError: A part of the system is away. What is mended by then stays so.
        """
        for defect in sorted(defects, key=lambda found: KINDS.index(found.kind)):
            if defect.repairable:
                await self._ways[defect.kind](defect)
                log.info("defect_mended", kind=defect.kind, subject=defect.subject)

    # --- vectors ------------------------------------------------------------------------------------------------------
    async def _embed_anew(self, defect: Defect) -> None:
        generation = await self._generation(defect)
        if generation is None:
            return
        owner_id, ids = generation.owner_id, [one for one in defect.ids if isinstance(one, UUID)]
        async with self._uow.of(owner_id) as tx:
            stored = await tx.stored.vectors_of(owner_id, generation.id, ids)
            damaged = [one for one, vector in stored.items() if not is_whole(vector, generation.dimensions)]
            await tx.stored.remove_vectors(owner_id, generation.id, damaged)
            if generation.state in {"ready", "building"}:
                await queue_generation(tx, "build_generation", generation)
        # Whatever the index made of them: passages that nobody needs are not embedded again.
        await forget(self._index, [generation.collection], damaged)

    async def _embed(self, defect: Defect) -> None:
        owner_id = _owner(defect)
        async with self._uow.of(owner_id) as tx:
            embedder, generation = await self._embedders.of_owner(tx, owner_id)
        if generation is None:
            dimensions = await embedder.dimensions()
            generation_id, collection = new_generation(owner_id)
            async with self._uow.of(owner_id) as tx:
                generation = await tx.generations.ensure(
                    owner_id, embedder.identity, generation_id=generation_id, dimensions=dimensions, collection=collection
                )
        async with self._uow.of(owner_id) as tx:
            await queue_generation(tx, "build_generation", generation)

    async def _rebuild(self, defect: Defect) -> None:
        generation = await self._generation(defect)
        if generation is not None:
            await self._builder.give_up(generation)

    async def _drop(self, defect: Defect) -> None:
        await self._builder.drop(defect.subject)

    async def _align(self, defect: Defect) -> None:
        """Let the index have what PostgreSQL has of these vectors, and nothing else."""
        generation = await self._generation(defect)
        ids = [one for one in defect.ids if isinstance(one, UUID)]
        if generation is None:
            return
        if len(ids) < len(defect.ids) or not defect.all_named:
            return await self._builder.give_up(generation)
        for begin in range(0, len(ids), UPSERT_BATCH):
            try:
                await self._align_batch(generation, ids[begin : begin + UPSERT_BATCH])
            except VectorIndexBrokenError:
                return await self._builder.give_up(generation)

    async def _align_batch(self, generation: Generation, ids: Sequence[UUID]) -> None:
        async with self._uow.of(generation.owner_id) as tx:
            stored = await tx.stored.vectors_of(generation.owner_id, generation.id, ids)
        await self._index.delete(generation.collection, [one for one in ids if one not in stored])
        # Read again: a document that is being indexed may have brought one of them back just now.
        async with self._uow.of(generation.owner_id) as tx:
            stored = await tx.stored.vectors_of(generation.owner_id, generation.id, ids)
        whole = {one: vector for one, vector in stored.items() if is_whole(vector, generation.dimensions)}
        await self._pipeline.offer(generation, list(whole), list(whole.values()))

    async def _generation(self, defect: Defect) -> Generation | None:
        """Return the generation of the collection, unless it has moved to another one, or is gone."""
        owner_id = _owner(defect)
        async with self._uow.of(owner_id) as tx:
            generations = await tx.generations.of_owner(owner_id)
        return next((found for found in generations if found.collection == defect.subject), None)

    # --- rows and files -----------------------------------------------------------------------------------------------
    async def _tidy(self, defect: Defect) -> None:
        owner_id, document_id = _owner(defect), UUID(defect.subject)
        async with self._uow.of(owner_id) as tx:
            await queue_tidying(tx, owner_id, document_id)

    async def _queue(self, defect: Defect) -> None:
        owner_id, document_id = _owner(defect), UUID(defect.subject)
        async with self._uow.of(owner_id) as tx:
            task = "purge_document" if await tx.documents.deleted(owner_id, document_id) else "index_document"
            await tx.jobs.defer(task, lock=str(document_id), owner_id=owner_id, document_id=document_id)

    async def _remove_file(self, defect: Defect) -> None:
        async with self._uow.system() as tx:
            if await tx.stored.named_files([defect.subject]):
                return
        await self._blobs.delete(defect.subject)

    async def _end_answers(self, _: Defect) -> None:
        async with self._uow.system() as tx:
            await tx.messages.end_abandoned(silent_for=ANSWER_LEASE)

    async def _purge_account(self, defect: Defect) -> None:
        owner_id = _owner(defect)
        async with self._uow.system() as tx:
            await tx.jobs.defer("purge_account", lock=str(owner_id), owner_id=owner_id)

    async def _recount(self, defect: Defect) -> None:
        owner_id = _owner(defect)
        async with self._uow.of(owner_id) as tx:
            # Whatever makes a document live, or ends its life, holds the generations before it counts.
            await tx.generations.lock(owner_id)
            await tx.consistency.recount(owner_id)


def _owner(defect: Defect) -> UUID:
    if defect.owner_id is None:
        message = f"{defect.kind} is somebody's"
        raise ValueError(message)
    return defect.owner_id
