"""The embedded servers while nothing goes wrong: what runs, who may do what, and who owns the folder."""

import asyncio
import json
import os
import socket
import stat
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from backend.adapters.servers import postgres_binaries
from backend.adapters.servers.postgres_binaries import installation, readable_copy
from backend.adapters.servers.processes import User
from backend.adapters.servers.supervisor import Servers, open_servers
from backend.core.errors import ConfigurationError, InstanceRunningError
from backend.core.transactions import transaction_open


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers") / "data"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def servers(folder: Path) -> AsyncIterator[Servers]:
    async with open_servers(folder, postgres=True, chroma=False) as opened:
        yield opened


async def run(url: str | None, *statements: str) -> Any:
    """Execute statements on one connection and return the value of the last."""
    assert url is not None
    connection = await asyncpg.connect(url.replace("+asyncpg", ""), timeout=5)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


async def test_postgres_answers_when_the_block_begins(servers: Servers) -> None:
    assert await run(servers.app_url, "select current_user || '@' || current_database()") == "docent_app@docent"
    assert await run(servers.owner_url, "select current_user") == "docent_owner"
    assert servers.chroma_url is None
    assert not servers.attached


@pytest.mark.parametrize(
    ("role", "login", "createdb", "bypassrls"),
    [("docent_owner", True, True, False), ("docent_app", True, False, False), ("docent_definer", False, False, True)],
)
async def test_roles_have_what_they_need_and_no_more(
    servers: Servers, role: str, login: bool, createdb: bool, bypassrls: bool
) -> None:
    rights = "array[rolcanlogin, rolcreatedb, rolbypassrls, rolsuper, rolcreaterole, rolreplication]"
    found = await run(servers.app_url, f"select {rights} from pg_roles where rolname = '{role}'")  # noqa: S608 - our own words
    assert found == [login, createdb, bypassrls, False, False, False]


async def test_a_migration_gives_a_function_to_the_definer_which_then_sees_past_the_policies(servers: Servers) -> None:
    await run(
        servers.owner_url,
        "create table notes (id bigint generated always as identity, body text)",
        "alter table notes enable row level security",
        "alter table notes force row level security",
        "create policy nothing on notes for select using (false)",
        "create policy writing on notes for insert with check (true)",
        "grant select on notes to docent_definer",
        "create function how_many() returns bigint language sql security definer as 'select count(*) from public.notes'",
        "alter function how_many() owner to docent_definer",
        "revoke all on function how_many() from public",
        "select 1",
    )
    await run(servers.app_url, "insert into notes (body) values ('kept')", "select 1")
    assert await run(servers.app_url, "select count(*) from notes") == 0
    assert await run(servers.app_url, "select how_many()") == 1


async def test_the_app_may_not_create_tables(servers: Servers) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(servers.app_url, "create table mine (id int)", "select 1")


async def test_the_owner_may_clone_the_database(servers: Servers) -> None:
    await run(servers.owner_url, "create database a_clone template docent", "select 1")
    assert servers.app_url is not None
    assert await run(f"{servers.app_url.removesuffix('docent')}a_clone", "select current_database()") == "a_clone"
    await run(servers.owner_url, "drop database a_clone", "select 1")


async def test_a_wrong_password_is_refused(servers: Servers) -> None:
    assert servers.app_url is not None
    head, tail = servers.app_url.split("@")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await run(f"{head}0@{tail}", "select 1")


async def test_postgres_is_durable_and_on_loopback_only(servers: Servers) -> None:
    names = ("fsync", "synchronous_commit", "full_page_writes", "jit", "listen_addresses")
    shown = [await run(servers.app_url, f"show {name}") for name in names]
    assert shown == ["on", "on", "on", "off", "127.0.0.1"]


async def test_nobody_else_can_read_what_is_secret(servers: Servers, folder: Path) -> None:
    def mode(name: str) -> int:
        return stat.S_IMODE((folder / name).stat().st_mode)

    assert not servers.attached
    assert [mode(name) for name in ("", "pg", "logs")] == [0o700] * 3
    files = ("lock", "instance.json", "postgres.json", "postgres.port", "logs/postgres.log")
    assert [mode(name) for name in files] == [0o600] * len(files)
    assert "superuser" not in (folder / "instance.json").read_text()


