"""Where the uploaded bytes live."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """What was stored: its key, its size in bytes, and the sha256 of its bytes in lower-case hexadecimal."""

    key: str
    size: int
    sha256: str


class BlobStore(Protocol):
    """Streams bytes in and out. Every method may raise ``BlobStoreUnavailableError``."""

    async def put(self, pieces: AsyncIterator[bytes]) -> StoredBlob:
        """Store the pieces under a new key while they arrive; memory stays bounded.

        Nothing becomes visible unless every piece arrived: if the iterator raises, its exception passes through and nothing stays.

        Raises:
            StorageFullError: No room; nothing stays.
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
