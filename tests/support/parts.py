"""Parts of the product that count and that fail on demand, on top of the real ones."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from uuid import UUID

from backend.adapters.embedders.hashing import HashingEmbedder
from backend.adapters.vector_indexes.chroma import ChromaVectorIndex
from backend.core.errors import VectorIndexBrokenError, VectorIndexUnavailableError
from backend.core.transactions import assert_no_transaction
from backend.ports.document_parser import ParsedDocument
from backend.ports.embedder import Vector, Vectors
from backend.ports.vector_index import Neighbour


class PlainTextParser:
    """Takes a file's bytes for its text, without a child process; ``failure`` is raised instead."""

    def __init__(self) -> None:
        self.failure: Exception | None = None

    def media_type(self, filename: str, head: bytes) -> str:
        """See ``DocumentParser.media_type``."""
        return "text/html" if filename.endswith(".html") else "text/plain"

    async def parse(self, pieces: AsyncIterator[bytes], media_type: str) -> ParsedDocument:
        """See ``DocumentParser.parse``."""
        assert_no_transaction("parsing")
        data = b"".join([piece async for piece in pieces])
        if self.failure is not None:
            raise self.failure
        return ParsedDocument(data.decode())


class CountingEmbedder(HashingEmbedder):
    """Remembers what it embedded. Before each batch it awaits ``before`` with the batch's number, from 1."""

    batch_size = 4

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.calls = 0
        self.before: Callable[[int], Awaitable[None]] | None = None
        self.question_failure: Exception | None = None
        self.questions = 0
        self._held: asyncio.Event | None = None

    def hold_questions(self) -> asyncio.Event:
        """Answer no question until the event is set."""
        self._held = asyncio.Event()
        return self._held

    def fail(self, error: BaseException, *, at: int = 1) -> None:
        """Raise the error at the batch of this number, counted from now on."""
        self.calls = 0

        async def raising(call: int) -> None:
            if call == at:
                raise error

        self.before = raising

    def mend(self) -> None:
        """Work again, and count from zero."""
        self._held, self.questions = None, 0
        self.before, self.question_failure, self.calls, self.batches = None, None, 0, []

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """See ``Embedder.embed_documents``."""
        self.calls += 1
        if self.before is not None:
            await self.before(self.calls)
        self.batches.append(list(texts))
        return await super().embed_documents(texts)

    async def embed_query(self, text: str) -> Vector:
        """See ``Embedder.embed_query``."""
        self.questions += 1
        if self._held is not None:
            await self._held.wait()
        if self.question_failure is not None:
            raise self.question_failure
        return await super().embed_query(text)


class SwitchableIndex(ChromaVectorIndex):
    """Chroma that can be away (``down``), or have collections that answer nonsense (``broken``) until they are dropped."""

    down = False

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.broken: set[str] = set()
        self.after_query: Callable[[], Awaitable[None]] | None = None

    async def upsert(self, collection: str, ids: Sequence[UUID], vectors: Vectors) -> None:
        """See ``VectorIndex.upsert``."""
        await self._answer(collection)
        await super().upsert(collection, ids, vectors)

    async def query(self, collection: str, vector: Vector, limit: int) -> list[Neighbour]:
        """See ``VectorIndex.query``."""
        await self._answer(collection)
        found = await super().query(collection, vector, limit)
        if self.after_query is not None:
            await self.after_query()
        return found

    async def delete(self, collection: str, ids: Sequence[UUID]) -> None:
        """See ``VectorIndex.delete``."""
        await self._answer(collection)
        await super().delete(collection, ids)

    async def drop(self, collection: str) -> None:
        """See ``VectorIndex.drop``."""
        if self.down:
            raise VectorIndexUnavailableError
        await super().drop(collection)
        self.broken.discard(collection)

    async def collections(self) -> list[str]:
        """See ``VectorIndex.collections``."""
        await self._answer(None)
        return await super().collections()

    async def ids(self, collection: str) -> AsyncIterator[list[UUID | str]]:
        """See ``VectorIndex.ids``."""
        await self._answer(collection)
        async for page in super().ids(collection):
            yield page

    async def fetch(self, collection: str, ids: Sequence[UUID]) -> dict[UUID, Vector]:
        """See ``VectorIndex.fetch``."""
        await self._answer(collection)
        return await super().fetch(collection, ids)

    async def _answer(self, collection: str | None) -> None:
        await asyncio.sleep(0)
        if self.down:
            raise VectorIndexUnavailableError
        if collection in self.broken:
            raise VectorIndexBrokenError
