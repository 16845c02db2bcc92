"""Starting, refusing to start, running beside each other, and stopping."""

import asyncio
import json
import os
import signal
import stat
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from backend.adapters.servers.processes import Program, end, plain_environment, spawn
from backend.bootstrap.application import open_application
from backend.core.config import plain_url
from backend.core.errors import ConfigurationError
from tests.conftest import registered
from tests.faults.crashes import processes_below, report, still_running
from tests.support.chroma import free_port
from tests.support.cluster import Cluster, Database
from tests.support.files import a_file
from tests.support.ollama import StandInOllama
from tests.support.product import DOCENT, Product, running_product

CHROMA = str(DOCENT.with_name("chroma"))
SECRET = "0123456789" * 4
PRODUCTION = {
    "environment": "production",
    "secret_key": SECRET,
    "chat_provider": "extractive",
    "embedder": "hashing",
    "limits_enabled": True,
}


async def docent(command: str, folder: Path, settings: Mapping[str, object], *, within: float = 90) -> tuple[int, str]:
    """Run a command to its end in a folder; return its exit code and what it printed."""
    values = {"port": 0, "data_dir": folder / "data", "ollama_url": "http://127.0.0.1:9", "path": "/usr/bin:/bin", **settings}
    environment = {name.upper(): str(value) for name, value in values.items()}
    process = await asyncio.create_subprocess_exec(
        str(DOCENT), *command.split(), stdout=PIPE, stderr=STDOUT, env=environment, cwd=folder
    )
    try:
        async with asyncio.timeout(within):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode()


@pytest.fixture(scope="module")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    async with running_product(tmp_path_factory.mktemp("product") / "data") as running:
        yield running


async def test_a_second_server_is_refused_and_a_command_attaches(product: Product) -> None:
    data = Path(product.environment["DATA_DIR"])
    begun = monotonic()
    (code, refused), (migrated, said) = await asyncio.gather(docent("serve", data.parent, {}), docent("migrate", data.parent, {}))
    report(f"refused after {monotonic() - begun:.1f} s, 5 of which a restart may take to let go of the folder")
    assert code == 1
    assert f"Process {product.process.pid} is using the data folder {data}." in refused
    assert "Traceback" not in refused
    assert (migrated, said) == (0, "The database is up to date.\n")


async def test_a_taken_port_is_refused_before_anything_is_started(product: Product, tmp_path: Path) -> None:
    code, said = await docent("serve", tmp_path, {"port": product.url.rpartition(":")[2]})
    assert (code, "Address already in use" in said, "Traceback" in said) == (1, True, False)
    assert not (tmp_path / "data").exists()


async def test_what_is_private_is_private(product: Product) -> None:
    data = Path(product.environment["DATA_DIR"])
    modes = {name: stat.S_IMODE((data / name).stat().st_mode) for name in ("", "secret_key", "instance.json", "files")}
    assert modes == {"": 0o700, "secret_key": 0o600, "instance.json": 0o600, "files": 0o700}
    assert len((data / "secret_key").read_text()) >= 32


async def test_a_superuser_is_refused(product: Product, cluster: Cluster, tmp_path: Path) -> None:
    data = Path(product.environment["DATA_DIR"])
    password = json.loads((data / "postgres.json").read_text())["superuser"]
    place = json.loads((data / "instance.json").read_text())["app_url"].rpartition("@")[2]
    url = f"postgresql://docent_superuser:{password}@{place}"
    code, said = await docent("serve", tmp_path, {"database_url": url, "chroma_url": cluster.chroma_url})
    assert (code, password in said, "Traceback" in said) == (1, False, False)
    assert "'docent_superuser' is not bound by row-level security" in said


