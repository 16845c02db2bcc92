"""Chroma, at the address or the addresses that CHROMA_URL names."""

from collections.abc import Awaitable, Callable, Sequence

from backend.adapters.vector_indexes.chroma import ChromaVectorIndex, ShardedChromaVectorIndex
from backend.bootstrap.servers import without_credentials
from backend.ports.vector_index import VectorIndex

Server = tuple[str, Callable[[], Awaitable[None]]]
"""An address that may be shown, and what raises where nothing answers there."""


def addresses(urls: str) -> list[str]:
    """Return the addresses, which are comma-separated."""
    return [url.strip() for url in urls.split(",") if url.strip()] or [urls]


def vector_index(urls: str) -> VectorIndex:
    """Return the index on this server, or on these.

    Raises:
        ConfigurationError: One is no address, or is named twice.
    """
    named = addresses(urls)
    return ChromaVectorIndex(named[0]) if len(named) == 1 else ShardedChromaVectorIndex(named)


def servers(index: VectorIndex, urls: str) -> Sequence[Server]:
    """Return each server of an index; of one that takes the index's place in a test, the index itself."""
    named = [without_credentials(url) for url in addresses(urls)]
    if isinstance(index, ShardedChromaVectorIndex):
        return [(url, one.check) for url, one in zip(named, index.servers, strict=True)]
    return [(", ".join(named), index.check)]
