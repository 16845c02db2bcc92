"""Backups that are not restored, places that nothing is restored into, and backups of earlier releases."""

import io
import json
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from backend.core.config import plain_url
from backend.core.errors import BackupRefusedError, ConfigurationError, PlaceNotEmptyError
from backend.core.ids import new_id
from backend.db.backups.catalog import tables_of
from backend.db.migrations import reach, revisions
from backend.services.backup.manifest import Manifest, Member, written
from backend.services.backup.reading import BackupFile
from backend.services.backup.restoring import Restorer, verified
from backend.services.backup.writing import BackupWriter
from tests.support.backups import Place, backed_up, members, rows_past_the_policies
from tests.support.cluster import Database
from tests.support.files import a_file
from tests.support.workshop import Workshop


@pytest.fixture
async def backup(workshop: Workshop, tmp_path: Path) -> Path:
    """A good backup."""
    alice = await workshop.user()
    await workshop.indexed(alice, "Whales eat krill. " * 30)
    await backed_up(workshop, tmp_path / "backup.tar")
    return tmp_path / "backup.tar"


async def is_empty(place: Place) -> bool:
    rows = await rows_past_the_policies(place.database, ["users", "documents", "chunks"])
    return not any(rows.values()) and not place.files()


def rewritten(path: Path, change: Callable[[str, bytes], bytes]) -> None:
    """Write the archive again with other contents, whatever its manifest says."""
    with tarfile.open(path) as tar:
        contents = {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr] # all are files
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in contents.items():
            info, changed = tarfile.TarInfo(name), change(name, content)
            info.size = len(changed)
            tar.addfile(info, io.BytesIO(changed))


def test_a_byte_that_was_changed_is_noticed_wherever_it_is(backup: Path) -> None:
    whole = backup.read_bytes()
    with tarfile.open(backup) as tar:
        infos = tar.getmembers()
    for info in infos:
        for at in (info.offset + 2, info.offset_data, info.offset_data + info.size - 1):
            damaged = bytearray(whole)
            damaged[at] ^= 0x55
            backup.write_bytes(damaged)
            with pytest.raises(BackupRefusedError):
                BackupFile.verified(backup, revisions())


def test_a_backup_that_was_cut_anywhere_is_incomplete(backup: Path) -> None:
    whole = backup.read_bytes()
    with tarfile.open(backup) as tar:
        infos = tar.getmembers()
    for info in infos:
        for edge in (info.offset, info.offset + 100, info.offset_data, info.offset_data + info.size // 2):
            backup.write_bytes(whole[:edge])
            with pytest.raises(BackupRefusedError, match=r"incomplete|damaged|not a backup"):
                BackupFile.verified(backup, revisions())


async def test_of_a_damaged_backup_nothing_is_restored(backup: Path, place: Place) -> None:
    rewritten(backup, lambda name, content: content[:-1] + b"?" if name.startswith("files/") else content)
    with pytest.raises(BackupRefusedError, match=r"files/.* is not what was written\. Nothing was restored"):
        await place.restore(backup)
    assert await is_empty(place)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": 2, "release": "9.1"}, r"the format 2, and this release reads the format 1\. It was written by Docent 9\.1"),
        ({"revision": "9999", "release": "9.1"}, r"newer release, Docent 9\.1 \(revision 9999\)\. Upgrade Docent"),
        ({"created_at": "yesterday"}, "its description cannot be read"),
    ],
)
async def test_what_this_release_cannot_read_is_a_sentence(
    backup: Path, place: Place, changes: dict[str, Any], sentence: str
) -> None:
    def change(name: str, content: bytes) -> bytes:
        return json.dumps({**json.loads(content), **changes}).encode() if name == "docent-backup.json" else content

    rewritten(backup, change)
    with pytest.raises(BackupRefusedError, match=sentence):
        await place.restore(backup)
    assert await is_empty(place)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\0" * 4096, b"not a tar file " * 200])
async def test_other_files_are_no_backups(tmp_path: Path, place: Place, content: bytes) -> None:
    path = tmp_path / "something"
    path.write_bytes(content)
    with pytest.raises(BackupRefusedError, match="not a backup of Docent"):
        await place.restore(path)
    with pytest.raises(BackupRefusedError, match="No such file"):
        await place.restore(tmp_path / "nothing")


