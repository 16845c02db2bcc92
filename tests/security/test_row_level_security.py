"""The second wall: PostgreSQL itself shows nobody what is not theirs."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from sqlalchemy import text

from backend.core.config import plain_url
from backend.core.errors import ConfigurationError, SessionNotFoundError
from backend.core.ids import new_id
from backend.db.engine import make_engine
from backend.db.uow import UnitOfWork
from backend.db.walls import assert_walls
from backend.models import Base
from tests.security.conftest import OWNED, connected
from tests.support.cluster import Cluster, Database
from tests.support.workshop import Workshop

OWNERLESS = {"settings", "tiers", "alembic_version"}
SYSTEM_ONLY = {"audit_events"}
CATALOG = """
select c.relname, c.relrowsecurity, c.relforcerowsecurity,
       (select count(*) from pg_policy p where p.polrelid = c.oid and p.polpermissive and p.polcmd = '*' and p.polroles = '{0}')
         as policies,
       (select count(*) from pg_policy p where p.polrelid = c.oid) as all_policies
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
"""


async def counts(connection: object) -> dict[str, int]:
    return {
        table: await connection.fetchval(f"select count(*) from {table}")  # type: ignore[attr-defined] # noqa: S608 - our tables
        for table in OWNED
    }


async def test_every_table_with_an_owner_has_a_forced_policy_and_every_other_one_is_named_here(database: Database) -> None:
    async with connected(database.owner_url) as connection:
        rows = {row["relname"]: tuple(row)[1:] for row in await connection.fetch(CATALOG)}
    rows = {name: row for name, row in rows.items() if not name.startswith("procrastinate_")}

    assert {table.name for table in Base.metadata.sorted_tables} <= set(rows)
    walled = set(OWNED) | SYSTEM_ONLY
    assert set(rows) - OWNERLESS == walled
    assert {name: rows[name] for name in walled} == dict.fromkeys(walled, (True, True, 1, 1))


async def test_the_settings_decide_what_a_connection_sees_and_without_one_it_sees_nothing(workshop: Workshop) -> None:
    alice, bob, nobody = await workshop.furnished("alice"), await workshop.furnished("bob"), uuid4()
    urls = (workshop.database.app_url, workshop.database.owner_url)  # FORCE binds the role that owns the tables, too.

    for url in urls:
        for owner in (None, nobody):
            async with connected(url, owner) as connection:
                assert await counts(connection) == dict.fromkeys(OWNED, 0)
        for owner in (alice, bob):
            async with connected(url, owner) as connection:
                assert all((await counts(connection)).values())
                for table, column in OWNED.items():
                    owners = await connection.fetch(f"select distinct {column} as owner from {table}")  # noqa: S608 - our tables
                    assert [row["owner"] for row in owners] == [owner], table


async def test_everybody_adds_to_the_audit_log_and_only_the_system_reads_it(workshop: Workshop) -> None:
    alice = await workshop.furnished("alice")
    for url in (workshop.database.app_url, workshop.database.owner_url):
        for owner in (None, alice):
            async with connected(url, owner) as connection:
                assert await connection.fetchval("select count(*) from audit_events") == 0
                assert await connection.execute("delete from audit_events") == "DELETE 0"
    assert await workshop.rows("select from audit_events where subject_id = $1", alice)


async def test_nobody_can_write_change_or_give_away_rows_across_owners(workshop: Workshop) -> None:
    alice, bob = await workshop.furnished("alice"), await workshop.furnished("bob")
    for table, column in OWNED.items():
        (row, *_) = await workshop.rows(f"select to_jsonb(t) as row from {table} t where {column} = $1", alice)  # noqa: S608
        attempts = {
            f"insert into {table} select * from jsonb_populate_record(null::{table}, $1)": row["row"],  # noqa: S608
            f"update {table} set {column} = $1": alice,  # noqa: S608
        }
        for statement, argument in attempts.items():
            for owner in (bob, None):
                async with connected(workshop.database.app_url, owner) as connection:
                    if owner is None and statement.startswith("update"):
                        assert await connection.execute(statement, argument) == "UPDATE 0"
                        continue
                    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                        await connection.execute(statement, argument)
        async with connected(workshop.database.app_url, bob) as connection:
            assert await connection.execute(f"delete from {table} where {column} = $1", alice) == "DELETE 0"  # noqa: S608


async def test_nothing_leaks_over_the_pool_whichever_way_a_transaction_ends(workshop: Workshop) -> None:
    alice = await workshop.furnished("alice")
    engine = make_engine(workshop.database.app_url, pool_size=1)
    uow = UnitOfWork(engine)

    async def failing(kind: str) -> None:
        async with uow.of(alice) as tx:
            assert len((await tx.documents.page(alice, limit=9, after=None)).items) == 1
            if kind == "ours":
                raise ZeroDivisionError
            if kind == "sql":
                await tx.jobs.defer("no\x00task")
            if kind == "conflict":
                await tx.messages.add_turn(alice, uuid4(), question_id=new_id(), question="Q", answer_id=new_id(), model="m")
            if kind == "cancelled":
                raise asyncio.CancelledError

    pids = set()
    for kind in ("fine", "ours", "sql", "conflict", "cancelled"):
        outcome = (await asyncio.gather(failing(kind), return_exceptions=True))[0]
        assert (outcome is None) == (kind == "fine"), kind
        async with engine.connect() as connection:
            seen = text("select (select count(*) from documents), pg_backend_pid(), current_setting('docent.owner_id', true),"
                        " current_setting('docent.mode', true)")  # fmt: skip
            count, pid, owner, mode = (await connection.execute(seen)).one()
            assert (count, owner or "", mode or "") == (0, "", ""), kind
            pids.add(pid)
    assert len(pids) == 1, "the pool gave another connection, so nothing was proven"
    await uow.aclose()


async def test_the_product_keeps_owners_apart_on_a_database_with_a_single_role(workshop: Workshop) -> None:
    uow = UnitOfWork(make_engine(workshop.database.owner_url, pool_size=2))
    alice, bob = await workshop.furnished("alice"), await workshop.furnished("bob")
    async with uow.of(bob) as tx:
        assert (await tx.documents.page(alice, limit=9, after=None)).items == []
        assert len((await tx.documents.page(bob, limit=9, after=None)).items) == 1
        assert len(await tx.lexicon.search(bob, "krill", within=None, limit=9)) == 1
        assert await tx.lexicon.search(alice, "krill", within=None, limit=9) == []
    async with uow.system() as tx:
        assert await tx.generations.exist()
    await uow.aclose()


async def test_a_childs_foreign_key_names_the_owner_too(workshop: Workshop) -> None:
    keys = await workshop.rows(
        "select c.conname, c.confrelid::regclass::text as parent, (select array_agg(a.attname::text) from pg_attribute a"
        "   where a.attrelid = c.conrelid and a.attnum = any (c.conkey)) as columns"
        " from pg_constraint c where c.contype = 'f' and c.conrelid::regclass::text not like 'procrastinate%'"
    )
    assert len(keys) > 10
    for key in keys:
        assert "owner_id" in key["columns"], key["conname"]
        assert (key["parent"] == "users") == (len(key["columns"]) == 1), key["conname"]

    alice, bob = await workshop.furnished("alice"), await workshop.furnished("bob")
    (hers,) = (await workshop.services.sessions.page(alice, limit=1, after=None)).items
    with pytest.raises(SessionNotFoundError):
        async with workshop.uow.of(bob) as tx:
            await tx.messages.add_turn(bob, hers.id, question_id=new_id(), question="Q", answer_id=new_id(), model="m")


@pytest.mark.parametrize("setting", ["nothing", "another owner", "the system without an owner"])
async def test_the_lexical_candidates_are_the_owners_in_the_setting_and_nobody_elses(workshop: Workshop, setting: str) -> None:
    alice, bob = await workshop.furnished("alice"), await workshop.furnished("bob")
    call = "select count(*) from docent_lexical_candidates('krill'::tsquery, $1, 100)"
    ids = [row["id"] for row in await workshop.rows("select id from documents")]
    owner: UUID | None = {"another owner": uuid4()}.get(setting)

    for within in (None, ids):
        async with connected(workshop.database.app_url, owner) as connection:
            if setting.startswith("the system"):
                await connection.execute("select set_config('docent.mode', 'system', true)")
            assert await connection.fetchval(call, within) == 0
        for reader in (alice, bob):
            async with connected(workshop.database.app_url, reader) as connection:
                assert await connection.fetchval(call, within) == 1


async def test_the_product_refuses_to_serve_where_the_wall_does_not_stand(
    cluster: Cluster, workshop: Workshop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    await assert_walls(app := make_engine(workshop.database.app_url, pool_size=1))
    for table in (*OWNED, *SYSTEM_ONLY):
        await workshop.rows(f"alter table {table} disable row level security")
        with pytest.raises(ConfigurationError, match="row-level security"):
            await assert_walls(app)
        await workshop.rows(f"alter table {table} enable row level security")
    await assert_walls(owner := make_engine(workshop.database.owner_url, pool_size=1))
    await workshop.rows("alter table chunks no force row level security")
    with pytest.raises(ConfigurationError, match="docent_owner"):
        await assert_walls(owner)
    await app.dispose()
    await owner.dispose()

    superuser = make_engine(superuser_url(cluster, tmp_path_factory), pool_size=1)
    with pytest.raises(ConfigurationError, match="docent_superuser"):
        await assert_walls(superuser)
    await superuser.dispose()


def superuser_url(cluster: Cluster, folders: pytest.TempPathFactory) -> str:
    """The launcher keeps this one to itself; a test may look into its folder."""
    address = plain_url(cluster.template.owner_url).rpartition("@")[2]
    for path in folders.getbasetemp().rglob("postgres.json"):
        passwords = orjson.loads(path.read_bytes())
        if passwords["owner"] in cluster.template.owner_url:
            return f"postgresql+asyncpg://docent_superuser:{passwords['superuser']}@{address}"
    raise AssertionError("the cluster's folder was not found")
