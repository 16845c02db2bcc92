"""The previous release works on the schema of this one, so that it can serve while `docent migrate` runs, and after it."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from backend.core.config import plain_url
from backend.db.migrations import revisions
from backend.db.releases import oldest_release
from tests.migrations.manifest.cases import COMPATIBLE, INCOMPATIBLE
from tests.migrations.manifest.comparing import incompatibilities
from tests.migrations.manifest.reading import FOLDER, Manifest, manifest_of, written
from tests.migrations.test_migrations import configured
from tests.support.cluster import Cluster, Database

PREVIOUS = sorted(path.stem for path in FOLDER.glob("*.json"))[-1]
"""The newest revision of the previous release; `make schema-manifest` writes its manifest when a release is made."""

ACCEPTED: dict[str, str] = {}
"""Differences that the previous release can live with all the same, as the comparison words them, each with the reason."""


@pytest.fixture(scope="module")
async def connection(cluster: Cluster) -> AsyncIterator[Any]:
    async with cluster.database() as database:
        opened = await asyncpg.connect(plain_url(database.owner_url))
        yield opened
        await opened.close()


@pytest.fixture(scope="module")
async def present(connection: Any) -> Manifest:
    return await manifest_of(connection)


async def changed(connection: Any, sql: str) -> Manifest:
    """What the schema would be after a change, which is taken back."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(sql)
        return await manifest_of(connection)
    finally:
        await transaction.rollback()


async def test_the_previous_release_works_on_the_schema_of_this_one(connection: Any) -> None:
    assert [line for line in incompatibilities(written(PREVIOUS), await manifest_of(connection)) if line not in ACCEPTED] == []


def test_the_last_revision_that_went_before_a_release_was_compatible_too() -> None:
    assert incompatibilities(written("0008"), written("0009")) == []
    # And not the other way round: the check sees what that revision added.
    assert incompatibilities(written("0009"), written("0008")) == ["table chat_sessions: column model is gone"]


def test_the_database_will_say_that_the_previous_release_works_on_it() -> None:
    scripts = list(ScriptDirectory.from_config(configured()).walk_revisions())[::-1]
    chain = [(script.revision, getattr(script.module, "works_with", None)) for script in scripts]
    known = revisions()

    assert known.index(oldest_release(chain)) <= known.index(PREVIOUS)
    for revision, works_with in chain[known.index("0009") + 1 :]:
        assert works_with in known[: known.index(revision)], f"{revision} has to say what it works_with"


def test_what_works_on_a_database_is_what_works_with_all_of_its_revisions() -> None:
    chain: list[tuple[str, str | None]] = [("a", None), ("b", None), ("c", "b"), ("d", "a"), ("e", "c")]
    assert [oldest_release(chain[:end]) for end in range(1, 6)] == ["a", "b", "b", "b", "c"]


@pytest.mark.parametrize("change", INCOMPATIBLE)
async def test_a_change_that_the_previous_release_could_not_live_with_is_found(
    connection: Any, present: Manifest, change: str
) -> None:
    sql, told = INCOMPATIBLE[change]
    assert told in incompatibilities(present, await changed(connection, sql))


@pytest.mark.parametrize("change", COMPATIBLE)
async def test_a_change_that_nobody_notices_is_no_reason_to_stop(connection: Any, present: Manifest, change: str) -> None:
    assert incompatibilities(present, await changed(connection, COMPATIBLE[change])) == []


async def test_an_index_that_was_never_finished_is_seen(database: Database) -> None:
    connection = await asyncpg.connect(plain_url(database.owner_url))
    indexes = [index for table in (await manifest_of(connection))["tables"].values() for index in table["indexes"].values()]
    await connection.close()
    assert indexes
    assert all(index["valid"] for index in indexes)
