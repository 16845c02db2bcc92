"""Listing what a `BlobStore` holds, and writing it back under its keys."""

import asyncio
import hashlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from backend.adapters.blob_stores.object_store import ObjectBlobStore
from backend.core.clock import now
from backend.core.errors import BlobNotFoundError
from backend.core.transactions import transaction_open
from backend.ports.blob_store import BlobInfo, BlobStore

LARGE = 20 << 20
ENDING_EARLY = """
import asyncio, sys
from backend.adapters.blob_stores.object_store import ObjectBlobStore

async def main():
    async for blob in ObjectBlobStore.at(sys.argv[1]).keys():
        return blob.size

print(asyncio.run(main()))
"""


async def pieces_of(data: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(store: BlobStore, key: str) -> bytes:
    return b"".join([piece async for piece in store.open(key)])


async def listed(store: BlobStore) -> list[BlobInfo]:
    return [blob async for blob in store.keys()]  # noqa: SIM118 - not those of a dictionary


async def sizes(store: BlobStore) -> dict[str, int]:
    return {blob.key: blob.size for blob in await listed(store)}


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def a_key() -> str:
    name = uuid4().hex
    return f"blobs/{name[-2:]}/{name}"


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectBlobStore:
    return ObjectBlobStore.at(tmp_path / "data" if request.param == "folder" else "memory:")


def test_it_is_a_blob_store(store: ObjectBlobStore) -> None:
    port: BlobStore = store
    assert port is store


async def test_every_blob_is_listed_with_its_size_and_time(store: ObjectBlobStore) -> None:
    assert await sizes(store) == {}
    made = [await store.put(pieces_of(bytes(size))) for size in (0, 1, 70_000)]

    assert await sizes(store) == {blob.key: blob.size for blob in made}
    assert all(abs(now() - blob.modified) < timedelta(minutes=1) for blob in await listed(store))
    await store.delete(made[0].key)
    assert made[0].key not in await sizes(store)


async def test_only_finished_blobs_of_ours_are_listed(tmp_path: Path) -> None:
    store = ObjectBlobStore.at(tmp_path)
    kept = await store.put(pieces_of(b"hello"))
    await store.check()
    folder = (tmp_path / kept.key).parent
    for stray in (f"{uuid4().hex}#1", "notes.txt", uuid4().hex[:-2] + ("00" if folder.name != "00" else "01")):
        (folder / stray).write_text("not a blob")
    (tmp_path / "blobs" / "README").write_text("not a blob")
    (tmp_path / uuid4().hex).write_text("not a blob")

    assert await sizes(store) == {kept.key: 5}


async def test_a_blob_that_is_being_written_is_not_listed(store: ObjectBlobStore) -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield bytes(LARGE)
        begun.set()
        await end.wait()

    writing = asyncio.create_task(store.put(slowly()))
    await begun.wait()
    assert await sizes(store) == {}

    end.set()
    written = await writing
    assert await sizes(store) == {written.key: LARGE}


async def test_blobs_that_are_deleted_while_they_are_listed_do_no_harm(
    store: ObjectBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.adapters.blob_stores.object_store.store._PAGE", 5)
    made = [(await store.put(pieces_of(b"hello"))).key for _ in range(60)]

    seen = []
    async for blob in store.keys():
        seen.append(blob.key)
        if len(seen) == 1:
            await asyncio.gather(*(store.delete(key) for key in made if key != blob.key))

    assert set(seen) <= set(made)
    assert await sizes(store) == {seen[0]: 5}


@pytest.mark.parametrize("size", [0, 5, LARGE])
async def test_what_is_written_under_its_key_is_what_was_there(store: ObjectBlobStore, size: int) -> None:
    key, data = a_key(), os.urandom(1) * size

    blob = await store.write(key, pieces_of(data))

    assert (blob.key, blob.size, blob.sha256) == (key, size, hashlib.sha256(data).hexdigest())
    assert await read(store, key) == data


async def test_writing_again_replaces_whole_or_not_at_all(store: ObjectBlobStore) -> None:
    key = (await store.put(pieces_of(b"first"))).key

    async def failing() -> AsyncIterator[bytes]:
        yield bytes(LARGE)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await store.write(key, failing())
    assert await read(store, key) == b"first"

    await store.write(key, pieces_of(b"second"))
    assert await read(store, key) == b"second"
    assert await sizes(store) == {key: 6}


@pytest.mark.parametrize(
    "key",
    [
        "",
        "check",
        "/etc/passwd",
        "../secret_key",
        "blobs/../../secret_key",
        f"blobs/00/{'0' * 31}1",
        f"blobs/00/{'0' * 32}\n",
        f"blobs/00/{'0' * 32}/x",
        f"/blobs/00/{'0' * 32}",
        f"blobs/00/{'0' * 32}#1",
        f"blobs/AA/{'A' * 32}",
        f"blobs/00/{'٠' * 32}",
    ],
)
async def test_a_key_that_leads_elsewhere_is_refused(tmp_path: Path, key: str) -> None:
    store = ObjectBlobStore.at(tmp_path / "data")

    with pytest.raises(ValueError, match="never made"):
        await store.write(key, pieces_of(b"hello"))

    assert files_in(tmp_path) == []


async def test_a_blob_that_was_written_is_private(tmp_path: Path) -> None:
    key = a_key()
    await ObjectBlobStore.at(tmp_path).write(key, pieces_of(b"secret"))

    assert (tmp_path / key).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("key", ["../secret_key", "/etc/passwd", "blobs/../../secret_key", "stray", ""])
async def test_nothing_but_blobs_is_read_or_deleted(tmp_path: Path, key: str) -> None:
    (tmp_path / "secret_key").write_text("secret")
    store = ObjectBlobStore.at(tmp_path / "data")
    (tmp_path / "data" / "stray").write_text("of somebody else")

    with pytest.raises(BlobNotFoundError):
        await read(store, key)
    await store.delete(key)

    assert {path.name for path in files_in(tmp_path)} == {"secret_key", "stray"}


async def test_listing_may_end_early_in_a_program_that_ends(tmp_path: Path) -> None:
    store = ObjectBlobStore.at(tmp_path)
    for _ in range(3):
        await store.put(pieces_of(b"hello"))

    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", ENDING_EARLY, str(tmp_path)], check=False, timeout=60, capture_output=True, text=True
    )

    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "5", "")


async def test_it_refuses_to_list_or_write_inside_a_transaction(store: ObjectBlobStore) -> None:
    token = transaction_open.set(True)
    try:
        with pytest.raises(RuntimeError, match="open transaction"):
            await sizes(store)
        with pytest.raises(RuntimeError, match="open transaction"):
            await store.write(a_key(), pieces_of(b"hello"))
    finally:
        transaction_open.reset(token)
