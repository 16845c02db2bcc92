"""Backups and restores: everything comes back, and what was not finished finishes."""

import stat
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from backend.adapters.blob_stores.object_store import ObjectBlobStore
from backend.core.errors import BackupRefusedError, BlobStoreUnavailableError
from backend.core.ids import new_id
from backend.core.values.document import Upload
from backend.core.values.user import Caller, Origin
from backend.models import Base
from backend.services.backup.writing import BackupWriter
from tests.support.backups import KEY, Place, backed_up, members, rows_past_the_policies, walls
from tests.support.files import long_text
from tests.support.workshop import Workshop

TABLES = [table.name for table in Base.metadata.sorted_tables]
QUESTION = "What was catalogued about subject 7?"


async def test_every_row_and_every_file_comes_back(workshop: Workshop, place: Place, tmp_path: Path) -> None:
    alice = await workshop.furnished("alice")
    await workshop.furnished("bob")
    await workshop.services.documents.delete(alice, (await workshop.indexed(alice, "Thrown away.")).id)
    await workshop.uploaded(alice, "Tab\there, \\ there,\r\nand 🐳 everywhere.")
    path = tmp_path / "backup.tar"

    written = await backed_up(workshop, path)
    restored = await place.restore(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (written.users, written.documents, written.files, written.missing) == (2, 4, 4, ())
    assert written.bytes == path.stat().st_size
    assert (restored.rows, restored.files, restored.header) == (written.rows, written.files, written.header)
    before, after = await rows_past_the_policies(workshop.database, TABLES), await rows_past_the_policies(place.database, TABLES)
    assert {table for table in TABLES if before[table] != after[table]} == {
        *("chunk_vectors", "index_generations"),  # The index is filled again, in collections of new names.
        *("idempotency_keys", "reset_links"),
    }
    assert {table: len(after[table]) for table in TABLES} == {
        **{table: len(rows) for table, rows in before.items()},
        **{"idempotency_keys": 0, "reset_links": 0},
    }
    assert not [row for row in after["chunk_vectors"] if '"indexed": true' in row]
    assert place.files() == {str(file.relative_to(workshop.files)): file.read_bytes() for file in workshop.blobs()}
    assert place.secret_key == KEY
    assert await walls(place.database) == await walls(workshop.database)
    assert members(path)[0] == "docent-backup.json"
    assert members(path)[-1] == "manifest.json"


async def test_the_same_question_has_the_same_answer_and_the_index_is_filled_again_without_embedding(
    workshop: Workshop, place: Place, tmp_path: Path
) -> None:
    alice = await workshop.user()
    document = await workshop.indexed(alice, long_text(40).decode())
    asked = await workshop.retriever.retrieve(alice, QUESTION, within=None)

    await backed_up(workshop, tmp_path / "backup.tar")
    await place.restore(tmp_path / "backup.tar")

    async with place.opened() as there:
        answered = await there.retriever.retrieve(alice, QUESTION, within=None)
        assert [(p.chunk_id, p.text) for p in answered.passages] == [(p.chunk_id, p.text) for p in asked.passages]
        assert await there.in_index(alice) == 0
        await there.services.maintenance.reconcile()
        assert await there.jobs(document) == ["confirm_vectors"]
        await there.services.documents.confirm(alice, document.id)
        assert await there.in_index(alice) == document.chunks
        assert there.embedder.batches == []
        username = (await there.services.profile.me(alice)).username
        assert await there.services.accounts.sign_in(login=username, password="correct horse")
    assert await workshop.in_index(alice) == document.chunks, "the place that was backed up keeps its own index"


async def test_without_vectors_the_words_are_still_found(workshop: Workshop, place: Place, tmp_path: Path) -> None:
    alice = await workshop.user()
    await workshop.indexed(alice, long_text(40).decode())

    written = await backed_up(workshop, tmp_path / "small.tar", with_vectors=False)
    await backed_up(workshop, tmp_path / "large.tar")
    await place.restore(tmp_path / "small.tar")

    assert not written.header.with_vectors
    assert "tables/chunk_vectors.gz" not in members(tmp_path / "small.tar")
    assert (tmp_path / "small.tar").stat().st_size < (tmp_path / "large.tar").stat().st_size
    async with place.opened() as there:
        found = await there.retriever.retrieve(alice, QUESTION, within=None)
        assert "subject 7" in found.passages[0].text


async def finished(workshop: Workshop) -> None:
    """Do what the queue holds, as a worker would, until it holds nothing more; what has to wait does not."""
    services = workshop.services
    for _ in range(9):
        jobs = await workshop.rows(
            "delete from procrastinate_jobs returning task_name, args->>'owner_id' as o, args->>'document_id' as d"
        )
        for job in jobs:
            owner_id = UUID(job["o"])
            by_name = {"index_document": services.documents.index, "purge_document": services.documents.purge,
                       "purge_file": services.documents.purge_file, "confirm_vectors": services.documents.confirm}  # fmt: skip
            if job["task_name"] in by_name:
                await by_name[job["task_name"]](owner_id, UUID(job["d"]))
            elif job["task_name"] == "purge_account":
                await services.purger.purge(owner_id)
            else:
                await services.purger.purge_files(owner_id)


async def test_what_was_not_finished_finishes_in_the_other_place(workshop: Workshop, place: Place, tmp_path: Path) -> None:
    alice, gone = await workshop.user("alice"), await workshop.furnished("gone")
    waiting = await workshop.uploaded(alice, "Whales wait for nobody.")
    started = await workshop.uploaded(alice, "Whales were being read.")
    async with workshop.uow.of(alice) as tx:
        await tx.documents.start_attempt(alice, started.id)
    deleted = await workshop.indexed(alice, "Whales that were deleted.")
    await workshop.services.documents.delete(alice, deleted.id)
    session = await workshop.services.sessions.create(alice, title="Cut", document_ids=None)
    async with workshop.uow.of(alice) as tx:
        await tx.messages.add_turn(alice, session.id, question_id=new_id(), question="Q", answer_id=new_id(), model="m")
    caller = Caller(user_id=gone, role="user", tier="free", sign_in_id=gone)
    await workshop.services.profile.delete(caller, password="correct horse", origin=Origin())
    assert (await backed_up(workshop, tmp_path / "backup.tar")).files == 4

    await place.restore(tmp_path / "backup.tar")

    async with place.opened() as there:
        cut = (await there.services.sessions.messages(alice, session.id, limit=9, after=None)).items[-1]
        assert (cut.status, cut.error_code) == ("incomplete", "answer_cut")
        late = "now() - interval '2 minutes'"  # As if the backup were older than a moment.
        await there.rows(f"update documents set updated_at = {late}, deleted_at = case when deleted_at is not null then {late} end")  # noqa: S608
        await there.rows(f"update users set deleted_at = {late} where deleted_at is not null")  # noqa: S608
        await there.services.maintenance.reconcile()
        await there.services.maintenance.reconcile()
        await finished(there)
        assert [d.status for d in (await there.services.documents.page(alice, limit=9, after=None)).items] == ["ready", "ready"]
        assert await there.rows("select from users where id = $1", gone) == []
        assert await there.rows("select from documents where id = $1", deleted.id) == []
        assert len(there.blobs()) == 2
        found = await there.retriever.retrieve(alice, "Whales", within=None)
        assert {p.document_id for p in found.passages} == {waiting.id, started.id}


async def test_a_file_that_the_store_has_lost_is_named_and_the_rest_is_there(
    workshop: Workshop, place: Place, tmp_path: Path
) -> None:
    alice = await workshop.user()
    lost, kept = await workshop.indexed(alice, "This one is lost."), await workshop.indexed(alice, "This one is kept.")
    (workshop.files / lost.blob_key).unlink()

    written = await backed_up(workshop, tmp_path / "backup.tar")
    restored = await place.restore(tmp_path / "backup.tar")

    assert written.missing == restored.missing == (lost.blob_key,)
    assert set(place.files()) == {kept.blob_key}


class StoreThatIsAway(ObjectBlobStore):
    """A store that does not answer."""

    async def open(self, key: str) -> AsyncIterator[bytes]:
        """See ``BlobStore.open``."""
        if key:
            raise BlobStoreUnavailableError
        yield b""


async def test_a_backup_overwrites_nothing_and_leaves_nothing_when_it_fails(workshop: Workshop, tmp_path: Path) -> None:
    await workshop.furnished("alice")
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "taken.tar").write_text("mine")
    (folder / "killed.tar.partial").write_text("of one that was killed")

    with pytest.raises(BackupRefusedError, match="exists already"):
        await backed_up(workshop, folder / "taken.tar")
    with pytest.raises(BackupRefusedError, match="No such file or directory"):
        await backed_up(workshop, folder / "nowhere" / "backup.tar")
    away = BackupWriter(workshop.database.app_url, StoreThatIsAway.at(workshop.files), None)
    with pytest.raises(BlobStoreUnavailableError):
        await away.write(folder / "failed.tar", with_vectors=True)
    await backed_up(workshop, folder / "killed.tar")

    assert sorted(path.name for path in folder.iterdir()) == ["killed.tar", "taken.tar"]
    assert (folder / "taken.tar").read_text() == "mine"


async def test_neither_rows_nor_files_are_ever_in_memory_as_a_whole(workshop: Workshop, place: Place, tmp_path: Path) -> None:
    alice = await workshop.user()
    session = await workshop.services.sessions.create(alice, title="Long", document_ids=None)
    await workshop.rows(
        "insert into messages (id, owner_id, session_id, role, content, status)"
        " select gen_random_uuid(), $1, $2, 'user', repeat(md5(n::text), 320), 'complete' from generate_series(1, 3000) n",
        alice,
        session.id,
    )
    block = bytes(range(256)) * 4096

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(64):
            yield number.to_bytes(4, "big") + block

    await workshop.services.documents.upload(alice, Upload("large.txt", None, pieces()))
    tracemalloc.start()
    try:
        written = await backed_up(workshop, tmp_path / "backup.tar")
        await place.restore(tmp_path / "backup.tar")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert written.file_bytes == 64 * (len(block) + 4)
    assert peak < 24 << 20, "the store takes a file in blocks of 8 MiB"
