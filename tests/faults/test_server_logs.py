"""What the servers of a data folder say, in files that do not grow for ever."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import asyncpg
import pytest

from backend.adapters.servers.private_files import prepare_data_folder
from backend.adapters.servers.processes import Program, end, plain_environment, spawn
from backend.adapters.servers.supervisor import open_servers

LIMIT = 8 * 1024 * 1024
PIECE = 1 << 16
LINES = 450_000
TALKATIVE = f"""
import sys
for number in range({LINES}):
    print(f"{{number:09d}} " + "x" * 90)
sys.stdout.flush()
print("these are the last words", file=sys.stderr)
"""


async def said_into(log: Path, folder: Path) -> int:
    """Run a server that says 45 MB and ends; return its exit status."""
    program = Program(
        name="talkative",
        command=(sys.executable, "-c", TALKATIVE),
        folder=folder,
        stop=signal.SIGTERM,
        log=log,
        environment=plain_environment(),
    )
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        process = await spawn(program, nothing)
        try:
            async with asyncio.timeout(120):
                return await process.wait()
        finally:
            await end(process)
    finally:
        os.close(nothing)


async def test_a_server_that_says_much_has_bounded_files_and_its_last_lines_are_kept_whole(tmp_path: Path) -> None:
    folder = prepare_data_folder(tmp_path / "data")
    log = folder / "logs" / "talkative.log"

    assert await said_into(log, folder) == 0

    files = [log.with_name(f"talkative.log.{number}") for number in (3, 2, 1)] + [log]
    assert sorted(log.parent.iterdir()) == sorted(files)
    assert [file for file in files if file.stat().st_size > LIMIT + PIECE] == []
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    *lines, last = "".join(file.read_text() for file in files).splitlines()
    assert last == "these are the last words"
    numbers = [int(line.split()[0]) for line in lines]
    assert numbers == list(range(numbers[0], LINES))
    assert len(numbers) * 101 > 3 * LIMIT - PIECE


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
async def test_a_full_disk_stops_no_server(tmp_path: Path) -> None:
    assert await said_into(Path("/dev/full"), prepare_data_folder(tmp_path / "data")) == 0


async def test_postgres_tells_what_went_wrong_and_not_with_which_values(tmp_path: Path) -> None:
    async with open_servers(tmp_path / "data", postgres=True, chroma=False) as servers:
        connection = await asyncpg.connect(str(servers.owner_url).replace("+asyncpg", ""))
        try:
            await connection.execute("create table kept (text text unique check (length(text) < 30))")
            for _ in range(2):
                refused = await refusal(connection, "insert into kept values ('a planted sentence')")
            assert "a planted sentence" in str(refused)
            await refusal(connection, "insert into kept values ('a planted sentence that is too long for that')")
            await refusal(connection, "alter role nobody_of_that_name password 'a planted password'")
        finally:
            await connection.close()
    log = (tmp_path / "data" / "logs" / "postgres.log").read_text()

    assert "duplicate key value violates unique constraint" in log
    assert "violates check constraint" in log
    assert "planted" not in log


async def refusal(connection: asyncpg.Connection, statement: str) -> asyncpg.PostgresError | None:
    try:
        await connection.execute(statement)
    except asyncpg.PostgresError as error:
        return error
    return None
