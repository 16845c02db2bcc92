"""``make older-folder COMMIT=... REVISION=...``: let the code of an older commit fill a data folder, and pack it.

The database is packed as SQL (``pg_dump``): a cluster has 40 MB, and belongs to one version of PostgreSQL. Texts, names and
passwords are the same each time; ids, keys and times are not.
"""

import asyncio
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from backend.adapters.servers.postgres_binaries import installation
from backend.adapters.servers.postgres_roles import DATABASE, SUPERUSER
from tests.migrations.folders.content import HALF_READ, WAITING, listed, used
from tests.support.product import PASSWORD, Account, Product, run_docent, running_product

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PACKED = ("docent.sql", "files", "secret_key", "chroma", "chroma.json", "chroma.yaml", "told.json", "backup.tar")


def older(tree: Path, data: Path, **settings: object) -> AbstractAsyncContextManager[Product]:
    """The product as the older code has it, with the libraries of today."""
    return running_product(data, ready_within=240, pythonpath=tree, chat_provider="extractive", embedder="hashing", **settings)


async def filled(tree: Path, data: Path) -> None:
    await asyncio.to_thread(data.mkdir, mode=0o700)  # Else it would be given the database that today's code makes.
    async with older(tree, data) as product:
        told = await used(product)
    async with older(tree, data, failpoints="index.stored=kill") as product, product.client() as client:
        alice = await signed_in(product, client, told["alice"])
        await alice.upload(HALF_READ, b"The ferry leaves the pier at seven in the morning.")
        await asyncio.wait_for(product.process.wait(), 120)
    async with older(tree, data, worker=False) as product, product.client() as client:
        alice = await signed_in(product, client, told["alice"])
        await alice.upload(WAITING, b"The archive of the harbour office is open on Tuesdays.")
        told["documents"] = {name: [found["status"], found["id"]] for name, found in (await listed(alice)).items()}
        code, output = await run_docent(product, "backup", str(data / "backup.tar"))
        assert code == 0, output
        (data / "docent.sql").write_bytes(dump(data))
    (data / "told.json").write_text(json.dumps(told, indent=1))


async def signed_in(product: Product, client: object, username: str) -> Account:
    import httpx2

    assert isinstance(client, httpx2.AsyncClient)
    tokens = (await client.post("/api/v1/auth/login", json={"username": username, "password": PASSWORD})).json()
    client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    return Account(client, username, tokens["access_token"], tokens["refresh_token"])


def dump(data: Path) -> bytes:
    port = (data / "postgres.port").read_text().strip()
    password = json.loads((data / "postgres.json").read_text())["superuser"]
    program = str(installation(None) / "bin" / "pg_dump")
    command = [program, "-w", "-h", "127.0.0.1", "-p", port, "-U", SUPERUSER, "-d", DATABASE]
    return subprocess.run(command, env={**os.environ, "PGPASSWORD": password}, check=True, capture_output=True).stdout


def pack(data: Path, target: Path) -> None:
    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    with tarfile.open(target, "w:xz", preset=9) as tar:
        for name in PACKED:
            if (data / name).exists():
                tar.add(data / name, name, filter=plain)


def main(commit: str, revision: str) -> None:
    with tempfile.TemporaryDirectory(prefix="docent-") as home:
        tree = Path(home) / "tree"
        tree.mkdir()
        archive = subprocess.run(["git", "-C", str(ROOT), "archive", commit], check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", str(tree)], input=archive, check=True)
        asyncio.run(filled(tree, Path(home) / "data"))
        target = HERE / f"{revision}.tar.xz"
        pack(Path(home) / "data", target)
        sys.stdout.write(f"{target}: {target.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
