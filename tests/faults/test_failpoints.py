"""Kill -9 at every failpoint: the next process finishes what was begun, and the end is as if nothing had happened."""

import asyncio
import json
import multiprocessing
import signal
import sys
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from backend.core.failpoints import FAILPOINTS
from tests.conftest import registered
from tests.faults.crashes import report
from tests.faults.victim import FIRST, OTHER, SECOND, Journal, live, lived
from tests.support.cluster import Cluster, Database
from tests.support.files import a_file
from tests.support.invariants import Place, sound_within

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="begins many processes from one that has everything loaded")

AT_ONCE = 3
RECOVERY_SECONDS = 30
IN_THE_MIDDLE = {"index.embedded", "index.stored", "index.upserted"}
"""Killed at the second batch of several, and not before anything was done."""
Chunks = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Life:
    """A place for one process to live in, and for another after it."""

    settings: dict[str, Any]
    place: Place
    journal: Path

    async def end(self, processes: ForkServerContext, failpoints: str) -> int:
        """Live until the end, or until a failpoint kills; return the process's exit code."""
        settings = json.dumps({**self.settings, "failpoints": failpoints}, default=str)
        process = processes.Process(target=live, args=(settings, self.place, self.journal))
        process.start()
        await asyncio.to_thread(process.join, 60)
        if process.is_alive():
            process.kill()
            process.join()
        assert process.exitcode is not None
        return process.exitcode

    async def documents(self) -> dict[str, Any]:
        """Return what is known of every document, with its chunks."""
        rows = await self.place.rows("select id, status, sha256 from documents where deleted_at is null")
        return {str(row["id"]): (row["status"], row["sha256"], await self.place.chunks(row["id"])) for row in rows}


def a_life(cluster: Cluster, database: Database, home: Path) -> Life:
    home.mkdir()
    settings = cluster.settings(database, home).model_dump(exclude_unset=True)
    settings |= {"database_url": database.app_url, "database_owner_url": database.owner_url}
    return Life(settings, Place(database.owner_url, cluster.chroma_url, home / "files"), home / "journal")


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.victim", "chromadb.api.async_fastapi", "httpcore", "psycopg_pool"])
    return context


@pytest.fixture
async def undisturbed(cluster: Cluster, database: Database, tmp_path: Path) -> dict[str, Chunks]:
    """What becomes of the files when nothing happens: their chunks by the hash of their bytes."""
    life = a_life(cluster, database, tmp_path / "undisturbed")
    async with lived(life.settings) as application:
        alice = await registered(application.services, "alice")
        for data in (FIRST, SECOND, OTHER):
            await application.services.documents.upload(alice, a_file("a.txt", data))
        await sound_within(life.place, RECOVERY_SECONDS)
        return {sha256: chunks for _, sha256, chunks in (await life.documents()).values()}


@pytest.mark.timeout(600)
# Whoever looks at a server while it is killed may leave a connection that asyncio had half made.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_after_a_kill_at_any_failpoint_the_end_is_as_if_nothing_had_happened(
    undisturbed: dict[str, Chunks], cluster: Cluster, processes: ForkServerContext, tmp_path: Path
) -> None:
    begun = monotonic()
    recoveries: dict[str, float] = {}
    waiting = iter(FAILPOINTS)

    async def take() -> None:
        for failpoint in waiting:
            async with cluster.database() as database:
                life = a_life(cluster, database, tmp_path / failpoint)
                nth = 2 if failpoint in IN_THE_MIDDLE else 1
                assert await life.end(processes, f"{failpoint}=kill@{nth}") == -signal.SIGKILL, failpoint
                recoveries[failpoint] = await recovered(life, failpoint, undisturbed)

    await asyncio.gather(*(take() for _ in range(AT_ONCE)))
    times = ", ".join(f"{name} {seconds:.1f}" for name, seconds in recoveries.items())
    report(f"{len(recoveries)} failpoints in {monotonic() - begun:.1f} s. Seconds from the kill until all is well: {times}")
    assert recoveries.keys() == set(FAILPOINTS)


async def recovered(life: Life, failpoint: str, undisturbed: dict[str, Chunks]) -> float:
    """Start again on what is left, and return how long it took until nothing was wrong."""
    # A file without a row is nobody's: no client was told that it was taken, and `docent check` sweeps it.
    orphans = life.place.stored() if failpoint == "upload.stored" else set()
    killed = monotonic()
    async with lived(life.settings):
        await sound_within(life.place, RECOVERY_SECONDS, orphans=orphans)
        took = monotonic() - killed
        found = await life.documents()
        told = Journal(life.journal)
        assert found.keys() >= set(told.told("accepted")) - set(told.told("deleting")), "accepted, and lost"
        assert not found.keys() & set(told.told("deleted")), "deleted, and back"
        for status, sha256, chunks in found.values():
            assert (status, chunks) == ("ready", undisturbed[sha256]), failpoint
        await life.place.hurry()
        await sound_within(life.place, RECOVERY_SECONDS, orphans=orphans)
        assert len(life.place.stored() - orphans) == len(found), "what was replaced or deleted is gone"
    return took
