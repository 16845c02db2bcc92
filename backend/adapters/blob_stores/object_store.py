"""Blobs in a local folder, in memory, or in a bucket of any store that obstore speaks to."""

import asyncio
import errno
import hashlib
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, from_url

from backend.core.clock import now
from backend.core.errors import BlobNotFoundError, BlobStoreUnavailableError, ConfigurationError, DocentError, StorageFullError
from backend.core.ids import new_id
from backend.core.transactions import assert_no_transaction
from backend.ports.blob_store import StoredBlob

if TYPE_CHECKING:
    from obstore import AsyncWritableFile
    from obstore.store import ObjectStore

_BLOCK = 1 << 20
_PART = 8 << 20
_PIECE = 256 << 10
_HASH_INLINE = 64 << 10
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_OS_ERROR = re.compile(r"\(os error (\d+)\)")


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
        assert_no_transaction("storing a file")
        name = new_id().hex
        key = f"blobs/{name[-2:]}/{name}"  # the first characters of a UUIDv7 are a clock and would all be one folder
        digest, size = hashlib.sha256(), 0
        writer = obstore.open_writer_async(self._store, key, buffer_size=_PART, max_concurrency=2)
        try:
            async with aclosing(_blocks(pieces)) as blocks:
                async for block in blocks:
                    size += len(block)
                    with _translated():
                        await asyncio.gather(_hash(digest, block), writer.write(block))
            await self._publish(key, writer)
        finally:
            del writer  # An unclosed writer that is let go removes what it staged; a traceback would keep it alive.
        return StoredBlob(key=key, size=size, sha256=digest.hexdigest())

    async def open(self, key: str) -> AsyncIterator[bytes]:
        """See ``BlobStore.open``."""
        assert_no_transaction("reading a file")
        with _translated():
            stream = (await obstore.get_async(self._store, key)).stream(min_chunk_size=_PIECE)
        while True:
            with _translated():
                piece = await anext(stream, None)
            if piece is None:
                return
            yield bytes(piece)

    async def delete(self, key: str) -> None:
        """See ``BlobStore.delete``."""
        assert_no_transaction("deleting a file")
        with suppress(BlobNotFoundError), _translated():
            await obstore.delete_async(self._store, key)

    async def check(self) -> None:
        """See ``BlobStore.check``. Writes and removes one small object; a full store cannot be written and fails too."""
        assert_no_transaction("checking the file storage")
        try:
            with _translated():
                await obstore.put_async(self._store, "check", b"docent")
        except StorageFullError as error:
            raise BlobStoreUnavailableError("The file storage is full.") from error
        await self.delete("check")

    async def sweep(self, *, older_than_seconds: float = 3600) -> int:
        """Remove what killed processes left half written in a local folder, and return how many files that were.

        Pass 0 only where no other process is writing. A bucket's abandoned multipart uploads want a lifecycle rule there.
        """
        assert_no_transaction("sweeping the file storage")
        if self._folder is None:
            return 0
        with _translated():
            return await asyncio.to_thread(_sweep, self._folder, now().timestamp() - older_than_seconds)

    async def _publish(self, key: str, writer: "AsyncWritableFile") -> None:
        """Make the object visible and durable, or leave nothing."""
        try:
            with _translated():
                await writer.close()
                if self._folder is not None:
                    await asyncio.to_thread(_settle, self._folder, key)
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
            await self.delete(key)


def _bucket(url: str) -> "ObjectStore":
    try:
        return from_url(
            url,
            client_options={"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=60)},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
        )
    except (BaseError, ValueError) as error:
        raise ConfigurationError("BLOB_URL is not a folder, memory: or the address of a bucket that is supported.") from error


async def _blocks(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Join the pieces into blocks of about a mebibyte: fewer calls, and hashing one is worth a thread."""
    held = bytearray()
    async for piece in pieces:
        held += piece
        if len(held) >= _BLOCK:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


async def _hash(digest: "hashlib._Hash", block: bytes) -> None:
    if len(block) < _HASH_INLINE:
        digest.update(block)
    else:
        await asyncio.to_thread(digest.update, block)


def _settle(folder: Path, key: str) -> None:
    """Make a file private, and force it and every folder down to it to the disk."""
    path = folder / key
    path.chmod(0o600)
    _fsync(path)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        for parent in path.relative_to(folder).parents:
            _fsync(folder / parent)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(folder: Path, before: float) -> int:
    """Remove the staging files, whose names obstore marks with ``#``, that were last written before a time."""
    removed = 0
    for path in list(folder.rglob("*#*")):
        try:
            if path.is_file() and path.stat().st_mtime <= before:
                path.unlink()
                removed += 1
        except FileNotFoundError:
            continue  # Its writer finished or gave up in this moment.
    return removed


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise _meaning(error) from error


def _meaning(error: BaseError | OSError) -> DocentError:
    """Name the situation. obstore tells the operating system's error number in its text only."""
    if isinstance(error, FileNotFoundError):
        return BlobNotFoundError()
    told = _OS_ERROR.search(str(error))
    number = int(told.group(1)) if told else getattr(error, "errno", None)
    return StorageFullError() if number in _NO_ROOM else BlobStoreUnavailableError()
