"""PostgreSQL of another major version: a server of one's own, and a data folder that an older one made."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from backend.adapters.servers.postgres_binaries import MAJOR_VERSION
from backend.adapters.servers.supervisor import open_servers
from backend.bootstrap.application import open_application
from backend.core.config import Settings, plain_url
from backend.core.errors import ConfigurationError, StorageFullError
from tests.support.cluster import Cluster
from tests.support.files import WHALES
from tests.support.older_postgres import OLDER, moved, older_postgres
from tests.support.product import PASSWORD, Product, run_docent, running_product

QUESTION = "What do blue whales eat?"
EVERY_MOMENT = bool(os.environ.get("DOCENT_EVERY_MOMENT"))
at_length = pytest.mark.skipif(not EVERY_MOMENT, reason="make prove-upgrades takes the time for it")


@dataclass(frozen=True, slots=True)
class Older:
    """A folder that the older version made, what is in it, and a backup of it."""

    folder: Path
    backup: Path
    username: str
    answer: dict[str, Any]
    doctor: str
    version: str

    def copied(self, target: Path) -> Path:
        subprocess.run(["cp", "-a", str(self.folder), str(target)], check=True)
        return target


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def older(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Older]:
    """The product, with a server of the older version as `DATABASE_URL`: it migrates it, indexes, answers, backs it up."""
    home = tmp_path_factory.mktemp("older")
    backup = home / "backup.tar"
    async with (
        older_postgres(home / "server") as urls,
        running_product(home / "data", ready_within=240, database_url=urls.app, database_owner_url=urls.owner) as product,
    ):
        async with product.account("alice") as alice:
            document = (await alice.upload("whales.md", WHALES)).json()
            assert (await alice.settled(document["id"]))["status"] == "ready"
            answer = (await alice.ask(QUESTION)).json()
            assert (await run_docent(product, "backup", str(backup)))[0] == 0
            _, doctor = await run_docent(product, "doctor")
        other = await asyncpg.connect(plain_url(urls.owner))
        version = str(await other.fetchval("select current_setting('server_version')"))
        # What people keep beside ours in this server is theirs.
        await other.execute("create database notebook owner docent_owner")
        await other.close()
        notebook = await asyncpg.connect(plain_url(urls.owner).rpartition("/")[0] + "/notebook")
        await notebook.execute("create table notes as select 'mine' as note")
        await notebook.close()
    await asyncio.to_thread(moved, home / "server", home / "data")
    yield Older(home / "data", backup, alice.username, answer, doctor, version)


async def answered(product: Product, username: str) -> dict[str, Any]:
    """Sign in with the old password, and ask the old question."""
    async with product.client() as client:
        tokens = (await client.post("/api/v1/auth/login", json={"username": username, "password": PASSWORD})).json()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        answer: dict[str, Any] = (await client.post("/api/v1/chat/query", json={"query": QUESTION})).json()
        return answer


async def accounts(folder: Path) -> list[str]:
    """Who has an account, as the servers of this folder say; whatever has to be upgraded is, meanwhile."""
    async with open_servers(folder, postgres=True, chroma=False) as servers:
        connection = await asyncpg.connect(plain_url(str(servers.owner_url)))
        await connection.execute("select set_config('docent.mode', 'system', false)")
        found = [row["username"] for row in await connection.fetch("select username from users")]
        await connection.close()
        return found


async def test_the_oldest_version_that_is_promised_runs_everything(older: Older) -> None:
    assert older.version.startswith(f"{OLDER}.")
    assert older.answer["sources"][0]["quote"]
    assert older.answer["answer_status"] == "grounded"
    assert f"{OLDER}." in older.doctor
    assert "too old" not in older.doctor


async def test_a_folder_that_an_older_version_made_opens_with_all_that_is_in_it(older: Older, tmp_path: Path) -> None:
    folder = older.copied(tmp_path / "data")

    async with running_product(folder, ready_within=240) as product:
        told = "".join(product.lines)
        answer = await answered(product, older.username)
        code, findings = await run_docent(product, "check")

    assert "postgres_upgrade_begins" in told
    assert "postgres_upgraded" in told
    assert (answer["answer"], answer["sources"][0]["quote"]) == (older.answer["answer"], older.answer["sources"][0]["quote"])
    assert (code, findings) == (0, findings)
    assert (folder / "pg" / "PG_VERSION").read_text().strip() == MAJOR_VERSION
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith("pg")) == ["pg"]
    async with open_servers(folder, postgres=True, chroma=False) as servers:
        notebook = await asyncpg.connect(plain_url(str(servers.owner_url)).rpartition("/")[0] + "/notebook")
        assert await notebook.fetchval("select note from notes") == "mine"
        await notebook.close()


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from backend.adapters.servers.supervisor import open_servers
folder, moment = Path(sys.argv[1]), int(sys.argv[2])
passed = 0
def look(event, arguments):
    global passed
    if event in ("os.rename", "shutil.rmtree") and str(arguments[0]).startswith(f"{folder}/") and "pg." in str(arguments[:2]):
        passed += 1
        if passed == moment:
            os.kill(os.getpid(), signal.SIGKILL)
async def main():
    async with open_servers(folder, postgres=True, chroma=False):
        pass
sys.addaudithook(look)
asyncio.run(main())
"""
"""Opens a folder, and dies before the nth time that it renames or removes something of the clusters."""

