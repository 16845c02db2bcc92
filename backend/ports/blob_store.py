"""Where the uploaded bytes live."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """What was stored: its key, its size in bytes, and the sha256 of its bytes in lower-case hexadecimal."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """What is stored: its key, its size in bytes, and when it was written, an aware time."""

    key: str
    size: int
    modified: datetime


class BlobStore(Protocol):
    """Streams bytes in and out. Every method may raise ``BlobStoreUnavailableError``."""

    async def put(self, pieces: AsyncIterator[bytes]) -> StoredBlob:
        """Store the pieces under a new key while they arrive; memory stays bounded.

        Nothing becomes visible unless every piece arrived: if the iterator raises, its exception passes through and nothing stays.

        Raises:
            StorageFullError: No room; nothing stays.
        """
        ...

    async def write(self, key: str, pieces: AsyncIterator[bytes]) -> StoredBlob:
        """Store the pieces under a key that ``put`` once gave, to restore what was there; memory stays bounded.

        What is there already is replaced, once every piece has arrived: if the iterator raises, it stays.

        Raises:
            ValueError: ``put`` gives no such keys; nothing was read or stored.
            StorageFullError: No room; nothing new stays.
        """
        ...

    def keys(self) -> AsyncIterator[BlobInfo]:
        """Yield every blob, in no order; memory stays bounded. One that is written or deleted meanwhile may be among them or not.

        Only what ``put`` and ``write`` have finished is listed, whatever else lies in the same place.
        """
        ...

    def open(self, key: str) -> AsyncIterator[bytes]:
        """Yield the stored bytes in pieces.

        Raises:
            BlobNotFoundError: At the first piece, if there is nothing under the key.
        """
        ...

    async def delete(self, key: str) -> None:
        """Remove a blob; a key that does not exist is ignored."""
        ...

    async def check(self) -> None:
        """Return if the store can be reached and written."""
        ...