@pytest.mark.parametrize("key", ["../../etc/cron.d/evil", "/etc/passwd", "blobs/../../x", "blobs//x", ".ssh/authorized_keys"])
def test_a_manifest_that_names_files_elsewhere_is_refused(tmp_path: Path, backup: Path, key: str) -> None:
    def change(name: str, content: bytes) -> bytes:
        if name != "manifest.json":
            return content
        found = json.loads(content)
        [member] = [m for m in found["members"] if m["name"].startswith("files/")]
        member["name"] = f"files/{key}"
        return json.dumps(found).encode()

    rewritten(backup, change)
    with tarfile.open(backup) as tar:
        contents = {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr] # all are files
    with tarfile.open(backup, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in contents.items():
            info = tarfile.TarInfo(f"files/{key}" if name.startswith("files/") else name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    with pytest.raises(BackupRefusedError, match="a file that no store has"):
        BackupFile.verified(backup, revisions())


async def test_a_place_with_an_account_or_with_a_strange_file_is_left_alone(backup: Path, place: Place) -> None:
    stored = await place.blobs.put(a_file("strange.txt", b"of somebody else").pieces)
    with pytest.raises(PlaceNotEmptyError, match="files already"):
        await place.restore(backup)
    await place.blobs.delete(stored.key)

    async with place.opened() as there:
        await there.user("carol")
        before = await rows_past_the_policies(place.database, ["users", "documents", "settings"])
        with pytest.raises(PlaceNotEmptyError, match="accounts or documents"):
            await place.restore(backup)
        assert await rows_past_the_policies(place.database, ["users", "documents", "settings"]) == before
    assert place.files() == {}


async def test_a_restore_that_was_cut_can_be_done_again(backup: Path, place: Place) -> None:
    connection = await asyncpg.connect(plain_url(place.database.app_url))
    async with connection.transaction():
        await connection.execute("select from users")  # A running Docent reads.
        with pytest.raises(ConfigurationError, match="running Docent is using this database"):
            await place.restore(backup)
    await connection.close()
    assert place.files(), "the files come first"

    restored = await place.restore(backup)
    assert (restored.users, len(place.files())) == (1, 1)
    with pytest.raises(PlaceNotEmptyError):
        await place.restore(backup)


async def test_rows_that_are_not_as_many_as_were_written_are_rolled_back(backup: Path, place: Place) -> None:
    def change(name: str, content: bytes) -> bytes:
        if name != "manifest.json":
            return content
        found = json.loads(content)
        tables = [{**table, "rows": table["rows"] + (table["name"] == "chunks")} for table in found["tables"]]
        return json.dumps({**found, "tables": tables}).encode()

    rewritten(backup, change)
    with pytest.raises(BackupRefusedError, match=r"chunks has 1 rows, and not 2\. Nothing was restored"):
        await place.restore(backup)
    assert not any((await rows_past_the_policies(place.database, ["users", "documents", "chunks"])).values())


@asynccontextmanager
async def of_the_owner(database: Database) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(plain_url(database.owner_url))
    await connection.execute("select set_config('docent.mode', 'system', false)")
    yield connection
    await connection.close()


async def test_one_role_for_everything_works_and_a_role_that_owns_nothing_says_what_is_missing(
    workshop: Workshop, place: Place, tmp_path: Path
) -> None:
    alice = await workshop.furnished("alice")
    path = tmp_path / "backup.tar"
    await BackupWriter(workshop.database.owner_url, place.blobs, None).write(path, with_vectors=True)

    with pytest.raises(ConfigurationError, match="DATABASE_OWNER_URL"):
        await Restorer(place.database.app_url, place.blobs, None).restore(await verified(path))
    await Restorer(place.database.owner_url, place.blobs, None).restore(await verified(path))
    assert "secret_key" not in members(path)
    async with place.opened() as there:
        assert (await there.services.profile.me(alice)).id == alice


async def test_a_backup_of_an_earlier_release_is_brought_up_to_date(workshop: Workshop, place: Place, tmp_path: Path) -> None:
    alice, session = new_id(), new_id()
    await reach(workshop.database.owner_url, "0003")
    async with of_the_owner(workshop.database) as connection:
        assert "api_keys" not in {table.name for table in await tables_of(connection)}
        await connection.execute(
            "insert into users (id, username, email, password_hash) values ($1, 'alice', 'alice@example.com', 'x')",
            UUID(str(alice)),
        )
        await connection.execute("insert into chat_sessions (id, owner_id, title) values ($1, $2, 'Old')", session, alice)
    path = tmp_path / "old.tar"

    old = await backed_up(workshop, path)
    assert old.header.revision == "0003"
    await place.restore(path)

    async with place.opened() as there:
        assert (await there.services.profile.me(alice)).username == "alice"
        assert (await there.services.sessions.get(alice, session)).title == "Old"
        assert len(await there.rows("select from tiers")) == 3
        await there.furnished("bob")


def test_the_description_of_a_backup_is_read_as_it_was_written() -> None:
    manifest = Manifest((Member("tables/users.gz", 3, "00"),), (), ("blobs/aa/x",))
    assert json.loads(written(manifest)) == {
        "members": [{"name": "tables/users.gz", "size": 3, "sha256": "00"}],
        "tables": [],
        "missing": ["blobs/aa/x"],
    }
