"""Chroma, spoken to over HTTP as a separate server.

chromadb takes two seconds to import, so nothing here touches it before the first call, and then in a thread.
"""

import asyncio
import math
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import urlsplit
from uuid import UUID

import numpy as np

from backend.core.errors import ConfigurationError, DocentError, VectorIndexBrokenError, VectorIndexUnavailableError
from backend.core.transactions import assert_no_transaction
from backend.ports.embedder import Vector, Vectors
from backend.ports.vector_index import Neighbour

if TYPE_CHECKING:
    from chromadb.api.async_client import AsyncClient
    from chromadb.api.async_fastapi import AsyncFastAPI
    from chromadb.api.collection_configuration import CreateHNSWConfiguration
    from chromadb.api.models.AsyncCollection import AsyncCollection
    from chromadb.api.types import QueryResult

T = TypeVar("T")

_HNSW: "CreateHNSWConfiguration" = {"space": "cosine", "ef_search": 200, "max_neighbors": 16, "sync_threshold": 1000}
_BATCH = 256
_REMEMBERED = 2048
_DAMAGE = re.compile(r"hnsw|finding id", re.IGNORECASE)  # what 1.5.9 says of segment files that were cut or are missing


class ChromaVectorIndex:
    """Collections in the Chroma server at ``url`` (``http://host:port``); one object, and so one client, per process.

    The client is made at the first call, and again if that failed. A server that comes back at its address is used again, and a
    collection that was dropped and made anew is looked up anew. ``count`` and ``delete`` may raise ``VectorIndexBrokenError`` too,
    where the server cannot load the collection.
    """

    def __init__(self, url: str, *, connect_seconds: float = 2.0, query_seconds: float = 2.0, write_seconds: float = 30.0) -> None:
        self._host, self._port, self._tls = _address(url)
        self._connect_seconds = connect_seconds
        self._query_seconds = query_seconds
        self._write_seconds = write_seconds
        self._client: AsyncClient | None = None
        self._connecting = asyncio.Lock()
        self._known: dict[str, AsyncCollection] = {}

    async def upsert(self, collection: str, ids: Sequence[UUID], vectors: Vectors) -> None:
        """See ``VectorIndex.upsert``. Of an id that is given twice the last vector stays."""
        assert_no_transaction("writing to the vector index")
        if not np.isfinite(vectors).all():
            raise ValueError("a vector to store holds NaN or infinity")
        rows = list(dict(zip(map(str, ids), vectors, strict=True)).items())
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
            _verify(found)
            return await found.query(query_embeddings=vector[np.newaxis], n_results=limit, include=["distances"])

        answer = await self._with(collection, self._query_seconds, ask)
        return [] if answer is None else _neighbours(answer)

    async def delete(self, collection: str, ids: Sequence[UUID]) -> None:
        """See ``VectorIndex.delete``."""
        assert_no_transaction("deleting from the vector index")
        for start in range(0, len(ids), _BATCH):
            batch = [str(chunk_id) for chunk_id in ids[start : start + _BATCH]]
            await self._with(collection, self._write_seconds, partial(_remove, batch))

    async def drop(self, collection: str) -> None:
        """See ``VectorIndex.drop``."""
        assert_no_transaction("dropping a collection of the vector index")
        client = await self._connected()
        from chromadb.errors import NotFoundError  # noqa: PLC0415 - loaded by now

        self._known.pop(collection, None)
        with _translated(), suppress(NotFoundError):
            async with asyncio.timeout(self._write_seconds):
                await client.delete_collection(collection)

    async def count(self, collection: str) -> int:
        """See ``VectorIndex.count``."""
        assert_no_transaction("counting in the vector index")
        return await self._with(collection, self._query_seconds, lambda found: found.count()) or 0

    async def check(self) -> None:
        """See ``VectorIndex.check``."""
        assert_no_transaction("checking the vector index")
        client = await self._connected()
        with _translated():
            async with asyncio.timeout(self._query_seconds):
                await client.heartbeat()

    async def aclose(self) -> None:
        """See ``VectorIndex.aclose``."""
        client, self._client = self._client, None
        self._known.clear()
        if client is not None:  # chromadb gives its asynchronous client no way to close; its HTTP layer has one
            await cast("AsyncFastAPI", client._server).__aexit__(None, None, None)

    async def _store(self, name: str, ids: list[str], vectors: Vectors) -> None:
        async def write(found: "AsyncCollection") -> bool:
            _verify(found)
            await found.upsert(ids=ids, embeddings=vectors)
            return True

        if await self._with(name, self._write_seconds, write, create=True) is None:
            raise VectorIndexUnavailableError  # It was dropped between its making and this write: somebody rebuilds it.

    async def _with(
        self, name: str, seconds: float, action: "Callable[[AsyncCollection], Awaitable[T]]", *, create: bool = False
    ) -> T | None:
        """Run an action on a collection, at most ``seconds`` long; return None where there is no such collection."""
        client = await self._connected()
        from chromadb.errors import NotFoundError  # noqa: PLC0415 - loaded by now

        with _translated():
            async with asyncio.timeout(seconds):
                remembered = self._known.get(name)
                if remembered is not None:
                    try:
                        return await action(remembered)
                    except NotFoundError:  # Collections are addressed by an id, which dies with a drop.
                        self._known.pop(name, None)
                try:
                    return await action(await self._find(client, name, create=create))
                except NotFoundError:
                    self._known.pop(name, None)
                    return None

    async def _find(self, client: "AsyncClient", name: str, *, create: bool) -> "AsyncCollection":
        """Look a collection up and remember it, for that is a round trip."""
        if create:
            found = await client.get_or_create_collection(name, configuration={"hnsw": _HNSW.copy()}, embedding_function=None)
        else:
            found = await client.get_collection(name, embedding_function=None)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[name] = found
        return found

    async def _connected(self) -> "AsyncClient":
        if self._client is not None:
            return self._client
        for module in ("chromadb.api.async_fastapi", "httpcore"):  # what the client's making would import on the loop
            await asyncio.to_thread(import_module, module)
        with _translated():
            async with asyncio.timeout(self._connect_seconds), self._connecting:
                if self._client is None:
                    self._client = await self._connect()
                return self._client

    async def _connect(self) -> "AsyncClient":
        import chromadb  # noqa: PLC0415 - loaded by now
        from chromadb.config import Settings  # noqa: PLC0415

        # A chromadb client whose making fails stays in its library's registry for ever: find out first that the server is there.
        _, writer = await asyncio.open_connection(self._host, self._port)
        writer.close()
        await writer.wait_closed()
        # Fresh settings, for clients write into them, and never from a .env file, which is ours. chromadb verifies no certificate
        # unless told to.
        settings = Settings(_env_file=None, anonymized_telemetry=False, chroma_server_ssl_verify=self._tls)
        client = await chromadb.AsyncHttpClient(host=self._host, port=self._port, ssl=self._tls, settings=settings)
        return cast("AsyncClient", client)


