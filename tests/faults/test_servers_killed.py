"""The embedded servers when something is killed: nothing committed is lost, and nothing is left running."""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
import structlog

import backend
from backend.adapters.servers import processes
from backend.adapters.servers.processes import Program, kept_running, spawn
from backend.adapters.servers.supervisor import open_servers
from tests.support.product import NO_TLS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

NOBODY = 65534
PATIENCE_SECONDS = 30.0
SERVE = """
import asyncio, json, os, sys
from dataclasses import asdict
from pathlib import Path
from backend.adapters.servers.supervisor import open_servers

async def main():
    async with open_servers(Path(sys.argv[1]), postgres=True, chroma=sys.argv[2] == "chroma") as servers:
        print(json.dumps(asdict(servers), default=str), flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


def running_in(folder: Path) -> set[int]:
    """Return the ids of the processes that work in the folder or below: servers and their watchers."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            where = Path(os.readlink(process / "cwd"))
        except OSError:
            continue
        if where.is_relative_to(folder):
            found.add(int(process.name))
    return found


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def postmaster(folder: Path) -> int:
    return int((folder / "pg" / "postmaster.pid").read_text().split()[0])


def chroma_server(folder: Path) -> int:
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in running_in(folder)}
    (pid,) = (pid for pid, command in commands.items() if b"chroma\0run" in command and b"watcher.py" not in command)
    return pid


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