MOMENTS = {
    "nothing is there yet": 1,
    "a new cluster is being made": 2,
    "it has its name": 3,
    "it is full": 4,
    "it is marked": 5,
    "the old one is aside": 6,
    "the new one is in its place": 7,
}


@at_length
@pytest.mark.parametrize("moment", MOMENTS)
async def test_whoever_dies_in_the_middle_leaves_a_folder_that_opens(older: Older, moment: str, tmp_path: Path) -> None:
    folder = older.copied(tmp_path / "data")
    victim = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, str(folder), str(MOMENTS[moment]))
    assert await asyncio.wait_for(victim.wait(), 240) == -9
    left = sorted(path.name for path in folder.iterdir() if path.name.startswith("pg"))

    assert await accounts(folder) == [older.username], left
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith("pg")) == ["pg"], left


@at_length
async def test_without_the_older_programs_the_way_is_named_and_leads_there(older: Older, cluster: Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "pg").mkdir(parents=True)
    (folder / "pg" / "PG_VERSION").write_text("15\n")
    shutil.copy(older.folder / "postgres.json", folder)
    told = r"made by PostgreSQL 15, .*`docent backup FILE` with the release of Docent that made it, and `docent restore FILE`"
    with pytest.raises(ConfigurationError, match=told):
        await accounts(folder)

    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "new")}
    docent = str(Path(sys.executable).with_name("docent"))
    process = await asyncio.create_subprocess_exec(docent, "restore", str(older.backup), env=environment, cwd=tmp_path)
    assert await asyncio.wait_for(process.wait(), 240) == 0
    here: dict[str, Any] = {
        "data_dir": tmp_path / "new",
        "chroma_url": cluster.chroma_url,
        "chat_provider": "extractive",
        "embedder": "hashing",
    }
    async with open_application(Settings(_env_file=None, worker=False, ui_enabled=False, **here)) as application:
        assert await application.services.accounts.sign_in(login=older.username, password=PASSWORD)


async def test_a_newer_version_is_refused_and_so_is_a_second_cluster(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "pg").mkdir(parents=True)
    (folder / "pg" / "PG_VERSION").write_text("99\n")
    with pytest.raises(ConfigurationError, match=r"made by PostgreSQL 99, .* Use the release of Docent that made it, or a newer"):
        await accounts(folder)
    (folder / "pg.old").mkdir()
    with pytest.raises(ConfigurationError, match="There are two databases"):
        await accounts(folder)
    assert (folder / "pg.old").exists()


async def test_where_there_is_no_room_for_a_second_copy_nothing_is_begun(
    older: Older, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=50_000_000))
    with pytest.raises(StorageFullError, match=r"takes \d+ MB, and 50 MB are free\. Make room, .* nothing was changed"):
        await accounts(older.folder)
    assert (older.folder / "pg" / "PG_VERSION").read_text().strip() == OLDER
    assert not (older.folder / "pg.next").exists()