async def _remove(ids: list[str], found: "AsyncCollection") -> None:
    await found.delete(ids=ids)


def _address(url: str) -> tuple[str, int, bool]:
    try:
        parts = urlsplit(url)
        default = {"http": 80, "https": 443}[parts.scheme]
        if parts.hostname:
            return parts.hostname, parts.port or default, parts.scheme == "https"
    except (KeyError, ValueError):
        pass  # All of them are one mistake, told below.
    raise ConfigurationError("CHROMA_URL is not an address such as http://127.0.0.1:8001.")


def _verify(collection: "AsyncCollection") -> None:
    """Compare the settings: ``get_or_create`` gives back an existing collection with other ones without a word."""
    actual = collection.configuration_json.get("hnsw") or {}
    if {key: actual.get(key) for key in _HNSW} != _HNSW:
        raise VectorIndexBrokenError


def _neighbours(answer: "QueryResult") -> list[Neighbour]:
    ids, distances = answer["ids"][0], (answer["distances"] or [[]])[0]
    # JSON has no NaN: it arrives as null.
    if len(ids) != len(distances) or not all(
        isinstance(distance, int | float) and math.isfinite(distance) for distance in distances
    ):
        raise VectorIndexBrokenError
    try:
        # Rounding may put a distance a hair outside of 0 to 2.
        return [
            Neighbour(UUID(chunk_id), max(-1.0, min(1.0, 1.0 - distance)))
            for chunk_id, distance in zip(ids, distances, strict=True)
        ]
    except ValueError as error:
        raise VectorIndexBrokenError from error


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DocentError:
        raise
    except Exception as error:
        meaning = _meaning(error)
        if meaning is None:
            raise
        raise meaning from error


def _meaning(error: Exception) -> Exception | None:
    """Name the situation; None for what is a defect of ours."""
    import httpx  # noqa: PLC0415 - chromadb's own, half a second to import
    from chromadb.errors import ChromaError, InternalError, InvalidArgumentError  # noqa: PLC0415

    text = str(error)
    if isinstance(error, InternalError) and _DAMAGE.search(text):
        return VectorIndexBrokenError()
    if isinstance(error, InvalidArgumentError):
        return VectorIndexBrokenError() if "dimension" in text else ValueError("Chroma refused an argument")
    # chromadb raises a bare Exception for an error in a foreign form (a proxy's 502), ValueError for an answer that is not JSON.
    silent = isinstance(error, httpx.HTTPError | OSError | ChromaError | ValueError) or type(error) is Exception
    return VectorIndexUnavailableError() if silent else None
