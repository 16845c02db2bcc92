"""The contract of `BlobStore`, kept by a local folder and by memory."""

import asyncio
import hashlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from backend.adapters.blob_stores.object_store import ObjectBlobStore
from backend.core.errors import (
    BlobNotFoundError,
    BlobStoreUnavailableError,
    ConfigurationError,
    DocumentTooLargeError,
    StorageFullError,
)
from backend.core.transactions import transaction_open
from backend.ports.blob_store import BlobStore

LARGE = 20 << 20


async def pieces_of(data: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(store: BlobStore, key: str) -> bytes:
    return b"".join([piece async for piece in store.open(key)])


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def soon_empty(folder: Path) -> bool:
    """Whether the folder has no files, now or in a moment: the staging file is removed by a thread."""
    for _ in range(100):
        if not files_in(folder):
            return True
        await asyncio.sleep(0.02)
    return False


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectBlobStore:
    return ObjectBlobStore.at(tmp_path / "data" if request.param == "folder" else "memory:")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, (1 << 20) + 1, LARGE])
async def test_what_was_put_is_read_back_with_its_size_and_hash(store: ObjectBlobStore, size: int) -> None:
    data = os.urandom(min(size, 4096)) * (size // 4096 + 1)
    data = data[:size]

    blob = await store.put(pieces_of(data))

    assert (blob.size, blob.sha256) == (size, hashlib.sha256(data).hexdigest())
    assert await read(store, blob.key) == data


async def test_pieces_of_every_size_are_the_same_blob(store: ObjectBlobStore) -> None:
    data = os.urandom(50_000)

    small, large = await store.put(pieces_of(data, 7)), await store.put(pieces_of(data, 50_000))

    assert small.sha256 == large.sha256
    assert small.key != large.key
    assert small.key.startswith("blobs/")
    assert small.key.split("/")[1] == small.key[-2:]


@pytest.mark.parametrize("size", [100, LARGE])
@pytest.mark.parametrize("error", [DocumentTooLargeError(), OSError("from the client's side"), asyncio.CancelledError()])
async def test_an_error_in_the_pieces_passes_through_and_nothing_stays(folder: Path, size: int, error: BaseException) -> None:
    async def failing() -> AsyncIterator[bytes]:
        async for piece in pieces_of(bytes(size)):
            yield piece
        raise error

    store = ObjectBlobStore.at(folder)
    with pytest.raises(type(error)) as caught:
        await store.put(failing())

    assert caught.value is error
    assert await soon_empty(folder)


async def test_a_cancelled_put_leaves_nothing(folder: Path) -> None:
    begun, forever = asyncio.Event(), asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        async for piece in pieces_of(bytes(LARGE)):
            yield piece
        begun.set()
        await forever.wait()

    task = asyncio.create_task(ObjectBlobStore.at(folder).put(stalling()))
    await begun.wait()
    assert files_in(folder)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    del task
    assert await soon_empty(folder)


async def test_a_missing_blob_is_told_at_the_first_piece(store: ObjectBlobStore) -> None:
    pieces = store.open("blobs/00/missing")

    with pytest.raises(BlobNotFoundError):
        await anext(pieces)


async def test_deleting_removes_and_ignores_what_is_not_there(store: ObjectBlobStore) -> None:
    blob = await store.put(pieces_of(b"hello"))

    await store.delete(blob.key)
    await store.delete(blob.key)

    with pytest.raises(BlobNotFoundError):
        await read(store, blob.key)


async def test_a_store_that_works_passes_its_check_and_keeps_no_trace_of_it(store: ObjectBlobStore, folder: Path) -> None:
    await asyncio.gather(store.check(), store.check())

    assert files_in(folder) == []


async def test_it_refuses_to_work_inside_a_transaction(store: ObjectBlobStore) -> None:
    token = transaction_open.set(True)
    try:
        with pytest.raises(RuntimeError, match="open transaction"):
            await store.put(pieces_of(b"hello"))
        with pytest.raises(RuntimeError, match="open transaction"):
            await read(store, "blobs/00/any")
        with pytest.raises(RuntimeError, match="open transaction"):
            await store.delete("blobs/00/any")
    finally:
        transaction_open.reset(token)


async def test_folders_and_files_are_private(folder: Path) -> None:
    blob = await ObjectBlobStore.at(folder.as_uri()).put(pieces_of(b"secret"))

    assert [mode_of(path) for path in (folder, folder / "blobs", folder / blob.key)] == [0o700, 0o700, 0o600]


async def test_what_a_killed_process_left_is_swept_once_it_is_old(folder: Path) -> None:
    script = (
        "import asyncio, os, sys\n"
        "from backend.adapters.blob_stores.object_store import ObjectBlobStore\n"
        "async def pieces():\n"
        "    for _ in range(320): yield bytes(65536)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(ObjectBlobStore.at(sys.argv[1]).put(pieces()))\n"
    )
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", script, str(folder)], check=False, timeout=60)
    store = ObjectBlobStore.at(folder)
    kept = await store.put(pieces_of(b"hello"))
    assert len(files_in(folder)) == 2

    assert await store.sweep() == 0
    assert await store.sweep(older_than_seconds=0) == 1

    assert files_in(folder) == [folder / kept.key]


async def test_memory_has_nothing_to_sweep() -> None:
    assert await ObjectBlobStore.at("memory:").sweep(older_than_seconds=0) == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    mounted = tmp_path / "small"
    mounted.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(mounted)], check=False, capture_output=True)
    if made.returncode != 0:
        pytest.skip("only root can mount a small file system")
    try:
        yield mounted
    finally:
        subprocess.run(["umount", "-l", str(mounted)], check=True)


@pytest.mark.parametrize("size", [3 << 20, LARGE], ids=["found out at the end", "found out in the middle"])
async def test_a_full_disk_is_told_and_nothing_stays(small_disk: Path, size: int) -> None:
    store = ObjectBlobStore.at(small_disk)

    with pytest.raises(StorageFullError):
        await store.put(pieces_of(bytes(size)))

    assert await soon_empty(small_disk)
    assert await read(store, (await store.put(pieces_of(bytes(1 << 20)))).key) == bytes(1 << 20)


async def test_a_full_disk_does_not_pass_the_check(small_disk: Path) -> None:
    store = ObjectBlobStore.at(small_disk)
    with (small_disk / "filler").open("wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                continue
        except OSError:
            pass

    with pytest.raises(BlobStoreUnavailableError):
        await store.check()


async def test_a_folder_that_turned_into_a_file_is_unavailable(folder: Path) -> None:
    store = ObjectBlobStore.at(folder)
    (folder / "blobs").rmdir()
    (folder / "blobs").write_text("not a folder")

    with pytest.raises(BlobStoreUnavailableError):
        await store.put(pieces_of(b"hello"))


@pytest.mark.parametrize("location", ["bogus://bucket", "s3://"])
def test_a_location_that_is_none_is_a_mistake_in_the_configuration(location: str) -> None:
    with pytest.raises(ConfigurationError):
        ObjectBlobStore.at(location)


def test_a_folder_that_cannot_be_made_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(uuid4().hex)

    with pytest.raises(ConfigurationError):
        ObjectBlobStore.at(tmp_path / "file" / "data")