async def test_sigterm_ends_an_idle_product_and_all_of_its_processes_and_the_key_stays(product: Product) -> None:
    data = Path(product.environment["DATA_DIR"])
    key = (data / "secret_key").read_text()
    children = processes_below(product.process.pid)
    begun = monotonic()
    assert await product.stop() in {0, -signal.SIGTERM}
    report(f"stopped in {monotonic() - begun:.2f} s")
    assert children
    assert still_running(children) == []
    assert not (data / "instance.json").exists()
    assert "Traceback" not in "".join(product.lines)
    async with running_product(data, port=product.url.rpartition(":")[2]):
        assert (data / "secret_key").read_text() == key


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (PRODUCTION | {"secret_key": None}, "SECRET_KEY is missing"),
        (PRODUCTION | {"secret_key": "short"}, "SECRET_KEY is too short"),
        (PRODUCTION | {"cors_origins": "*"}, "CORS_ORIGINS is `*`"),
        (PRODUCTION | {"chat_provider": "auto"}, "CHAT_PROVIDER is `auto`"),
        (PRODUCTION | {"embedder": "auto"}, "EMBEDDER is `auto`"),
        ({"database_url": "mysql://somewhere"}, "DATABASE_URL has to begin with postgresql://"),
        (PRODUCTION | {"limits_enabled": False}, "LIMITS_ENABLED is false"),
        ({"chat_provider": "openai", "chat_model": "gpt-4o"}, "OPENAI_API_KEY or OPENAI_BASE_URL"),
    ],
)
async def test_settings_that_cannot_work_are_refused_with_a_sentence(
    cluster: Cluster, database: Database, tmp_path: Path, settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        async with open_application(cluster.settings(database, tmp_path, **settings)):
            pass
    assert sentence in refused.value.message


async def test_a_command_that_is_refused_prints_the_sentence_and_no_traceback(tmp_path: Path) -> None:
    unreachable = {"database_url": "postgresql://me:secret@127.0.0.1:9/docent", "chroma_url": "http://127.0.0.1:9"}
    results = await asyncio.gather(
        docent("serve", tmp_path, {"environment": "production"}),
        docent("serve", tmp_path, unreachable),
        docent("worker", tmp_path, unreachable),
        docent("migrate", tmp_path, unreachable),
    )
    assert [code for code, _ in results] == [2, 1, 1, 1]
    assert not [said for _, said in results if "Traceback" in said or "secret@" in said]
    assert "SECRET_KEY is missing" in results[0][1]
    assert all("The database is not available right now." in said for _, said in results[1:])


@pytest.mark.parametrize("command", [("/bin/sleep", "600"), (CHROMA, "run", "--path", "chroma", "--port", "0")])
async def test_a_server_that_is_stopped_as_soon_as_it_is_started_ends_by_the_first_signal(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    program = Program("server", command, tmp_path, signal.SIGTERM, tmp_path / "output", plain_environment())
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    try:
        for _ in range(3):
            process = await spawn(program, lock)
            await end(process)
            # One that got lost between fork and exec would cost twenty seconds of patience, and SIGQUIT would end it.
            assert process.returncode == 128 + signal.SIGTERM
    finally:
        os.close(lock)


async def test_the_embedder_is_chosen_once_there_are_documents(cluster: Cluster, database: Database, tmp_path: Path) -> None:
    async def identity(**changes: object) -> str:
        async with open_application(cluster.settings(database, tmp_path, **changes)) as app:
            return app.embedder

    without: dict[str, object] = {"embedder": "auto", "ollama_url": "http://127.0.0.1:9"}
    async with StandInOllama() as ollama:
        within = without | {"ollama_url": ollama.url}
        assert await identity(**without) == "hashing/v1-512"
        assert await identity(**within) == "ollama/nomic-embed-text", "nothing is lost by a better choice"
        assert await identity(**without) == "hashing/v1-512"
        async with open_application(cluster.settings(database, tmp_path, **without)) as app:
            alice = await registered(app.services, "alice")
            document = await app.services.documents.upload(alice, a_file())
            await app.services.documents.index(alice, document.id)
        assert await identity(**within) == "hashing/v1-512", "the documents decide"
        assert await identity(**within | {"embedder": "ollama"}) == "hashing/v1-512", "docent reindex changes it, and no setting"
        assert await identity(**within) == "hashing/v1-512"


@asynccontextmanager
async def working(folder: Path, settings: dict[str, object]) -> AsyncIterator[None]:
    """Run ``docent worker`` within the block."""
    environment = {name.upper(): str(value) for name, value in {"path": "/usr/bin:/bin", **settings}.items()}
    process = await asyncio.create_subprocess_exec(str(DOCENT), "worker", stdout=PIPE, stderr=STDOUT, env=environment, cwd=folder)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            assert b"worker is ready" in await process.stdout.readline()
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            rest, _ = await process.communicate()
    assert (process.returncode, rest) == (0, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_several_processes_on_one_database_are_one_product(cluster: Cluster, database: Database, tmp_path: Path) -> None:
    async with StandInOllama(reply=["word "] * 60, interval=0.05) as ollama:
        shared: dict[str, Any] = {
            "database_url": plain_url(database.app_url),
            "database_owner_url": plain_url(database.owner_url),
            "chroma_url": cluster.chroma_url,
            "blob_url": (tmp_path / "files").as_uri(),
            "secret_key": SECRET,
            "chat_provider": "ollama",
            "embedder": "hashing",
            "ollama_url": ollama.url,
            "worker": False,
            "log_level": "warning",
        }
        (tmp_path / "one").mkdir()
        (tmp_path / "two").mkdir()
        async with (
            running_product(tmp_path / "one" / "data", **shared) as one,
            running_product(tmp_path / "two" / "data", **shared) as two,
            one.account() as alice,
        ):
            document = (await alice.upload("whales.md", b"Blue whales eat krill.")).json()
            port = free_port()
            async with working(tmp_path, shared | {"data_dir": tmp_path / "data", "metrics_port": port}), one.client() as client:
                assert (await alice.settled(document["id"]))["status"] == "ready"
                assert 'docent_documents_total{outcome="ready"} 1.0' in (await client.get(f"http://127.0.0.1:{port}/metrics")).text
            session = (await alice.client.post("/api/v1/chat/sessions", json={})).json()["id"]
            asking = asyncio.create_task(alice.ask("Go on.", session_id=session))
            async with asyncio.timeout(30):
                while not ollama.streams_opened:  # noqa: ASYNC110 - the stand-in counts, and tells nobody
                    await asyncio.sleep(0.02)
            body = {"query": "And I?", "session_id": session}
            async with two.client(Authorization=f"Bearer {alice.access_token}") as client:
                busy = await client.post("/api/v1/chat/query", json=body)
            assert (busy.status_code, busy.json()["code"]) == (409, "session_busy")
            assert (await asking).json()["status"] == "complete"
