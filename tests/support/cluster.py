"""Real servers for the tests: one PostgreSQL and one Chroma, and as many databases as are wanted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import asyncpg

from backend.adapters.servers.supervisor import open_servers
from backend.core.config import Settings, plain_url
from tests.support.template import begun

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated database of its own. The URLs are asyncpg's, for the role that owns the tables and the one that serves."""

    owner_url: str
    app_url: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """The servers of a test run. The database that was migrated first is the template of all others."""

    template: Database
    chroma_url: str

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """Clone the template, about 70 ms, and drop the clone at the end."""
        name = f"test_{next(_numbers)}"
        connection = await asyncpg.connect(plain_url(_renamed(self.template.owner_url, "postgres")))
        try:
            await connection.execute(f"create database {name} template docent")
            yield Database(_renamed(self.template.owner_url, name), _renamed(self.template.app_url, name))
            await _drop(connection, name)
        finally:
            await connection.close()

    def settings(self, database: Database, folder: Path, **changes: object) -> Settings:
        """Return settings for a process on a database of this cluster, with nothing from the environment that could disturb."""
        values: dict[str, object] = {
            "database_url": database.app_url,
            "database_owner_url": database.owner_url,
            "chroma_url": self.chroma_url,
            "data_dir": folder,
            "chat_provider": "extractive",
            "embedder": "hashing",
            "worker": False,
            "log_level": "error",
            # Tests count what a model is asked; those of titles switch them on.
            "chat_titles": "off",
            # Tests are one address and poll without mercy; those of the limits switch them on.
            "limits_enabled": False,
            # Tests have few passages, and are to see the index at work; those of the exact search say otherwise.
            "search_exact_chunks": 0,
        }
        return Settings(_env_file=None, **{**values, **changes})  # type: ignore[arg-type] # checked by pydantic


async def _drop(connection: asyncpg.Connection, name: str) -> None:
    """Drop a database as soon as its last session is gone: the owner may not end those of other roles."""
    async with asyncio.timeout(10):
        while True:
            try:
                await connection.execute(f"drop database {name}")
            except asyncpg.ObjectInUseError:
                await asyncio.sleep(0.05)
            else:
                return


def _renamed(url: str, database: str) -> str:
    return f"{url.rpartition('/')[0]}/{database}"


@asynccontextmanager
async def open_cluster(folder: Path) -> AsyncIterator[Cluster]:
    """Start the servers in a folder, with the template of all databases."""
    await begun(folder / "servers")
    async with open_servers(folder / "servers", postgres=True, chroma=True) as servers:
        assert servers.owner_url is not None
        assert servers.app_url is not None
        assert servers.chroma_url is not None
        yield Cluster(Database(servers.owner_url, servers.app_url), servers.chroma_url)
