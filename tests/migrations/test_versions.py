"""The revision that brings versions, with rows in place: what was searchable stays so, there and back."""

from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from alembic.command import downgrade, upgrade

from backend.core.config import plain_url
from tests.migrations.test_migrations import configured, run
from tests.support.cluster import Cluster, Database
from tests.support.files import a_file, long_text
from tests.support.soundness import assert_settled
from tests.support.two_models import do_all, open_two_models
from tests.support.workshop import open_workshop

TEXT = long_text(10).decode()
QUESTION = "What was catalogued about subject 7?"


async def to_revision(database: Database, revision: str) -> None:
    move = downgrade if revision < "0005" else upgrade
    await run(database.owner_url, lambda connection: move(configured(connection), revision))


async def rows(database: Database, sql: str) -> list[Any]:
    connection = await asyncpg.connect(plain_url(database.owner_url))
    try:
        await connection.execute("select set_config('docent.mode', 'system', false)")
        return list(await connection.fetch(sql))
    finally:
        await connection.close()


async def candidates(database: Database, owner_id: UUID) -> int:
    """Return how many chunks the lexical leg of the revision in place finds."""
    connection = await asyncpg.connect(plain_url(database.app_url))
    try:
        await connection.execute("select set_config('docent.owner_id', $1, false)", str(owner_id))
        sql = "select count(*) from docent_lexical_candidates(to_tsquery('english', 'subject'), null, 100)"
        return int(await connection.fetchval(sql))
    finally:
        await connection.close()


async def test_what_was_searchable_before_the_upgrade_is_searchable_after_it(
    cluster: Cluster, database: Database, tmp_path: Path
) -> None:
    async with open_workshop(cluster, database, tmp_path) as workshop:
        alice = await workshop.user()
        ready = await workshop.indexed(alice, TEXT)
        waiting = await workshop.uploaded(alice, "A diary that waits.")
        before = (await workshop.retriever.retrieve(alice, QUESTION, within=None)).passages
    await to_revision(database, "0004")
    assert await candidates(database, alice) == ready.chunks
    await to_revision(database, "head")

    async with open_workshop(cluster, database, tmp_path) as workshop:
        found = await workshop.services.documents.get(alice, ready.id)
        assert (found.status, found.version, found.live_version, found.queued_at) == ("ready", 1, 1, ready.created_at)
        assert (await workshop.services.documents.get(alice, waiting.id)).live_version is None
        assert (await workshop.retriever.retrieve(alice, QUESTION, within=None)).passages == before
        assert (await workshop.services.documents.text(alice, ready.id, start=0, end=10**6))[0] == TEXT
        await do_all(workshop)
        await workshop.services.documents.replace(alice, ready.id, a_file("new.txt", b"Blue whales eat krill."))
        await do_all(workshop)
        await assert_settled(workshop, alice)


async def test_a_downgrade_keeps_what_the_release_before_can_read(cluster: Cluster, database: Database, tmp_path: Path) -> None:
    async with open_two_models(cluster, database, tmp_path) as models:
        workshop = models.workshop
        alice = await workshop.user()
        document = await workshop.indexed(alice, "The first edition.\n\n" + TEXT)
        await workshop.services.documents.replace(alice, document.id, a_file("new.txt", TEXT.encode()))
        await workshop.services.reindexing.change(models.small.identity)
        await do_all(workshop)
        (one, *_) = await workshop.rows("select chunk_id from chunk_vectors where length(vector) = 128")
        await workshop.rows("update chunk_vectors set vector = null where chunk_id = $1 and length(vector) = 128", one["chunk_id"])
        chunks = (await workshop.services.documents.get(alice, document.id)).chunks
        assert len(await workshop.rows("select from document_texts")) == 2

    await to_revision(database, "0004")

    assert [row["text"] for row in await rows(database, "select text from document_texts")] == [TEXT]
    assert len(await rows(database, "select from chunks")) == await candidates(database, alice) == chunks
    assert len(await rows(database, "select from chunk_vectors")) == 2 * chunks - 1
    assert {row["state"] for row in await rows(database, "select state from index_generations")} == {"ready", "building"}
    assert [row["status"] for row in await rows(database, "select status from documents")] == ["ready"]


@pytest.mark.parametrize("waits", [True, False])
async def test_an_unfinished_version_is_all_that_a_downgrade_keeps_of_its_document(
    cluster: Cluster, database: Database, tmp_path: Path, waits: bool
) -> None:
    async with open_workshop(cluster, database, tmp_path) as workshop:
        alice = await workshop.user()
        document = await workshop.indexed(alice, TEXT)
        await workshop.services.documents.replace(alice, document.id, a_file("new.txt", b"Blue whales eat krill."))
        if not waits:
            await workshop.services.documents.cancel(alice, document.id)
    await to_revision(database, "0004")
    assert await candidates(database, alice) == 0
    assert [row["status"] for row in await rows(database, "select status from documents")] == ["pending" if waits else "failed"]
