"""Migrations: from nothing, at once from many sides, and back."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.command import downgrade
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from backend.core.config import plain_url
from backend.core.errors import ConfigurationError, DatabaseUnavailableError
from backend.db.migrations import SCRIPTS, assert_current, migrate, revisions
from backend.models import Base
from tests.support.cluster import Cluster, Database
from tests.support.workshop import open_workshop

T = TypeVar("T")

OBJECTS = """
select 'table ' || c.relname || ' ' || c.relkind::text from pg_class c
 where c.relnamespace = 'public'::regnamespace and c.relkind <> 't' and c.relname !~ '^alembic_version'
union all select 'function ' || p.oid::regprocedure::text from pg_proc p where p.pronamespace = 'public'::regnamespace
union all select 'type ' || t.typname from pg_type t where t.typnamespace = 'public'::regnamespace and t.typtype = 'e'
union all select 'policy ' || tablename || ' ' || policyname || ' ' || qual from pg_policies
"""


@pytest.fixture
async def empty(cluster: Cluster) -> AsyncIterator[Database]:
    """A database without tables, made as the launcher makes one."""
    server = cluster.template.owner_url.rpartition("/")[0]
    connection = await asyncpg.connect(plain_url(f"{server}/postgres"))
    await connection.execute("create database migrations_test owner docent_owner template template0")
    inside = await asyncpg.connect(plain_url(f"{server}/migrations_test"))
    await inside.execute("grant usage, create on schema public to docent_definer; grant usage on schema public to docent_app")
    await inside.close()
    yield Database(f"{server}/migrations_test", f"{cluster.template.app_url.rpartition('/')[0]}/migrations_test")
    await connection.execute("drop database migrations_test with (force)")
    await connection.close()


async def objects(url: str) -> set[str]:
    connection = await asyncpg.connect(plain_url(url))
    try:
        return {row[0] for row in await connection.fetch(OBJECTS)}
    finally:
        await connection.close()


def configured(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


async def run(url: str, function: Callable[[Connection], T]) -> T:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        result = await connection.run_sync(function)
        await connection.commit()
    await engine.dispose()
    return result


async def test_up_from_nothing_down_to_nothing_and_up_again(empty: Database) -> None:
    assert await objects(empty.owner_url) == set()
    assert await migrate(empty.owner_url) is True
    first = await objects(empty.owner_url)
    assert {f"table {table.name} r" for table in Base.metadata.sorted_tables} <= first

    await run(empty.owner_url, lambda connection: downgrade(configured(connection), "base"))
    assert await objects(empty.owner_url) == set()

    with pytest.raises(ConfigurationError, match="docent migrate"):
        await assert_current(empty.app_url)
    assert await migrate(empty.owner_url) is True
    assert await objects(empty.owner_url) == first
    await assert_current(empty.app_url)


async def test_the_models_say_what_the_database_is(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {"include_name": lambda name, kind, _: not (kind == "table" and name.startswith("procrastinate_"))}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))

    assert await run(database.owner_url, differences) == []


async def test_of_four_that_migrate_at_once_one_does(empty: Database) -> None:
    outcomes = await asyncio.wait_for(asyncio.gather(*(migrate(empty.owner_url) for _ in range(4))), 30)
    assert sorted(outcomes) == [False, False, False, True]


async def test_a_revision_that_fails_leaves_nothing_and_the_next_migration_goes_on_from_there(empty: Database) -> None:
    connection = await asyncpg.connect(plain_url(empty.owner_url))
    await connection.execute("create table procrastinate_jobs (id int)")  # In the way of the third revision.
    with pytest.raises(Exception, match="procrastinate_jobs"):
        await migrate(empty.owner_url)
    assert await connection.fetchval("select version_num from alembic_version") == "0002"
    assert [name for name in await objects(empty.owner_url) if "procrastinate" in name] == ["table procrastinate_jobs r"]

    await connection.execute("drop table procrastinate_jobs")
    await connection.close()
    assert await asyncio.wait_for(migrate(empty.owner_url), 30) is True


async def test_a_database_that_is_up_to_date_costs_no_import_of_alembic(database: Database) -> None:
    program = (
        "import asyncio, sys; from backend.db.migrations import migrate;"
        "assert asyncio.run(migrate(sys.argv[1])) is False; assert not [name for name in sys.modules if name.startswith('alembic')]"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, database.owner_url)
    assert await asyncio.wait_for(process.wait(), 30) == 0


def test_the_names_of_the_files_are_the_chain() -> None:
    chain = [script.revision for script in ScriptDirectory.from_config(configured()).walk_revisions()]
    assert revisions() == chain[::-1]


@pytest.mark.parametrize("host", ["127.0.0.1:9", "nobody.invalid:5432"])
async def test_a_server_that_does_not_answer_is_a_database_that_is_down(database: Database, host: str) -> None:
    address = database.owner_url.rpartition("@")[2].partition("/")[0]
    with pytest.raises(DatabaseUnavailableError):
        await migrate(database.owner_url.replace(address, host))


async def test_the_serving_role_may_do_its_work_and_not_write_the_version(
    empty: Database, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    await migrate(empty.owner_url)
    async with open_workshop(cluster, empty, tmp_path_factory.mktemp("grants")) as workshop:
        alice = await workshop.furnished("alice")
        question = await workshop.retriever.retrieve(alice, "What do whales eat? krill", within=None)
        assert len(question.passages) == 1
    connection = await asyncpg.connect(plain_url(empty.app_url))
    assert await connection.fetchval("select version_num from alembic_version") == revisions()[-1]
    for statement in (
        "update alembic_version set version_num = '0000'",
        "delete from alembic_version",
        "insert into alembic_version values ('1')",
        "drop table documents",
        "alter table documents disable row level security",
        "create table public.mine (id int)",
        "set role docent_owner",
        "set role docent_definer",
        "truncate documents",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()
