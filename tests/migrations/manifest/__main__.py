"""``make schema-manifest REVISION=0009``: write down the schema of a revision, when a release is made of it."""

import asyncio
import sys
import tempfile
from pathlib import Path

import asyncpg

from backend.adapters.servers.supervisor import open_servers
from backend.core.config import plain_url
from backend.db.migrations import reach, revisions
from tests.migrations.manifest.reading import manifest_of, write


async def main(revision: str) -> Path:
    with tempfile.TemporaryDirectory(prefix="docent-") as folder:
        async with open_servers(Path(folder) / "data", postgres=True, chroma=False) as servers:
            assert servers.owner_url is not None
            await reach(servers.owner_url, revision)
            connection = await asyncpg.connect(plain_url(servers.owner_url))
            try:
                return write(revision, await manifest_of(connection))
            finally:
                await connection.close()


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else revisions()[-1]))}\n")
