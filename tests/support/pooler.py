"""A real PgBouncer in front of a test's database, which pools transactions."""

import asyncio
import os
import pwd
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT
from urllib.parse import urlsplit

import pytest

from tests.support.chroma import free_port

CONFIGURATION = """\
[databases]
* = host={host} port={port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
default_pool_size = {servers}
max_client_conn = 500
"""


def pooler() -> str:
    """Return the program. Where it is not installed, the test is skipped."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("pgbouncer is not installed (Debian: apt install pgbouncer)")
    return program


@asynccontextmanager
async def pooled(url: str, *, servers: int) -> AsyncIterator[str]:
    """Start a pooler with so many connections to the database at ``url``; yield the address that leads through it."""
    program, at, own_port = pooler(), urlsplit(url), free_port()
    with tempfile.TemporaryDirectory(prefix="docent-pooler-") as folder:
        users, file = Path(folder, "users"), Path(folder, "pgbouncer.ini")
        _write(users, f'"{at.username}" "{at.password}"\n')
        _write(file, CONFIGURATION.format(host=at.hostname, port=at.port, own_port=own_port, users=users, servers=servers))
        # It refuses to run as root, and the folders of a test are nobody's but its own.
        as_whom = ("-u", "nobody") if os.geteuid() == 0 else ()
        if as_whom:
            for path in (folder, users, file):
                os.chown(path, pwd.getpwnam("nobody").pw_uid, -1)
        process = await asyncio.create_subprocess_exec(program, "-q", *as_whom, file, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT)
        try:
            async with asyncio.timeout(30):
                while not await _answers(own_port):
                    assert process.returncode is None, (await process.communicate())[0].decode()
                    await asyncio.sleep(0.02)
            yield at._replace(netloc=f"{at.username}:{at.password}@127.0.0.1:{own_port}").geturl()
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
