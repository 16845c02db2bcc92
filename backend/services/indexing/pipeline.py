"""Parse, split, embed, store. Again from any point, it gives the same result."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog

from backend.core.clock import now
from backend.core.errors import ParsingError
from backend.core.failpoints import reach
from backend.core.values.document import Chunk, Document
from backend.db.repositories.generations import Generation
from backend.db.uow import Transaction, UnitOfWork
from backend.ports.blob_store import BlobStore
from backend.ports.document_parser import DocumentParser, ParsedDocument
from backend.ports.embedder import Embedder
from backend.ports.language_detector import LanguageDetector
from backend.ports.vector_index import VectorIndex
from backend.rag.coverage import coverage
from backend.rag.languages import configuration
from backend.services.embedders import PREFERRED, Embedders, new_generation
from backend.services.indexing.batches import embed_all
from backend.services.indexing.chunks import chunks_of, searched_text
from backend.services.indexing.forgetting import forget
from backend.services.indexing.offering import UPSERT_BATCH, offer
from backend.services.indexing.purging import queue_tidying
from backend.services.indexing.stages import stage

log = structlog.get_logger(__name__)

CONFIRMED_AFTER = timedelta(seconds=3)
"""When the index is offered again what it did not take: it may just be starting."""


class DocumentGoneError(Exception):
    """The document was deleted, cancelled or replaced while it was being indexed: there is nothing left to do."""


class GenerationSwitchedError(Exception):
    """Another embedding model took over while the document was being indexed: it has to be embedded with that one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one attempt has to store: all chunks, and which an earlier attempt has not stored yet; in what language."""

    generation: Generation
    embedder: Embedder
    language: str | None
    searched_as: str
    chunks: Sequence[Chunk]
    missing: Sequence[Chunk]


class IndexingPipeline:
    """Makes a document searchable. What an earlier attempt has stored is kept and not embedded again."""

    def __init__(
        self,
        uow: UnitOfWork,
        blobs: BlobStore,
        parser: DocumentParser,
        embedders: Embedders,
        index: VectorIndex,
        *,
        languages: LanguageDetector,
    ) -> None:
        self._uow = uow
        self._blobs = blobs
        self._parser = parser
        self._embedders = embedders
        self._index = index
        self._languages = languages

    async def run(self, document: Document) -> None:
        """Take a document that is being processed to ``ready``.

        Raises:
            ParsingError: It cannot be read, or has no text.
            EmbeddingRefusedError: The embedding model takes no text at all.
            BlobNotFoundError: The stored file is missing.
            UnavailableError: The embedding model, the database or the blob store is down. The vector index may be.
            DocumentGoneError: It was deleted, cancelled or replaced meanwhile.
            GenerationSwitchedError: Begin again: the embedding model was changed meanwhile.
        """
        await reach("index.started")
        async with self._uow.of(document.owner_id) as tx:
            embedder, generation = await self._embedders.of_owner(tx, document.owner_id)
        with stage("reading"):
            parsed = await self._parser.parse(self._blobs.open(document.blob_key), document.media_type)
        await reach("index.parsed")
        chunks = await asyncio.to_thread(chunks_of, document, parsed, embedder.max_characters)
        if not chunks:
            raise ParsingError("There is no text in this file. Upload one that has text.", code="document_without_text")
        if generation is None:
            generation = await self._first_generation(document.owner_id, embedder)
        plan = await self._plan(document, parsed, chunks, generation)
        await reach("index.planned")
        taken = await self._embed(document, plan)
        await reach("index.finishing")
        await self._finish(document, plan, parsed, taken=taken)
        await reach("index.ready")

    async def _first_generation(self, owner_id: UUID, embedder: Embedder) -> Generation:
        dimensions = await embedder.dimensions()
        generation_id, collection = new_generation(owner_id)
        async with self._uow.of(owner_id) as tx:
            # Held until the commit: a change of the model either finds this generation, or is found here.
            if await tx.settings.get(PREFERRED, hold=True) != embedder.identity:
                raise GenerationSwitchedError
            return await tx.generations.ensure(
                owner_id, embedder.identity, generation_id=generation_id, dimensions=dimensions, collection=collection
            )

    async def _plan(self, document: Document, parsed: ParsedDocument, chunks: Sequence[Chunk], generation: Generation) -> Plan:
        owner_id = document.owner_id
        async with self._uow.of(owner_id) as tx:
            stored = await tx.chunks.ids_of(owner_id, document.id, version=document.version)
            embedded = set(await tx.vectors.embedded(owner_id, generation.id, document.id))
            collections = {found.collection for found in await tx.generations.of_owner(owner_id)}
        outdated = stored - {chunk.id for chunk in chunks}
        # Vectors go before their chunks: what is left after a crash is then still known by its chunks.
        await forget(self._index, sorted(collections), list(outdated))
        done = stored & embedded - outdated
        async with self._uow.of(owner_id) as tx:
            if not await self._goes_on(tx, document, stage="embedding", progress_total=len(chunks), progress_done=len(done)):
                raise DocumentGoneError
            moved = {found.collection for found in await tx.generations.of_owner(owner_id, hold=True)} - collections
            await tx.chunks.delete(owner_id, document.id, list(outdated))
            await tx.texts.put(owner_id, document.id, document.version, text=parsed.text, pages=parsed.pages)
        await forget(self._index, sorted(moved), list(outdated))  # Rebuilt meanwhile, and with these vectors.
        missing = [chunk for chunk in chunks if chunk.id not in done]
        language = await self._languages.detect(parsed.text)
        embedder, searched_as = self._embedders.named(generation.embedder), configuration(language, parsed.text)
        return Plan(generation, embedder, language, searched_as, chunks, missing)

    async def _goes_on(self, tx: Transaction, document: Document, **values: object) -> bool:
        """Change a document that is still being processed, in this version; return whether it is."""
        if not await tx.documents.lock(document.owner_id, document.id, status="processing", version=document.version):
            return False
        return await tx.documents.update(document.owner_id, document.id, **values) is not None

    async def _embed(self, document: Document, plan: Plan) -> bool:
        """Embed and store batch by batch, beside the index; return whether it took all."""
        before = len(plan.chunks) - len(plan.missing)

        async def store(batch: Sequence[Chunk], vectors: Sequence[bytes | None], done: int) -> None:
            await self._store(document, plan, batch, vectors, done=before + done)

        taken = await embed_all(plan.missing, plan.embedder, store=store, offer=partial(self.offer, plan.generation))
        return taken and not before  # Nobody knows how much it got of what an earlier attempt had stored.

    async def _store(
        self, document: Document, plan: Plan, batch: Sequence[Chunk], vectors: Sequence[bytes | None], *, done: int
    ) -> None:
        owner_id = document.owner_id
        searchable = [searched_text(chunk.heading, chunk.text) for chunk in batch]
        async with self._uow.of(owner_id) as tx:
            # Progress tells an unlucky document from one that kills its process: the attempts count from here again.
            if not await self._goes_on(tx, document, progress_done=done, attempts=1):
                raise DocumentGoneError
            if not await tx.generations.hold(owner_id, plan.generation.id):
                raise GenerationSwitchedError
            await tx.chunks.store(owner_id, document.id, document.version, batch, searchable, language=plan.searched_as)
            await tx.vectors.store(owner_id, plan.generation.id, [chunk.id for chunk in batch], vectors)

    async def offer(self, generation: Generation, ids: Sequence[UUID], vectors: Sequence[bytes | None]) -> bool:
        """Give vectors to the index; see ``offering.offer``."""
        return await offer(self._uow, self._index, generation, ids, vectors)

    async def _finish(self, document: Document, plan: Plan, parsed: ParsedDocument, *, taken: bool) -> None:
        """Make the document's version live: its lexemes are counted in the same transaction, so they are counted once."""
        owner_id = document.owner_id
        async with self._uow.of(owner_id) as tx:
            embedded = await tx.vectors.embedded(owner_id, plan.generation.id, document.id)
        spans = [(chunk.start, chunk.end) for chunk in plan.chunks if embedded.get(chunk.id)]
        extracted, covered = await asyncio.to_thread(coverage, parsed.text, spans)
        async with self._uow.of(owner_id) as tx:
            if not await tx.documents.lock(owner_id, document.id, status="processing", version=document.version):
                raise DocumentGoneError
            # Held until the commit, so no other model takes over between this look and the document's appearance.
            if not await tx.generations.hold(owner_id, plan.generation.id):
                raise GenerationSwitchedError
            if document.live_version is not None:
                await tx.lexicon.remove_document(owner_id, document.id, document.live_version)
                await queue_tidying(tx, document.owner_id, document.id)
            if not taken:
                at = now() + CONFIRMED_AFTER
                await tx.jobs.defer("confirm_vectors", lock=str(document.id), at=at, owner_id=owner_id, document_id=document.id)
            await tx.lexicon.add_document(owner_id, document.id, document.version)
            await tx.documents.update(
                owner_id,
                document.id,
                status="ready",
                stage=None,
                live_version=document.version,
                ready_at=now(),
                chunks=len(plan.chunks),
                pages=len(parsed.pages) or None,
                language=plan.language,
                notes=list(parsed.notes),
                tokens_extracted=extracted,
                tokens_embedded=covered,
                progress_done=len(plan.chunks),
                error_code=None,
                error_message=None,
            )
        log.info("document_ready", document_id=str(document.id), chunks=len(plan.chunks), version=document.version)

    async def confirm(self, owner_id: UUID, document_id: UUID) -> None:
        """Give the index what it lacks of a document's vectors: after it was away while the document was indexed."""
        async with self._uow.of(owner_id) as tx:
            generations = [found for found in await tx.generations.of_owner(owner_id) if found.state in {"building", "ready"}]
            lacking = [
                (generation, *await tx.vectors.of_document(owner_id, generation.id, document_id, unindexed_only=True))
                for generation in generations
            ]
        for generation, ids, vectors in lacking:
            for begin in range(0, len(ids), UPSERT_BATCH):
                part = slice(begin, begin + UPSERT_BATCH)
                if not await self.offer(generation, ids[part], vectors[part]):
                    return  # It is away. The clock offers them again.
