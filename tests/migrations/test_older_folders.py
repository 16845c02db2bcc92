"""A data folder that an earlier release wrote, opened by this one: nothing is lost, and what was unfinished is finished."""

import asyncio
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from backend.adapters.servers.postgres_binaries import installation
from backend.adapters.servers.postgres_roles import DATABASE, SUPERUSER
from backend.adapters.servers.supervisor import open_servers
from tests.migrations.folders.content import HALF_READ, QUESTION, WAITING, Told, listed
from tests.support.backups import Place
from tests.support.cluster import Cluster, Database
from tests.support.product import PASSWORD, Account, Product, run_docent, running_product

AS_DATA: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
"""Python 3.11 has it in its later patches only, and 3.12 warns of its absence."""
PACKED = sorted((Path(__file__).parent / "folders").glob("*.tar.xz"))[-1]


async def unpacked(folder: Path) -> Told:
    """Make the folder what it was when the earlier release left it; return what it was told."""
    async with open_servers(folder, postgres=True, chroma=False):
        await asyncio.to_thread(_filled, folder)
    told: Told = json.loads((folder / "told.json").read_text())
    return told


def _filled(folder: Path) -> None:
    with tarfile.open(PACKED) as tar:
        tar.extractall(folder, **AS_DATA)  # noqa: S202 - it is ours
    port = (folder / "postgres.port").read_text().strip()
    password = json.loads((folder / "postgres.json").read_text())["superuser"]
    command = [str(installation(None) / "bin" / "psql"), "-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", port]
    command += ["-U", SUPERUSER, "-d", DATABASE, "-f", str(folder / "docent.sql")]
    subprocess.run(command, env={**os.environ, "PGPASSWORD": password}, check=True, stdout=subprocess.DEVNULL)


async def everything_is_there(product: Product, told: Told) -> None:
    async with product.client() as client:
        tokens = (await client.post("/api/v1/auth/login", json={"username": told["alice"], "password": PASSWORD})).json()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        alice = Account(client, told["alice"], tokens["access_token"], tokens["refresh_token"])
        for filename, (status, document_id) in told["documents"].items():
            document = await alice.settled(document_id, within=240)
            assert (document["filename"], document["status"]) == (filename, "failed" if status == "failed" else "ready")
        assert {status for status, _ in told["documents"].values()} == {"ready", "failed", "processing", "pending"}
        assert (await listed(alice)).keys() == told["documents"].keys()

        session = f"/api/v1/chat/sessions/{told['session']}"
        messages = (await client.get(f"{session}/messages")).json()["items"]
        for was, now in zip(told["messages"], messages, strict=True):
            assert {name: now[name] for name in was} == was
        answer = (await alice.ask(QUESTION)).json()
        assert answer["sources"][0]["quote"] == told["answer"]["sources"][0]["quote"]
        assert answer["answer_status"] == "grounded"
        assert (await client.get(f"/api/v1/chat/tasks/{told['task']}")).json()["state"] == "succeeded"
        await may_still_come_in(product, told)


async def may_still_come_in(product: Product, told: Told) -> None:
    """Whoever holds a key of then; and Bob sees his own only."""
    async with product.client(Authorization=f"Bearer {told['key']}") as program:
        found = await program.get(f"/api/v1/chat/documents/{told['documents'][WAITING][1]}/text", params={"start": 0, "end": 11})
        assert found.json()["text"] == "The archive"
    async with product.client() as client:
        tokens = (await client.post("/api/v1/auth/login", json={"username": told["bob"], "password": PASSWORD})).json()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        bob = Account(client, told["bob"], tokens["access_token"], tokens["refresh_token"])
        assert list(await listed(bob)) == ["diary.txt"]
        answer = (await bob.ask("What colour is the lighthouse?")).json()
        assert {source["title"] for source in answer["sources"]} == {"diary"}


async def test_a_folder_of_an_earlier_release_opens_and_so_it_does_without_its_index(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    told = await unpacked(folder)

    async with running_product(folder, ready_within=240) as product:
        await everything_is_there(product, told)
        code, findings = await run_docent(product, "check", "--deep")
        assert code == 0, findings

    await asyncio.to_thread(shutil.rmtree, folder / "chroma")
    async with running_product(folder, ready_within=240) as product:
        async with asyncio.timeout(240):
            while (await run_docent(product, "check"))[0] != 0:  # noqa: ASYNC110 - until the index is filled again
                await asyncio.sleep(0.5)
        await everything_is_there(product, told)


async def test_a_backup_of_an_earlier_release_is_restored(cluster: Cluster, database: Database, tmp_path: Path) -> None:
    with tarfile.open(PACKED) as tar:
        tar.extract("backup.tar", tmp_path, **AS_DATA)
        member = tar.extractfile("told.json")
        assert member is not None
        told: dict[str, Any] = json.loads(member.read())
    place = Place(cluster, database, tmp_path / "place")

    assert (await place.restore(tmp_path / "backup.tar")).documents == len(told["documents"]) + 2  # Bob's, and a deleted one.

    async with place.opened() as workshop:
        assert await workshop.services.accounts.sign_in(login=told["alice"], password=PASSWORD)
        states = {row["filename"]: row["status"] for row in await workshop.rows("select filename, status from documents")}
        assert states[WAITING] == "pending"
        assert states[HALF_READ] in {"processing", "pending"}
