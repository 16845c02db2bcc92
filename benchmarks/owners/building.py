"""Owners with passages, written in bulk."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from uuid import UUID, uuid4

import numpy as np

from backend.adapters.embedders.hashing import HashingEmbedder
from backend.adapters.vector_indexes.chroma import ChromaVectorIndex
from backend.bootstrap.application import open_application
from backend.bootstrap.servers import open_addresses
from backend.core.clock import now
from backend.core.config import Settings
from backend.core.ids import new_id
from backend.core.values.document import Chunk
from backend.db.engine import make_engine
from backend.db.uow import UnitOfWork
from backend.ports.embedder import Embedder, Vectors
from backend.rag.normalising import search_text
from backend.rag.similarity import to_bytes
from backend.services.embedders import new_generation

AT_ONCE = 4
POOL = 3000
"""So many passages are made up and embedded. Each owner has others of them."""
WORDS = 8000
PASSAGE_WORDS = 90
STORED_AT_ONCE = 500
NO_PASSWORD = "-"  # noqa: S105 - nobody signs in


@dataclass(frozen=True, slots=True)
class Pool:
    """Passages with their vectors, and what made these."""

    embedder: Embedder
    texts: Sequence[str]
    searched: Sequence[str]
    vectors: Vectors
    packed: Sequence[bytes]


def passages() -> list[str]:
    """Make up passages. The frequency of their words is that of a language: few are frequent."""
    random = np.random.default_rng(7)
    words = ["".join(random.choice(list("aeioulnrstmdkpbg"), random.integers(3, 11))) for _ in range(WORDS)]
    chosen = np.minimum(random.zipf(1.3, (POOL, PASSAGE_WORDS)), WORDS) - 1
    return [" ".join(words[place] for place in row) for row in chosen]


async def pool(embedder: Embedder) -> Pool:
    """Embed them."""
    texts = passages()
    vectors = await embedder.embed_documents(texts)
    return Pool(embedder, texts, [search_text(text) for text in texts], vectors, to_bytes(vectors))


async def build(settings: Settings, sizes: Sequence[int], embedder: Embedder | None = None) -> None:
    """Write one owner for each size, with so many passages, beside those that are there."""
    embedder = embedder or HashingEmbedder()
    async with open_application(settings):
        pass  # Migrated, and with its choice of an embedder.
    made, begun = await pool(embedder), perf_counter()
    async with open_addresses(settings) as at:
        uow, index = UnitOfWork(make_engine(at.app_url, pool_size=AT_ONCE)), ChromaVectorIndex(at.chroma_url)
        waiting = iter(enumerate(sizes, start=1))

        async def line() -> None:
            for number, size in waiting:
                await _owner(uow, index, made, size, np.random.default_rng(number))
                if number % 100 == 0:
                    print(f"{number} owners, {perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)

        await asyncio.gather(*(line() for _ in range(AT_ONCE)))
        await index.aclose()
        await uow.aclose()


async def _owner(uow: UnitOfWork, index: ChromaVectorIndex, made: Pool, size: int, random: np.random.Generator) -> UUID:
    owner_id, document_id, name = new_id(), new_id(), f"owner-{uuid4().hex[:20]}"
    async with uow.system() as tx:
        await tx.users.add(
            user_id=owner_id, username=name, email=f"{name}@localhost.invalid", full_name=None, password_hash=NO_PASSWORD
        )
    rows = random.integers(0, POOL, size).tolist()
    chunks, position = [], 0
    for ordinal, row in enumerate(rows):
        text = made.texts[row]
        chunks.append(Chunk(new_id(), ordinal, None, None, position, position + len(text), text))
        position += len(text) + 1
    generation_id, collection = new_generation(owner_id)
    async with uow.of(owner_id) as tx:
        await tx.documents.add(
            owner_id,
            id=document_id,
            title="Notes",
            filename="notes.txt",
            media_type="text/plain",
            size=position,
            sha256=uuid4().hex * 2,
            blob_key=str(document_id),
        )
        await tx.texts.put(owner_id, document_id, 1, text="\n".join(chunk.text for chunk in chunks), pages=())
        generation = await tx.generations.ensure(
            owner_id, made.embedder.identity, generation_id=generation_id, dimensions=made.vectors.shape[1], collection=collection
        )
        for begin in range(0, size, STORED_AT_ONCE):
            part, places = chunks[begin : begin + STORED_AT_ONCE], rows[begin : begin + STORED_AT_ONCE]
            searched = [made.searched[row] for row in places]
            await tx.chunks.store(owner_id, document_id, 1, part, searched, language="english")
            await tx.vectors.store(owner_id, generation.id, [chunk.id for chunk in part], [made.packed[row] for row in places])
        await tx.lexicon.add_document(owner_id, document_id, 1)
        await tx.documents.update(
            owner_id, document_id, status="ready", live_version=1, ready_at=now(), chunks=size, progress_total=size
        )
    ids = [chunk.id for chunk in chunks]
    await index.upsert(collection, ids, made.vectors[rows])
    async with uow.of(owner_id) as tx:
        await tx.vectors.confirm(owner_id, generation.id, ids, collection=collection)
    return owner_id
