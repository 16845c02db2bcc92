"""Parts that fail at one chosen call of one trial, in one chosen way, and otherwise do what the real ones do.

Every trial is a task with a context of its own, so many of them share the parts, the database and the servers.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from backend.adapters.blob_stores.object_store import ObjectBlobStore
from backend.adapters.embedders.hashing import HashingEmbedder
from backend.adapters.vector_indexes.chroma import ChromaVectorIndex
from backend.core.errors import (
    BlobNotFoundError,
    BlobStoreUnavailableError,
    DatabaseUnavailableError,
    DocumentTypeError,
    EmbedderUnavailableError,
    EmbeddingRefusedError,
    ParsingError,
    StorageFullError,
    VectorIndexBrokenError,
    VectorIndexUnavailableError,
)
from backend.db.uow import Transaction, UnitOfWork
from backend.ports.blob_store import StoredBlob
from backend.ports.document_parser import ParsedDocument
from backend.ports.embedder import Vectors
from tests.support.parts import PlainTextParser

LATE = "late "
"""Before a kind: it strikes when the call has had its effect, and only the answer is lost."""


class DefectError(RuntimeError):
    """What no port documents."""


Kinds = Mapping[str, Callable[[], BaseException]]
DEFECT: Kinds = {"defect": DefectError, "cancelled": asyncio.CancelledError}
EMBEDDING: Kinds = {"unavailable": EmbedderUnavailableError, "refused": EmbeddingRefusedError, **DEFECT}
INDEX: Kinds = {
    "unavailable": VectorIndexUnavailableError,
    f"{LATE}unavailable": VectorIndexUnavailableError,
    "broken": VectorIndexBrokenError,
    **DEFECT,
    f"{LATE}cancelled": asyncio.CancelledError,
}
KINDS: Mapping[str, Kinds] = {
    "blobs.put": {"unavailable": BlobStoreUnavailableError, "full": StorageFullError, **DEFECT},
    "blobs.open": {"unavailable": BlobStoreUnavailableError, "missing": BlobNotFoundError, **DEFECT},
    "blobs.read": {"unavailable": BlobStoreUnavailableError, **DEFECT},
    "blobs.delete": {
        "unavailable": BlobStoreUnavailableError,
        f"{LATE}unavailable": BlobStoreUnavailableError,
        **DEFECT,
    },
    "parser.media_type": {"refused": DocumentTypeError, "defect": DefectError},
    "parser.parse": {"refused": ParsingError, **DEFECT},
    "embedder.dimensions": EMBEDDING,
    "embedder.embed_documents": EMBEDDING,
    "index.upsert": INDEX,
    "index.delete": INDEX,
    "index.drop": {"unavailable": VectorIndexUnavailableError, f"{LATE}unavailable": VectorIndexUnavailableError, **DEFECT},
    "index.count": {"unavailable": VectorIndexUnavailableError, "broken": VectorIndexBrokenError, **DEFECT},
    "transaction.begin": {"unavailable": DatabaseUnavailableError},
    "transaction.commit": {
        f"{LATE}unavailable": DatabaseUnavailableError,
        "full": StorageFullError,
        **DEFECT,
        f"{LATE}cancelled": asyncio.CancelledError,
    },
}


@dataclass(slots=True)
class Trial:
    """One run of a flow. It counts its calls, and the ``nth`` one of ``call`` fails in this way; none, if ``call`` is empty."""

    call: str = ""
    nth: int = 0
    kind: str = ""
    struck: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    blob_keys: list[str] = field(default_factory=list)
    task: asyncio.Task[Any] | None = None
    """What a shutdown would cancel."""

    def __str__(self) -> str:
        return f"{self.call} #{self.nth} {self.kind}"

    def strikes(self, call: str) -> bool:
        """Count a call, and return whether it is the one."""
        self.counts[call] += 1
        if call != self.call or self.counts[call] != self.nth:
            return False
        self.struck = True
        return True

    async def strike(self) -> None:
        """Fail, as it was chosen. What is cancelled is the task, wherever in it or below it the call is made."""
        error = KINDS[self.call][self.kind]()
        if isinstance(error, asyncio.CancelledError):
            assert self.task is not None
            self.task.cancel()
            await asyncio.sleep(60)
        raise error


running: ContextVar[Trial | None] = ContextVar("running", default=None)


@asynccontextmanager
async def interfering(call: str) -> AsyncIterator[None]:
    """Strike before or after the block, if this is the call of the trial that is running."""
    trial = running.get()
    now = trial is not None and trial.strikes(call)
    if trial is not None and now and not trial.kind.startswith(LATE):
        await trial.strike()
    yield
    if trial is not None and now:
        await trial.strike()


class InterferedBlobStore(ObjectBlobStore):
    """A blob store that may fail."""

    async def put(self, pieces: AsyncIterator[bytes]) -> StoredBlob:
        """See ``BlobStore.put``."""
        async with interfering("blobs.put"):
            stored = await super().put(pieces)
        if trial := running.get():
            trial.blob_keys.append(stored.key)
        return stored

    async def open(self, key: str) -> AsyncIterator[bytes]:
        """See ``BlobStore.open``."""
        async with interfering("blobs.open"):
            pieces = super().open(key)
        async for piece in pieces:
            yield piece
        async with interfering("blobs.read"):
            pass

    async def delete(self, key: str) -> None:
        """See ``BlobStore.delete``."""
        async with interfering("blobs.delete"):
            await super().delete(key)


class InterferedParser(PlainTextParser):
    """A parser that may fail."""

    def media_type(self, filename: str, head: bytes) -> str:
        """See ``DocumentParser.media_type``."""
        trial = running.get()
        if trial is not None and trial.strikes("parser.media_type"):
            raise KINDS["parser.media_type"][trial.kind]()
        return super().media_type(filename, head)

    async def parse(self, pieces: AsyncIterator[bytes], media_type: str) -> ParsedDocument:
        """See ``DocumentParser.parse``."""
        async with interfering("parser.parse"):
            return await super().parse(pieces, media_type)


class InterferedEmbedder(HashingEmbedder):
    """An embedder of small batches that may fail."""

    batch_size = 4

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """See ``Embedder.embed_documents``."""
        async with interfering("embedder.embed_documents"):
            return await super().embed_documents(texts)

    async def dimensions(self) -> int:
        """See ``Embedder.dimensions``."""
        async with interfering("embedder.dimensions"):
            return await super().dimensions()


class InterferedIndex(ChromaVectorIndex):
    """A vector index that may fail."""

    async def upsert(self, collection: str, ids: Sequence[UUID], vectors: Vectors) -> None:
        """See ``VectorIndex.upsert``."""
        async with interfering("index.upsert"):
            await super().upsert(collection, ids, vectors)

    async def delete(self, collection: str, ids: Sequence[UUID]) -> None:
        """See ``VectorIndex.delete``."""
        async with interfering("index.delete"):
            await super().delete(collection, ids)

    async def drop(self, collection: str) -> None:
        """See ``VectorIndex.drop``."""
        async with interfering("index.drop"):
            await super().drop(collection)

    async def count(self, collection: str) -> int:
        """See ``VectorIndex.count``."""
        async with interfering("index.count"):
            return await super().count(collection)


class InterferedUnitOfWork(UnitOfWork):
    """A database that may fail when a transaction begins, and when it commits, before or after it has."""

    @asynccontextmanager
    async def _open(self, owner: str, mode: str) -> AsyncIterator[Transaction]:
        async with interfering("transaction.begin"):
            pass
        trial = running.get()
        now = trial is not None and trial.strikes("transaction.commit")
        async with super()._open(owner, mode) as transaction:
            yield transaction
            if trial is not None and now and not trial.kind.startswith(LATE):
                await trial.strike()
        if trial is not None and now:
            await trial.strike()
