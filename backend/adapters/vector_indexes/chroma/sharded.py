"""Several Chroma servers as one index."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from hashlib import blake2b
from typing import TypeVar
from uuid import UUID

from backend.adapters.vector_indexes.chroma.connection import address
from backend.adapters.vector_indexes.chroma.index import ChromaVectorIndex
from backend.core.errors import ConfigurationError
from backend.ports.embedder import Vector, Vectors
from backend.ports.vector_index import Neighbour

T = TypeVar("T")


class ShardedChromaVectorIndex:
    """Each collection lives on one of the servers, which follows from its name and their addresses: their order does not matter.

    Another server takes over its share of the collections, one of N + 1 from all of them alike, and no other collection moves; one
    that is left out hands its own to the others. What has moved is missing where it is looked for, and is rebuilt from PostgreSQL
    as whatever is missing. Copies that stay behind are ``strays``.

    A server that is down takes its own collections with it and no other. Whatever concerns all collections needs all servers, and
    so does ``drop``, for what is dropped may have been left behind on any of them.

    Source: Thaler and Ravishankar, "A name-based mapping scheme for rendezvous", 1996.
    """

    def __init__(self, urls: Sequence[str], *, query_seconds: float = 2.0) -> None:
        self._servers = {_key(url): ChromaVectorIndex(url, query_seconds=query_seconds) for url in urls}
        if len(self._servers) < len(urls):
            raise ConfigurationError("CHROMA_URL names a server twice.")

    @property
    def servers(self) -> Sequence[ChromaVectorIndex]:
        """The servers, in the order of their addresses as they were given."""
        return list(self._servers.values())

    async def upsert(self, collection: str, ids: Sequence[UUID], vectors: Vectors) -> None:
        """See ``VectorIndex.upsert``."""
        await self._home(collection).upsert(collection, ids, vectors)

    async def query(self, collection: str, vector: Vector, limit: int) -> list[Neighbour]:
        """See ``VectorIndex.query``."""
        return await self._home(collection).query(collection, vector, limit)

    async def delete(self, collection: str, ids: Sequence[UUID]) -> None:
        """See ``VectorIndex.delete``."""
        await self._home(collection).delete(collection, ids)

    async def drop(self, collection: str) -> None:
        """See ``VectorIndex.drop``. It is removed wherever a copy is left."""
        await _all([partial(one.drop, collection) for one in self.servers])

    async def count(self, collection: str) -> int:
        """See ``VectorIndex.count``."""
        return await self._home(collection).count(collection)

    async def collections(self) -> list[str]:
        """See ``VectorIndex.collections``."""
        listed = await _all([one.collections for one in self.servers])
        return list(dict.fromkeys(name for names in listed for name in names))

    async def strays(self) -> list[str]:
        """See ``VectorIndex.strays``."""
        listed = await _all([one.collections for one in self.servers])
        held = zip(self.servers, listed, strict=True)
        return list(dict.fromkeys(name for one, names in held for name in names if self._home(name) is not one))

    async def drop_strays(self, collection: str) -> None:
        """See ``VectorIndex.drop_strays``."""
        home = self._home(collection)
        await _all([partial(one.drop, collection) for one in self.servers if one is not home])

    def ids(self, collection: str) -> AsyncIterator[list[UUID | str]]:
        """See ``VectorIndex.ids``."""
        return self._home(collection).ids(collection)

    async def fetch(self, collection: str, ids: Sequence[UUID]) -> dict[UUID, Vector]:
        """See ``VectorIndex.fetch``."""
        return await self._home(collection).fetch(collection, ids)

    async def check(self) -> None:
        """See ``VectorIndex.check``. Every server has to answer."""
        await _all([one.check for one in self.servers])

    async def aclose(self) -> None:
        """See ``VectorIndex.aclose``."""
        await _all([one.aclose for one in self.servers])

    def _home(self, collection: str) -> ChromaVectorIndex:
        return self._servers[max(self._servers, key=lambda server: _weight(server, collection))]


async def _all(calls: "Sequence[Callable[[], Awaitable[T]]]") -> list[T]:
    """Make all calls at once and hear all of them out; then raise the first failure, or return what they gave."""
    outcomes = await asyncio.gather(*(call() for call in calls), return_exceptions=True)
    given: list[T] = []
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
        given.append(outcome)
    return given


def _key(url: str) -> str:
    host, port, _ = address(url)
    return f"{host}:{port}"


def _weight(server: str, collection: str) -> bytes:
    # Not hash(), which every process salts in its own way.
    return blake2b(f"{server} {collection}".encode(), digest_size=16).digest()
