"""A data folder whose database an older major version of PostgreSQL made: the other one that the wheel carries."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from backend.adapters.servers import embedded_postgres
from backend.adapters.servers.embedded_postgres import EmbeddedPostgres, PostgresUrls
from backend.adapters.servers.instance import take_lock
from backend.adapters.servers.private_files import prepare_data_folder
from backend.adapters.servers.processes import kept_running

OLDER = "16"
MADE_BY_POSTGRES = ("pg", "postgres.json")


@asynccontextmanager
async def older_postgres(data_dir: Path) -> AsyncIterator[PostgresUrls]:
    """Run a server of the older version on a cluster in a folder, with the roles of the product."""
    folder = prepare_data_folder(data_dir)
    lock = await take_lock(folder, attach=False)
    assert isinstance(lock, int)
    try:
        server = EmbeddedPostgres(folder, lock, major=OLDER)
        locale = embedded_postgres.LOCALE
        embedded_postgres.LOCALE = ("--locale=C",)  # Its initdb does not know the builtin ones.
        try:
            await server.ensure_cluster()
        finally:
            embedded_postgres.LOCALE = locale
        program, process, port = await server.start()
        async with kept_running(program, process, lock):
            yield server.urls(port)
    finally:
        os.close(lock)


def moved(source: Path, data_dir: Path) -> None:
    """Give what PostgreSQL wrote in one folder to another one, as if it had been made there."""
    for name in MADE_BY_POSTGRES:
        shutil.move(source / name, data_dir / name)
