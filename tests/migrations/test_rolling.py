"""`docent migrate` of the next release, while processes of this one serve, end and begin again."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from backend.core.config import plain_url
from backend.core.errors import ConfigurationError
from backend.db import migrations
from backend.db.migrations import assert_current, migrate, reach, revisions
from tests.conftest import ApplicationFactory, registered
from tests.migrations.test_migrations import empty  # noqa: F401 - a fixture
from tests.migrations.test_versions import rows
from tests.support.backups import backed_up
from tests.support.cluster import Cluster, Database
from tests.support.workshop import open_workshop

HEAD = revisions()[-1]
EXPANDS = """
revision, down_revision, works_with = "9001", "{head}", "{head}"
def upgrade():
    op.add_column("documents", sa.Column("place", sa.String(), server_default="shelf", nullable=False))
    op.execute("create table badges (owner_id uuid references users on delete cascade)")
def downgrade():
    op.execute("drop table badges")
    op.drop_column("documents", "place")
"""
INDEXES = """
revision, down_revision, works_with = "9002", "9001", "{head}"
def upgrade():
    build_index("ix_documents_place", "documents (place)")
def downgrade():
    drop_index("ix_documents_place")
"""
CONTRACTS = """
revision, down_revision, works_with = "9003", "9002", "9001"
def upgrade():
    op.drop_column("documents", "notes")
def downgrade():
    op.add_column("documents", sa.Column("notes", sa.ARRAY(sa.String()), server_default="{{}}", nullable=False))
"""
IMPORTS = "import sqlalchemy as sa\nfrom alembic import op\nfrom backend.db.online_indexes import build_index, drop_index\n"

WAITED_FOR = "select exists (select from pg_locks where not granted and relation = 'chat_sessions'::regclass)"

Releases = Callable[[str], None]


@pytest.fixture
def becomes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Releases:
    """Let this process be a release: `becomes("9002")` has the revisions up to that one, `becomes(HEAD)` is today's."""
    scripts = migrations.SCRIPTS

    def become(newest: str) -> None:
        folder = tmp_path / f"alembic-{newest}"
        if not folder.exists():
            shutil.copytree(scripts, folder)
            for text in (EXPANDS, INDEXES, CONTRACTS):
                number = text.split('"')[1]
                if number <= newest:
                    (folder / "versions" / f"2027_01_01_{number}_next.py").write_text(IMPORTS + text.format(head=HEAD))
        monkeypatch.setattr(migrations, "SCRIPTS", folder)

    return become


async def test_this_release_serves_ends_and_begins_again_on_the_schema_of_the_next(
    application: ApplicationFactory, database: Database, becomes: Releases
) -> None:
    async with application() as running:
        alice = await registered(running.services, "alice")
        becomes("9002")
        assert await migrate(database.owner_url) is True
        becomes(HEAD)
        await running.services.sessions.create(alice, title="Before", document_ids=None)

    assert await migrate(database.owner_url) is False
    assert (await assert_current(database.app_url)).oldest == HEAD
    async with application() as begun:
        await begun.services.sessions.create(alice, title="After", document_ids=None)
    assert [row[0] for row in await rows(database, "select title from chat_sessions order by id")] == ["Before", "After"]
    assert [
        row[0] for row in await rows(database, "select indisvalid from pg_index where indexrelid = 'ix_documents_place'::regclass")
    ] == [True]

    becomes("9002")
    await reach(database.owner_url, HEAD)
    becomes(HEAD)
    assert (await assert_current(database.app_url)).revision == HEAD


async def test_a_schema_that_no_longer_works_with_this_release_is_refused_with_a_sentence(
    database: Database, becomes: Releases
) -> None:
    becomes("9003")
    await migrate(database.owner_url)
    becomes(HEAD)
    told = r"newer release \(revision 9003\)\. Upgrade Docent\. It works with releases from revision 9001 on\."
    for refused in (migrate(database.owner_url), assert_current(database.app_url)):
        with pytest.raises(ConfigurationError, match=told):
            await refused
    becomes("9001")
    assert await migrate(database.owner_url) is False
    becomes(HEAD)
    await rows(database, "comment on table alembic_version is null")
    with pytest.raises(ConfigurationError, match=r"newer release \(revision 9003\)\. Upgrade Docent\.$"):
        await migrate(database.owner_url)


async def test_a_backup_is_left_to_the_release_that_knows_all_of_the_database(
    cluster: Cluster, database: Database, becomes: Releases, tmp_path: Path
) -> None:
    async with open_workshop(cluster, database, tmp_path / "files") as workshop:
        await workshop.user()
        becomes("9001")
        await migrate(database.owner_url)
        becomes(HEAD)
        with pytest.raises(ConfigurationError, match=r"revision 9001.* Back it up with that release"):
            await backed_up(workshop, tmp_path / "backup.tar")
    assert not (tmp_path / "backup.tar").exists()


async def test_an_index_that_was_left_unfinished_is_built_anew(database: Database, becomes: Releases) -> None:
    becomes("9001")
    await migrate(database.owner_url)
    async with asyncio.timeout(60):
        connection = await asyncpg.connect(plain_url(database.owner_url))
        other = await asyncpg.connect(plain_url(database.owner_url))
        held = other.transaction()
        await held.start()
        await other.execute("lock table documents in row exclusive mode")
        await connection.execute("set lock_timeout = '100ms'")
        with pytest.raises(asyncpg.LockNotAvailableError):  # As one that was killed leaves it: there, and of no use.
            await connection.execute("create index concurrently ix_documents_place on documents (place)")
        await held.rollback()
        await other.close()
        valid = "select indisvalid from pg_index where indexrelid = 'ix_documents_place'::regclass"
        assert await connection.fetchval(valid) is False

        becomes("9002")
        assert await migrate(database.owner_url) is True
        assert await connection.fetchval(valid) is True
        await connection.close()


async def waits(connection: Any) -> None:
    """Until somebody waits for a table."""
    async with asyncio.timeout(60):
        while not await connection.fetchval(WAITED_FOR):  # noqa: ASYNC110 - PostgreSQL tells nobody
            await asyncio.sleep(0.01)


async def test_a_migration_that_waits_for_a_long_reader_does_not_make_everybody_else_wait(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_SECONDS", 0.2)
    monkeypatch.setattr(migrations, "PAUSE_SECONDS", 0.1)
    await reach(database.owner_url, "0008")
    reader, other = [await asyncpg.connect(plain_url(database.app_url)) for _ in range(2)]
    reading = reader.transaction()
    await reading.start()
    await reader.fetch("select from chat_sessions")

    with pytest.raises(ConfigurationError, match="for 0 seconds others held a table"):
        await migrate(database.owner_url, patience_seconds=0)
    migrating = asyncio.create_task(migrate(database.owner_url))
    for _ in range(3):
        await waits(other)
        async with asyncio.timeout(60):
            await other.fetch("select from chat_sessions")
    assert not migrating.done()

    await reading.rollback()
    assert await asyncio.wait_for(migrating, 60) is True
    for connection in (reader, other):
        await connection.close()


async def test_releases_that_come_one_by_one_and_at_once_end_at_the_same_record(empty: Database, becomes: Releases) -> None:  # noqa: F811
    becomes("9002")
    assert await migrate(empty.owner_url) is True
    assert (await assert_current(empty.app_url)).oldest == HEAD
    becomes("9003")
    assert await migrate(empty.owner_url) is True
    assert (await assert_current(empty.app_url)).oldest == "9001"
