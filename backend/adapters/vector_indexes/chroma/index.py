"""The port's operations, each with its deadline."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from backend.adapters.vector_indexes.chroma.answers import identity, neighbours, vectors
from backend.adapters.vector_indexes.chroma.connection import ChromaConnection, verify
from backend.adapters.vector_indexes.chroma.searching import Searches
from backend.core.errors import VectorIndexUnavailableError
from backend.core.transactions import assert_no_transaction
from backend.ports.embedder import Vector, Vectors
from backend.ports.vector_index import Neighbour

if TYPE_CHECKING:
    from chromadb.api.async_client import AsyncClient
    from chromadb.api.models.AsyncCollection import AsyncCollection
    from chromadb.api.types import GetResult, QueryResult

_BATCH = 1000  # rows of one request; benchmarks/vector_index.py compares sizes
_PAGE = 1000  # ids, or names of collections, of one request


class ChromaVectorIndex:
    """Collections in the Chroma server at ``url`` (``http://host:port``); one object, and so one client, per process.

    The client is made at the first call, and again if that failed. A server that comes back at its address is used again, and a
    collection that was dropped and made anew is looked up anew. ``count`` and ``delete`` may raise ``VectorIndexBrokenError`` too,
    where the server cannot load the collection.
    """

    def __init__(self, url: str, *, connect_seconds: float = 2.0, query_seconds: float = 2.0, write_seconds: float = 30.0) -> None:
        self._connection = ChromaConnection(url, connect_seconds=connect_seconds)
        self._searches = Searches(url, connect_seconds=connect_seconds, query_seconds=query_seconds)
        self._query_seconds = query_seconds
        self._write_seconds = write_seconds

    async def upsert(self, collection: str, ids: Sequence[UUID], vectors: Vectors) -> None:
        """See ``VectorIndex.upsert``. Of an id that is given twice the last vector stays."""
        assert_no_transaction("writing to the vector index")
        if not np.isfinite(vectors).all():
            raise ValueError("a vector to store holds NaN or infinity")
        rows = list(dict(zip(map(str, ids), vectors, strict=True)).items())
        # One after the other: requests at once wait for one lock in the server, and back off for longer than they save.
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            await self._store(collection, [name for name, _ in batch], np.stack([vector for _, vector in batch]))

    async def query(self, collection: str, vector: Vector, limit: int) -> list[Neighbour]:
        """See ``VectorIndex.query``."""
        assert_no_transaction("asking the vector index")
        if not np.isfinite(vector).all():
            raise ValueError("the vector to look for holds NaN or infinity")
        if limit < 1:
            return []

        async def ask(found: "AsyncCollection") -> "QueryResult":
            verify(found)
            return await self._searches.nearest(found, vector, limit)

        answer = await self._connection.on_collection(collection, self._query_seconds, ask)
        return [] if answer is None else neighbours(answer)

    async def delete(self, collection: str, ids: Sequence[UUID]) -> None:
        """See ``VectorIndex.delete``."""
        assert_no_transaction("deleting from the vector index")
        for start in range(0, len(ids), _BATCH):
            batch = [str(chunk_id) for chunk_id in ids[start : start + _BATCH]]
            await self._connection.on_collection(collection, self._write_seconds, partial(_remove, batch))

    async def drop(self, collection: str) -> None:
        """See ``VectorIndex.drop``."""
        assert_no_transaction("dropping a collection of the vector index")
        self._connection.forget(collection)
        await self._connection.on_server(self._write_seconds, partial(_drop, collection))

    async def count(self, collection: str) -> int:
        """See ``VectorIndex.count``."""
        assert_no_transaction("counting in the vector index")
        # For comparisons, where nobody waits for an answer: a collection that is loaded after a crash may take seconds.
        return await self._connection.on_collection(collection, self._write_seconds, lambda found: found.count()) or 0

    async def collections(self) -> list[str]:
        """See ``VectorIndex.collections``."""
        assert_no_transaction("listing the vector index")
        names: dict[str, None] = {}  # A collection that is dropped meanwhile moves the pages.
        offset = 0
        while page := await self._connection.on_server(self._write_seconds, partial(_page_of_names, offset)):
            names |= dict.fromkeys(page)
            offset += len(page)
        return list(names)

    async def strays(self) -> list[str]:
        """See ``VectorIndex.strays``. One server is looked at for everything, so that there is none."""
        return []

    async def drop_strays(self, collection: str) -> None:
        """See ``VectorIndex.drop_strays``."""

    async def ids(self, collection: str) -> AsyncIterator[list[UUID | str]]:
        """See ``VectorIndex.ids``."""
        offset = 0
        while True:
            assert_no_transaction("reading the ids of the vector index")
            answer = await self._connection.on_collection(collection, self._write_seconds, partial(_page_of_ids, offset))
            if answer is None or not answer["ids"]:
                return
            yield [identity(name) for name in answer["ids"]]
            offset += len(answer["ids"])

    async def fetch(self, collection: str, ids: Sequence[UUID]) -> dict[UUID, Vector]:
        """See ``VectorIndex.fetch``."""
        assert_no_transaction("reading from the vector index")
        fetched: dict[UUID, Vector] = {}
        for start in range(0, len(ids), _BATCH):
            batch = [str(chunk_id) for chunk_id in dict.fromkeys(ids[start : start + _BATCH])]
            answer = await self._connection.on_collection(collection, self._write_seconds, partial(_rows, batch))
            fetched |= {} if answer is None else vectors(answer)
        return fetched

    async def check(self) -> None:
        """See ``VectorIndex.check``."""
        assert_no_transaction("checking the vector index")
        await self._connection.on_server(self._query_seconds, lambda client: client.heartbeat())

    async def aclose(self) -> None:
        """See ``VectorIndex.aclose``."""
        await self._connection.aclose()
        await self._searches.aclose()

    async def _store(self, name: str, ids: list[str], vectors: Vectors) -> None:
        async def write(found: "AsyncCollection") -> bool:
            verify(found)
            await found.upsert(ids=ids, embeddings=vectors)
            return True

        if await self._connection.on_collection(name, self._write_seconds, write, create=True) is None:
            raise VectorIndexUnavailableError  # It was dropped between its making and this write: somebody rebuilds it.


async def _remove(ids: list[str], found: "AsyncCollection") -> None:
    await found.delete(ids=ids)


async def _drop(name: str, client: "AsyncClient") -> None:
    from chromadb.errors import NotFoundError  # noqa: PLC0415 - loaded by now

    with suppress(NotFoundError):
        await client.delete_collection(name)


async def _page_of_names(offset: int, client: "AsyncClient") -> list[str]:
    return [found.name for found in await client.list_collections(limit=_PAGE, offset=offset)]


async def _page_of_ids(offset: int, found: "AsyncCollection") -> "GetResult":
    return await found.get(limit=_PAGE, offset=offset, include=[])


async def _rows(ids: list[str], found: "AsyncCollection") -> "GetResult":
    return await found.get(ids=ids, include=["embeddings"])
