"""The client, and the collections that it has looked up."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import urlsplit

from backend.adapters.vector_indexes.chroma.failures import translated
from backend.core.errors import ConfigurationError, VectorIndexBrokenError, VectorIndexUnavailableError

if TYPE_CHECKING:
    from chromadb.api.async_client import AsyncClient
    from chromadb.api.async_fastapi import AsyncFastAPI
    from chromadb.api.collection_configuration import CreateHNSWConfiguration
    from chromadb.api.models.AsyncCollection import AsyncCollection

T = TypeVar("T")

_HNSW: "CreateHNSWConfiguration" = {"space": "cosine", "ef_search": 200, "max_neighbors": 16, "sync_threshold": 1000}
_REMEMBERED = 2048
_CLOSING_SECONDS = 5.0


class ChromaConnection:
    """The one client of a process. It is made at the first call, and again if that failed."""

    def __init__(self, url: str, *, connect_seconds: float) -> None:
        self._host, self._port, self._tls = address(url)
        self._connect_seconds = connect_seconds
        self._closed = False
        self._in_use = 0
        self._unused = asyncio.Event()
        self._client: AsyncClient | None = None
        self._connecting: asyncio.Task[AsyncClient] | None = None
        self._known: dict[str, AsyncCollection] = {}

    async def on_server(self, seconds: float, action: "Callable[[AsyncClient], Awaitable[T]]") -> T:
        """Run an action on the server, at most ``seconds`` long."""
        client = await self._connected()
        with self._using(), translated():
            async with asyncio.timeout(seconds):
                return await action(client)

    async def on_collection(
        self, name: str, seconds: float, action: "Callable[[AsyncCollection], Awaitable[T]]", *, create: bool = False
    ) -> T | None:
        """Run an action on a collection, at most ``seconds`` long; return None where there is no such collection."""
        client = await self._connected()
        from chromadb.errors import NotFoundError  # noqa: PLC0415 - loaded by now

        with self._using(), translated():
            async with asyncio.timeout(seconds):
                remembered = self._known.get(name)
                if remembered is not None:
                    try:
                        return await action(remembered)
                    except NotFoundError:  # Collections are addressed by an id, which dies with a drop.
                        self.forget(name)
                try:
                    return await action(await self._find(client, name, create=create))
                except NotFoundError:
                    self.forget(name)
                    return None

    def forget(self, name: str) -> None:
        """Look the collection up anew at its next use."""
        self._known.pop(name, None)

    async def aclose(self) -> None:
        """Close the client, once the calls that are under way have ended, or after seconds. New ones find the server unavailable.

        A connection that is in use when its client is closed would stay open.
        """
        self._closed = True
        if self._in_use:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSING_SECONDS):
                    await self._unused.wait()
        if self._connecting is not None and not self._connecting.done():
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        client, self._client = self._client, None
        self._known.clear()
        if client is not None:  # chromadb gives its asynchronous client no way to close; its HTTP layer has one
            await cast("AsyncFastAPI", client._server).__aexit__(None, None, None)

    @contextmanager
    def _using(self) -> Iterator[None]:
        self._in_use += 1
        self._unused.clear()
        try:
            yield
        finally:
            self._in_use -= 1
            if not self._in_use:
                self._unused.set()

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
        if self._closed:
            raise VectorIndexUnavailableError
        with translated():
            async with asyncio.timeout(self._connect_seconds):
                if self._connecting is None or self._connecting.done():
                    self._connecting = asyncio.create_task(self._connect())
                    self._connecting.add_done_callback(_noted)
                # It goes on where its caller gives up, and is there for the next one: half-made, nothing could close it.
                return await asyncio.shield(self._connecting)

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
        made = await chromadb.AsyncHttpClient(host=self._host, port=self._port, ssl=self._tls, settings=settings)
        self._client = client = cast("AsyncClient", made)
        return client


def _noted(connecting: "asyncio.Task[AsyncClient]") -> None:
    """Take note of a failure that nobody may have waited for: the next call finds out by itself."""
    if not connecting.cancelled():
        connecting.exception()


def verify(collection: "AsyncCollection") -> None:
    """Compare the settings: ``get_or_create`` gives back an existing collection with other ones without a word."""
    actual = collection.configuration_json.get("hnsw") or {}
    if {key: actual.get(key) for key in _HNSW} != _HNSW:
        raise VectorIndexBrokenError


def address(url: str) -> tuple[str, int, bool]:
    """Return host, port, and whether TLS is spoken there.

    Raises:
        ConfigurationError: It is no address of a server.
    """
    try:
        parts = urlsplit(url)
        default = {"http": 80, "https": 443}[parts.scheme]
        if parts.hostname:
            return parts.hostname, parts.port or default, parts.scheme == "https"
    except (KeyError, ValueError):
        pass  # All of them are one mistake, told below.
    raise ConfigurationError("CHROMA_URL is not an address such as http://127.0.0.1:8001.")
