"""The worker when its database is away."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import procrastinate
import psycopg
import pytest
from procrastinate.jobs import Status

from backend.adapters.servers.supervisor import open_servers
from backend.bootstrap.application import Replacements, open_application
from backend.core.config import plain_url
from backend.core.errors import UnavailableError
from backend.core.values.document import Document
from backend.db.migrations import migrate
from backend.services.registry import Services
from backend.worker import connector
from backend.worker.app import Worker
from backend.worker.connector import PatientConnector
from tests.conftest import registered
from tests.support.cluster import Cluster, Database
from tests.support.files import a_file, long_text
from tests.support.parts import CountingEmbedder, PlainTextParser
from tests.worker.watching import Gate, settled, soon

CLOSED_PORT = "postgresql://nobody:nothing@127.0.0.1:9/nowhere"


async def test_without_a_database_the_worker_keeps_trying_and_stops_at_once(services: Services) -> None:
    worker = Worker(CLOSED_PORT, services, concurrency=1, grace_seconds=0)
    async with asyncio.timeout(20), worker.running(alone=True):  # One attempt to reach it goes on for 30 seconds.
        await asyncio.sleep(0.5)


@pytest.fixture(scope="module")
async def fragile(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> AsyncIterator[tuple[Path, Database]]:
    """A PostgreSQL that may be killed: its folder, and its database."""
    folder = tmp_path_factory.mktemp("fragile")
    async with open_servers(folder, postgres=True, chroma=False) as servers:
        assert servers.owner_url is not None
        assert servers.app_url is not None
        await migrate(servers.owner_url)
        yield folder, Database(servers.owner_url, servers.app_url)


def kill_postgres(folder: Path) -> None:
    os.kill(int((folder / "pg" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


async def test_the_worker_goes_on_when_postgres_was_killed_under_it(
    fragile: tuple[Path, Database], cluster: Cluster, tmp_path: Path
) -> None:
    folder, database = fragile
    embedder = CountingEmbedder()
    parts = Replacements(parser=PlainTextParser(), embedder=embedder)
    async with open_application(cluster.settings(database, tmp_path), replacing=parts) as app, app.worker.running(alone=True):
        alice = await registered(app.services, "alice")
        gate = Gate(embedder)
        long = await app.services.documents.upload(alice, a_file(data=long_text(16)))
        await asyncio.wait_for(gate.reached.wait(), 30)
        kill_postgres(folder)
        gate.open.set()
        await asyncio.sleep(0.2)

        async def uploaded() -> Document | None:
            try:
                return await app.services.documents.upload(alice, a_file(data=b"Something short."))
            except UnavailableError:
                return None

        short = await soon(uploaded)
        assert (await settled(app.services, short)).status == "ready"
        assert (await settled(app.services, long)).status == "ready"


async def test_what_became_of_a_job_is_written_even_if_postgres_was_killed_at_that_moment(
    fragile: tuple[Path, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, database = fragile
    async with procrastinate.App(connector=PatientConnector(plain_url(database.app_url))).open_async() as app:
        job_id = await app.configure_task("any", allow_unknown=True).defer_async()
        worker_id = await app.job_manager.register_worker()
        job = await app.job_manager.fetch_job(queues=None, worker_id=worker_id)
        assert job is not None
        kill_postgres(folder)
        with pytest.raises((psycopg.Error, OSError)):
            await psycopg.AsyncConnection.connect(plain_url(database.app_url))
        await app.job_manager.finish_job(job, Status.SUCCEEDED, delete_job=True)
        assert not list(await app.job_manager.list_jobs_async(id=job_id))
        monkeypatch.setattr(connector, "PAUSES_SECONDS", (600.0,))  # A refusal is no outage: it is not tried again.
        with pytest.raises(procrastinate.exceptions.ConnectorException):
            await asyncio.wait_for(app.job_manager.finish_job(job, Status.SUCCEEDED, delete_job=True), 30)
