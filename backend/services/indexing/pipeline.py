"""Parse, split, embed, store. Again from any point, it gives the same result."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

import structlog

from backend.core.clock import now
from backend.core.errors import ParsingError, UnavailableError, VectorIndexBrokenError
from backend.core.ids import new_id
from backend.core.values.document import Chunk, Document
from backend.db.repositories.generations import Generation
from backend.db.uow import UnitOfWork
from backend.ports.blob_store import BlobStore
from backend.ports.document_parser import DocumentParser, ParsedDocument
from backend.ports.embedder import Embedder, Vectors
from backend.ports.vector_index import VectorIndex
from backend.rag.normalising import search_text
from backend.rag.similarity import from_bytes, to_bytes
from backend.rag.splitting import split
from backend.services.indexing.forgetting import forget

log = structlog.get_logger(__name__)

UPSERT_BATCH = 256


class DocumentGoneError(Exception):
    """The document was deleted while it was being indexed: there is nothing left to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one attempt has to store: all chunks, and which of them an earlier attempt has not stored yet."""

    generation: Generation
    chunks: Sequence[Chunk]
    missing: Sequence[Chunk]


class IndexingPipeline:
    """Makes a document searchable. What an earlier attempt has stored is kept and not embedded again."""

    def __init__(
        self, uow: UnitOfWork, blobs: BlobStore, parser: DocumentParser, embedder: Embedder, index: VectorIndex, *, language: str
    ) -> None:
        self._uow = uow
        self._blobs = blobs
        self._parser = parser
        self._embedder = embedder
        self._index = index
        self._language = language

    async def run(self, document: Document) -> None:
        """Take a document that is being processed to ``ready``.

        Raises:
            ParsingError: It cannot be read, or has no text.
            EmbeddingRefusedError: The embedding model does not take a part of its text.
            BlobNotFoundError: The stored file is missing.
            UnavailableError: The embedding model, the database or the blob store is down. The vector index may be.
            DocumentGoneError: It was deleted meanwhile.
        """
        parsed = await self._parser.parse(self._blobs.open(document.blob_key), document.media_type)
        chunks = await asyncio.to_thread(self._split, document, parsed)
        if not chunks:
            raise ParsingError("The file has no text.", code="document_without_text")
        dimensions = await self._embedder.dimensions()
        plan = await self._plan(document, parsed, chunks, dimensions)
        await self._embed(document, plan)
        await self._finish(document, plan, pages=len(parsed.pages) or None)

    def _split(self, document: Document, parsed: ParsedDocument) -> list[Chunk]:
        """Chunks have ids that follow from what they are, so that a second attempt finds what the first one stored."""
        return [
            replace(chunk, id=uuid5(document.id, f"{chunk.ordinal}:{chunk.start}:{chunk.end}:{_digest(chunk.text)}"))
            for chunk in split(parsed, max_characters=self._embedder.max_characters)
        ]

    async def _plan(self, document: Document, parsed: ParsedDocument, chunks: Sequence[Chunk], dimensions: int) -> Plan:
        owner_id = document.owner_id
        async with self._uow.of(owner_id) as tx:
            generation_id = new_id()
            generation = await tx.generations.ensure(
                owner_id,
                self._embedder.identity,
                generation_id=generation_id,
                dimensions=dimensions,
                collection=_collection(owner_id, generation_id),
            )
            stored = await tx.chunks.ids_of(owner_id, document.id)
            outdated = stored - {chunk.id for chunk in chunks}
            if outdated:
                await tx.chunks.delete(owner_id, document.id, list(outdated))
            embedded, _ = await tx.vectors.of_document(owner_id, generation.id, document.id, unindexed_only=False)
            done = stored & set(embedded)
            await tx.texts.put(owner_id, document.id, text=parsed.text, pages=parsed.pages)
            updated = await tx.documents.update(
                owner_id, document.id, progress_total=len(chunks), progress_done=len(done), pages=len(parsed.pages) or None
            )
        if updated is None:
            raise DocumentGoneError
        await forget(self._index, [generation.collection], list(outdated))
        return Plan(generation, chunks, [chunk for chunk in chunks if chunk.id not in done])

    async def _embed(self, document: Document, plan: Plan) -> None:
        """Embed and store batch by batch; the index takes a batch while the next one is embedded."""
        upsert: asyncio.Task[None] | None = None
        done = len(plan.chunks) - len(plan.missing)
        size = max(1, self._embedder.batch_size)
        try:
            for begin in range(0, len(plan.missing), size):
                batch = plan.missing[begin : begin + size]
                vectors = await self._embedder.embed_documents([_embedded_text(document, chunk) for chunk in batch])
                done += len(batch)
                await self._store(document, plan.generation, batch, vectors, done)
                if upsert is not None:
                    await upsert
                upsert = asyncio.create_task(self._offer(document.owner_id, plan.generation, [c.id for c in batch], vectors))
            if upsert is not None:
                await upsert
        finally:
            if upsert is not None and not upsert.done():
                upsert.cancel()
                await asyncio.wait([upsert])

    async def _store(self, document: Document, generation: Generation, batch: Sequence[Chunk], vectors: Vectors, done: int) -> None:
        owner_id = document.owner_id
        searchable = [search_text(f"{chunk.heading or ''} {chunk.text}") for chunk in batch]
        packed = to_bytes(vectors)
        async with self._uow.of(owner_id) as tx:
            if await tx.documents.update(owner_id, document.id, progress_done=done) is None:
                raise DocumentGoneError
            await tx.chunks.store(owner_id, document.id, batch, searchable, language=self._language)
            await tx.vectors.store(owner_id, generation.id, [chunk.id for chunk in batch], packed)

    async def _offer(self, owner_id: UUID, generation: Generation, ids: Sequence[UUID], vectors: Vectors) -> None:
        """Give vectors to the index. If it is away, exact search covers them until ``confirm`` is run again."""
        try:
            await self._index.upsert(generation.collection, ids, vectors)
        except (UnavailableError, VectorIndexBrokenError) as error:
            log.warning("vector_index_passed_over", code=error.code, vectors=len(ids))
            return
        async with self._uow.of(owner_id) as tx:
            await tx.vectors.confirm(owner_id, generation.id, ids)

    async def _finish(self, document: Document, plan: Plan, *, pages: int | None) -> None:
        """Make the document searchable: its lexemes are counted in the same transaction, so they are counted once."""
        owner_id = document.owner_id
        async with self._uow.of(owner_id) as tx:
            if not await tx.documents.lock(owner_id, document.id, status="processing"):
                raise DocumentGoneError
            await tx.lexicon.add_document(owner_id, document.id)
            await tx.documents.update(
                owner_id,
                document.id,
                status="ready",
                ready_at=now(),
                chunks=len(plan.chunks),
                pages=pages,
                progress_done=len(plan.chunks),
                error_code=None,
                error_message=None,
            )
        log.info("document_ready", document_id=str(document.id), chunks=len(plan.chunks))

    async def confirm(self, owner_id: UUID, document_id: UUID) -> None:
        """Give the index those vectors of a document that it has not confirmed, from PostgreSQL, without embedding again."""
        async with self._uow.of(owner_id) as tx:
            generation = await tx.generations.get(owner_id, self._embedder.identity)
            if generation is None:
                return
            ids, blobs = await tx.vectors.of_document(owner_id, generation.id, document_id, unindexed_only=True)
        for begin in range(0, len(ids), UPSERT_BATCH):
            part = slice(begin, begin + UPSERT_BATCH)
            await self._offer(owner_id, generation, ids[part], from_bytes(blobs[part], generation.dimensions))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _embedded_text(document: Document, chunk: Chunk) -> str:
    """A chunk is embedded with what it stands under: a paragraph alone often does not name its subject."""
    return f"{chunk.heading}\n{chunk.text}" if chunk.heading else chunk.text


def _collection(owner_id: UUID, generation_id: UUID) -> str:
    """Derived from the owner's id here, and never accepted from a client."""
    return f"docent-{owner_id.hex}-{generation_id.hex[-12:]}"