async def soon(attempt: Callable[[], Coroutine[Any, Any, Any]], *errors: type[Exception]) -> Any:
    """Return the first answer of ``attempt``, which may fail in these ways for a while."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await attempt()
            except errors:
                await asyncio.sleep(0.02)


async def heartbeat(url: str) -> int:
    async with httpx2.AsyncClient(verify=NO_TLS) as client:
        return (await client.get(f"{url}/api/v2/heartbeat")).raise_for_status().status_code


async def test_after_the_parent_was_killed_a_new_one_finds_what_was_committed_and_nothing_runs_on(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVE, str(tmp_path), "chroma", stdin=PIPE, stdout=PIPE)
    assert parent.stdout is not None
    first = json.loads(await parent.stdout.readline())
    await run(first["owner_url"], "create table notes (body text)", "insert into notes values ('kept')", "select 1")
    old = running_in(tmp_path)
    assert len(old) >= 4
    parent.kill()
    await parent.communicate()

    async with open_servers(tmp_path, postgres=True, chroma=False) as servers:
        assert not old & running_in(tmp_path)
        assert servers.app_url == first["app_url"]
        assert await run(servers.app_url, "select body from notes") == "kept"
    assert running_in(tmp_path) == set()


async def test_after_the_parent_was_killed_while_it_made_the_cluster_a_new_one_makes_it(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVE, str(tmp_path), "postgres", stdin=PIPE, stdout=PIPE)

    async def half_made() -> int:
        return os.stat(tmp_path / "pg.new" / "PG_VERSION").st_size

    await soon(half_made, FileNotFoundError)
    parent.kill()
    await parent.communicate()
    assert "pg" not in os.listdir(tmp_path)

    async with open_servers(tmp_path, postgres=True, chroma=False) as servers:
        assert await run(servers.app_url, "select 1") == 1
    assert running_in(tmp_path) == set()


async def test_postgres_answers_again_after_its_postmaster_or_its_watcher_was_killed(tmp_path: Path) -> None:
    async with open_servers(tmp_path, postgres=True, chroma=False) as servers:
        await run(servers.owner_url, "create table notes (body text)", "insert into notes values ('kept')", "select 1")

        async def note() -> Any:
            return await run(servers.app_url, "select body from notes")

        for victim in (postmaster, lambda folder: parent_of(postmaster(folder))):
            busy = asyncio.create_task(run(servers.app_url, "select count(*) from (select generate_series(1, 2000000000)) numbers"))
            await asyncio.sleep(0.2)
            old = running_in(tmp_path)
            os.kill(victim(tmp_path), signal.SIGKILL)
            with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
                await busy
            assert await soon(note, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) == "kept"
            assert not old & running_in(tmp_path)
    assert running_in(tmp_path) == set()


async def test_chroma_answers_again_on_the_same_port_after_it_was_killed(tmp_path: Path) -> None:
    async with open_servers(tmp_path, postgres=False, chroma=True) as servers:
        url = servers.chroma_url
        assert url is not None
        assert (servers.owner_url, servers.app_url) == (None, None)
        assert await soon(lambda: heartbeat(url), httpx2.HTTPError) == 200
        old = chroma_server(tmp_path)
        os.kill(old, signal.SIGKILL)
        with pytest.raises(httpx2.HTTPError):
            await heartbeat(url)
        assert await soon(lambda: heartbeat(url), httpx2.HTTPError) == 200
        assert chroma_server(tmp_path) != old
    assert running_in(tmp_path) == set()


def pauses(logs: list[Any]) -> list[float]:
    return [entry["restart_in_seconds"] for entry in logs if entry["event"] == "server_ended"]


async def test_a_program_that_keeps_failing_is_started_again_at_growing_intervals(tmp_path: Path) -> None:
    output = tmp_path / "output"
    program = Program("failing", ("/bin/sh", "-c", "echo started; exit 3"), tmp_path, signal.SIGTERM, output, {})
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    try:
        with structlog.testing.capture_logs() as logs:
            async with asyncio.timeout(30), kept_running(program, await spawn(program, lock), lock):
                while len(pauses(logs)) < 4:  # noqa: ASYNC110 - the log tells nobody
                    await asyncio.sleep(0.02)
    finally:
        os.close(lock)
    assert pauses(logs) == [0.1, 0.2, 0.4, 0.8]
    assert output.read_text() == "started\n" * 4


async def test_leaving_the_block_does_not_wait_for_a_pending_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_FIRST_PAUSE_SECONDS", 600.0)
    program = Program("short", ("/bin/true",), tmp_path, signal.SIGTERM, tmp_path / "output", {})
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    try:
        with structlog.testing.capture_logs() as logs:
            async with asyncio.timeout(30), kept_running(program, await spawn(program, lock), lock):
                while not pauses(logs):  # noqa: ASYNC110 - the log tells nobody
                    await asyncio.sleep(0.02)
    finally:
        os.close(lock)
    assert running_in(tmp_path) == set()


def as_nobody(python: str, *arguments: str) -> tuple[str, ...]:
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", python, *arguments)


def plain_surroundings() -> dict[str, Any]:
    packages = (Path(backend.__path__[0]).parent, Path(structlog.__file__).parent.parent)
    path = ":".join(str(package) for package in packages)
    return {"cwd": "/", "env": {"PATH": os.environ["PATH"], "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}}


async def python_for_nobody() -> str | None:
    """Return a Python that an ordinary user can run, again from within itself, and that finds our packages."""
    code = "import asyncpg, structlog, backend, subprocess, sys; subprocess.check_call([sys.executable, '-c', ''])"
    for python in (sys.executable, "/usr/bin/python3"):
        command = as_nobody(python, "-c", code)
        probe = await asyncio.create_subprocess_exec(*command, **plain_surroundings(), stdout=DEVNULL, stderr=DEVNULL)
        if await probe.wait() == 0:
            return python
    return None


@pytest.fixture
def folder_of_nobody() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="docent-servers-"))  # Not below tmp_path, which other users may not walk through.
    place.chmod(0o755)
    folder = place / "data"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests already ran as an ordinary user")
async def test_an_ordinary_user_runs_the_servers_as_well_as_root(folder_of_nobody: Path) -> None:
    if (python := await python_for_nobody()) is None:
        pytest.skip("no Python that an ordinary user can reach has our packages")
    command = as_nobody(python, "-c", SERVE, str(folder_of_nobody), "postgres")
    parent = await asyncio.create_subprocess_exec(*command, **plain_surroundings(), stdin=PIPE, stdout=PIPE)
    assert parent.stdout is not None
    servers = json.loads(await parent.stdout.readline())
    assert await run(servers["app_url"], "select current_user") == "docent_app"
    assert {os.stat(f"/proc/{pid}").st_uid for pid in running_in(folder_of_nobody)} == {NOBODY}
    await parent.communicate(b"")
    assert parent.returncode == 0
    assert running_in(folder_of_nobody) == set()