async def test_a_second_instance_is_refused_and_told_who_has_the_folder(servers: Servers, folder: Path) -> None:
    with pytest.raises(InstanceRunningError, match=rf"Process {os.getpid()} is using .*{folder}") as refused:
        async with open_servers(folder, postgres=True, chroma=False):
            pass
    assert refused.value.code == "instance_running"
    assert await run(servers.app_url, "select 1") == 1


async def test_a_command_attaches_to_the_running_instance(servers: Servers, folder: Path) -> None:
    async with open_servers(folder, postgres=True, chroma=False, attach=True) as attached:
        assert attached == Servers(servers.owner_url, servers.app_url, None, attached=True)
    assert await run(servers.app_url, "select 1") == 1


async def test_a_command_that_needs_a_server_which_the_instance_does_not_run_is_told_so(servers: Servers, folder: Path) -> None:
    assert servers.chroma_url is None
    with pytest.raises(ConfigurationError, match="other settings"):
        async with open_servers(folder, postgres=True, chroma=True, attach=True):
            pass


async def test_opening_inside_a_transaction_is_a_defect(tmp_path: Path) -> None:
    token = transaction_open.set(True)
    try:
        with pytest.raises(RuntimeError, match="starting the servers"):
            async with open_servers(tmp_path, postgres=True, chroma=False):
                pass
    finally:
        transaction_open.reset(token)


async def test_data_and_port_outlive_a_restart_and_a_stale_note_is_ignored(tmp_path: Path) -> None:
    async with open_servers(tmp_path, postgres=True, chroma=False) as first:
        await run(first.owner_url, "create table notes (body text)", "insert into notes values ('kept')", "select 1")
    assert not (tmp_path / "instance.json").exists()
    (tmp_path / "instance.json").write_text(json.dumps({"pid": os.getpid(), "owner_url": "x", "app_url": "x", "chroma_url": None}))

    async with open_servers(tmp_path, postgres=True, chroma=False, attach=True) as again:
        assert again == first
        assert await run(again.app_url, "select body from notes") == "kept"

    with socket.create_server(("127.0.0.1", int((tmp_path / "postgres.port").read_text()))):
        async with open_servers(tmp_path, postgres=True, chroma=False) as elsewhere:
            assert elsewhere.app_url != first.app_url
            assert await run(elsewhere.app_url, "select body from notes") == "kept"


async def test_an_exception_or_a_repeated_cancellation_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with open_servers(tmp_path, postgres=True, chroma=False):
            raise ZeroDivisionError

    opened = asyncio.Event()

    async def serve() -> None:
        async with open_servers(tmp_path, postgres=True, chroma=False):
            opened.set()
            await asyncio.Event().wait()

    serving = asyncio.create_task(serve())
    await opened.wait()
    while not serving.done():
        serving.cancel()
        await asyncio.sleep(0.001)

    assert serving.cancelled()
    assert not (tmp_path / "pg" / "postmaster.pid").exists()
    assert not (tmp_path / "instance.json").exists()


async def test_binaries_that_a_user_cannot_reach_are_copied_once_to_where_everybody_can(tmp_path: Path) -> None:
    base = tmp_path / "private"
    source = base / "package" / "installation"
    (source / "bin").mkdir(parents=True)
    (source / "bin" / "postgres").write_text("program")
    (source / "bin" / "postgres").chmod(0o700)
    (source / "bin").chmod(0o700)

    target = tmp_path / "cache" / "postgres"
    copy = readable_copy(base, [source], target) / "package" / "installation"

    assert stat.S_IMODE((copy / "bin").stat().st_mode) == 0o755
    assert stat.S_IMODE((copy / "bin" / "postgres").stat().st_mode) == 0o755
    (source / "bin" / "postgres").write_text("another")
    again = readable_copy(base, [source], target) / "package" / "installation"
    assert (again / "bin" / "postgres").read_text() == "program"


async def test_a_copy_of_the_installation_runs_without_the_original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_binaries, "_CACHE", tmp_path)
    monkeypatch.setattr(postgres_binaries, "_reachable", lambda *_: False)
    copy = installation(User(os.geteuid(), os.getegid()))

    done = await asyncio.create_subprocess_exec(str(copy / "bin" / "initdb"), "--version", stdout=PIPE, stderr=PIPE)
    out, complaint = await done.communicate()

    assert copy.is_relative_to(tmp_path)
    assert (done.returncode, complaint, b"PostgreSQL" in out) == (0, b"", True)
