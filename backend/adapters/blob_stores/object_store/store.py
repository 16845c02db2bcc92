"""The store itself."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, from_url

from backend.adapters.blob_stores.object_store.blocks import blocks, update
from backend.adapters.blob_stores.object_store.failures import translated
from backend.adapters.blob_stores.object_store.folder import settle, sweep
from backend.core.clock import now
from backend.core.errors import BlobNotFoundError, BlobStoreUnavailableError, ConfigurationError, StorageFullError
from backend.core.ids import new_id
from backend.core.transactions import assert_no_transaction
from backend.ports.blob_store import BlobInfo, StoredBlob

if TYPE_CHECKING:
    from obstore import AsyncWritableFile
    from obstore.store import ObjectStore

_PART = 8 << 20
_PIECE = 256 << 10
_PAGE = 1000
_KEY = re.compile(r"blobs/([0-9a-f]{2})/([0-9a-f]{32})")


class ObjectBlobStore:
    """Blobs under keys ``blobs/<two characters>/<id>``, in whatever ``location`` names.

    Durability: after ``put`` returned, a bucket has acknowledged the object. obstore itself never syncs a local file, so for a
    folder the file and the folders above it are fsynced here, and the bytes survive a crash of the process and of the machine.
    """

    def __init__(self, store: "ObjectStore") -> None:
        self._store = store
        self._folder = store.prefix if isinstance(store, LocalStore) else None
        self._clearing: set[asyncio.Task[None]] = set()

    @classmethod
    def at(cls, location: str | Path) -> "ObjectBlobStore":
        """Open a folder (a path or ``file://``), ``memory:``, or a bucket such as ``s3://bucket/prefix``.

        A folder is created with mode 0700 where it is missing. A bucket's credentials come from the environment, under the names
        of its vendor's SDK.

        Raises:
            ConfigurationError: The location is not one of these, or the folder cannot be made.
        """
        address = str(location)
        if address.startswith("memory:"):
            return cls(MemoryStore())
        if isinstance(location, str) and "://" in address and not address.startswith("file://"):
            return cls(_bucket(address))
        folder = Path(url2pathname(urlsplit(address).path)) if address.startswith("file://") else Path(location)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # obstore stages files as 0644; this folder keeps them private even where the operator opened the one above.
            (folder / "blobs").mkdir(mode=0o700, exist_ok=True)
            return cls(LocalStore(folder))
        except (OSError, BaseError) as error:
            raise ConfigurationError("The folder for files (BLOB_URL) cannot be created or opened.") from error

    async def put(self, pieces: AsyncIterator[bytes]) -> StoredBlob:
        """See ``BlobStore.put``."""
        name = new_id().hex
        # The first characters of a UUIDv7 are a clock and would all be one folder.
        return await self._store_under(f"blobs/{name[-2:]}/{name}", pieces)

    async def write(self, key: str, pieces: AsyncIterator[bytes]) -> StoredBlob:
        """See ``BlobStore.write``."""
        if not _is_ours(key):
            raise ValueError("a key that this store never made")
        return await self._store_under(key, pieces)

    async def _store_under(self, key: str, pieces: AsyncIterator[bytes]) -> StoredBlob:
        assert_no_transaction("storing a file")
        digest, size = hashlib.sha256(), 0
        writer = obstore.open_writer_async(self._store, key, buffer_size=_PART, max_concurrency=2)
        try:
            async with aclosing(blocks(pieces)) as joined:
                async for block in joined:
                    size += len(block)
                    with translated():
                        await asyncio.gather(update(digest, block), writer.write(block))
            await self._publish(key, writer)
        finally:
            del writer  # An unclosed writer that is let go removes what it staged; a traceback would keep it alive.
        return StoredBlob(key=key, size=size, sha256=digest.hexdigest())

    async def open(self, key: str) -> AsyncIterator[bytes]:
        """See ``BlobStore.open``."""
        assert_no_transaction("reading a file")
        if not _is_ours(key):
            raise BlobNotFoundError
        with translated():
            stream = (await obstore.get_async(self._store, key)).stream(min_chunk_size=_PIECE)
        while True:
            with translated():
                piece = await anext(stream, None)
            if piece is None:
                return
            yield bytes(piece)

    async def keys(self) -> AsyncIterator[BlobInfo]:
        """See ``BlobStore.keys``. obstore leaves out its own staging files."""
        assert_no_transaction("listing the file storage")
        # In a thread: a program that ends while obstore's asynchronous listing is open is aborted now and then.
        pages = iter(obstore.list(self._store, prefix="blobs", chunk_size=_PAGE))
        while True:
            with translated():
                page = await asyncio.to_thread(next, pages, None)
            if page is None:
                return
            for found in page:
                if _is_ours(found["path"]):
                    yield BlobInfo(found["path"], found["size"], found["last_modified"])

    async def delete(self, key: str) -> None:
        """See ``BlobStore.delete``."""
        assert_no_transaction("deleting a file")
        if _is_ours(key):
            await self._remove(key)

    async def check(self) -> None:
        """See ``BlobStore.check``. Writes and removes one small object; a full store cannot be written and fails too."""
        assert_no_transaction("checking the file storage")
        try:
            with translated():
                await obstore.put_async(self._store, "check", b"docent")
        except StorageFullError as error:
            raise BlobStoreUnavailableError("The file storage is full.") from error
        await self._remove("check")

    async def sweep(self, *, older_than_seconds: float = 3600) -> int:
        """Remove what killed processes left half written in a local folder, and return how many files that were.

        Pass 0 only where no other process is writing. A bucket's abandoned multipart uploads want a lifecycle rule there.
        """
        assert_no_transaction("sweeping the file storage")
        if self._folder is None:
            return 0
        with translated():
            return await asyncio.to_thread(sweep, self._folder, now().timestamp() - older_than_seconds)

    async def _publish(self, key: str, writer: "AsyncWritableFile") -> None:
        """Make the object visible and durable, or leave nothing."""
        try:
            with translated():
                await writer.close()
                if self._folder is not None:
                    await asyncio.to_thread(settle, self._folder, key)
        except BaseException:
            # In a task of its own: a cancelled request is cancelled again at its next await.
            task = asyncio.create_task(self._clear(key))
            self._clearing.add(task)
            task.add_done_callback(self._clearing.discard)
            await asyncio.shield(task)
            raise

    async def _clear(self, key: str) -> None:
        # The first failure is the one to report; `docent check` finds an object that no row names.
        with suppress(BlobStoreUnavailableError, StorageFullError):
            await self._remove(key)

    async def _remove(self, key: str) -> None:
        with suppress(BlobNotFoundError), translated():
            await obstore.delete_async(self._store, key)


def _is_ours(key: str) -> bool:
    """Tell whether ``put`` could have made this key: nothing else is written, and no key leads out of the store."""
    found = _KEY.fullmatch(key)
    return found is not None and found[2].endswith(found[1])


def _bucket(url: str) -> "ObjectStore":
    try:
        return from_url(
            url,
            client_options={"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=60)},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
        )
    except (BaseError, ValueError) as error:
        raise ConfigurationError("BLOB_URL is not a folder, memory: or the address of a bucket that is supported.") from error
