"""A disk that is full refuses an upload with a sentence, keeps nothing of it, and takes it once there is room."""

import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import httpx2
import pytest

from backend.core.config import plain_url
from tests.support.product import Account, Product, running_product

LARGE = b"A sentence about nothing in particular. " * 75_000
FULL_TABLE = (
    "create function disk_full() returns trigger language plpgsql as"
    " $$ begin raise exception 'could not extend file' using errcode = '53100'; end $$;"
    " create trigger disk_full before insert on documents for each row execute function disk_full()"
)


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of two megabytes."""
    mounted = tmp_path_factory.mktemp("small")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(mounted)], check=False, capture_output=True)
    if made.returncode != 0:
        pytest.skip("only root can mount a small file system")
    try:
        yield mounted
    finally:
        subprocess.run(["umount", "-l", str(mounted)], check=True)


@pytest.fixture(scope="module")
async def product(small_disk: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """A product of its own: its files are on the small disk, its database is not."""
    folder = tmp_path_factory.mktemp("product") / "data"
    async with running_product(folder, embedder="hashing", blob_url=small_disk.as_uri()) as running:
        yield running


def files_on(disk: Path) -> list[Path]:
    return [path for path in disk.rglob("*") if path.is_file()]


def assert_says_full(answer: httpx2.Response) -> None:
    problem = answer.json()
    assert answer.status_code == 507
    assert (problem["code"], problem["title"]) == ("storage_full", "Insufficient Storage")
    assert problem["detail"] == "There is no storage left on the server. Nothing was stored."


async def documents_of(account: Account) -> list[object]:
    found: list[object] = (await account.client.get("/api/v1/chat/documents")).json()["items"]
    return found


async def test_a_full_disk_of_files_is_507_and_nothing_is_half_stored(product: Product, small_disk: Path) -> None:
    async with product.account() as alice:
        assert_says_full(await alice.upload("large.txt", LARGE))

        assert files_on(small_disk) == []
        assert await documents_of(alice) == []
        accepted = await alice.upload("small.txt", LARGE[:4000])
        assert accepted.status_code == 202
        assert (await alice.settled(accepted.json()["id"]))["status"] == "ready"


async def test_the_same_upload_is_taken_once_there_is_room(product: Product, small_disk: Path) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(bytes(1_500_000))
    async with product.account() as alice:
        assert_says_full(await alice.upload("large.txt", LARGE[:1_000_000]))
        filler.unlink()

        assert (await alice.upload("large.txt", LARGE[:1_000_000])).status_code == 202
        assert len(await documents_of(alice)) == 1


async def test_a_full_disk_of_the_database_is_507_and_leaves_no_file(product: Product, small_disk: Path) -> None:
    instance = json.loads((Path(product.environment["DATA_DIR"]) / "instance.json").read_text())
    owner = await asyncpg.connect(plain_url(instance["owner_url"]))
    before = files_on(small_disk)
    await owner.execute(FULL_TABLE)
    try:
        async with product.account() as alice:
            assert_says_full(await alice.upload("notes.txt", b"no room for a row"))
            assert files_on(small_disk) == before

            await owner.execute("drop trigger disk_full on documents")
            assert (await alice.upload("notes.txt", b"no room for a row")).status_code == 202
    finally:
        await owner.execute("drop function disk_full cascade")
        await owner.close()
