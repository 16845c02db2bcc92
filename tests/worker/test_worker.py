"""The worker and its queue while services work, stop, and lose their jobs."""

import asyncio
import sys
from time import monotonic
from typing import Any

import procrastinate
import pytest
from procrastinate.testing import InMemoryConnector

from backend.worker import app as queue
from backend.worker.schedule import add_schedule
from backend.worker.tasks import add_tasks
from tests.conftest import ApplicationFactory, registered
from tests.support.cluster import Cluster, Database
from tests.support.files import a_file, long_text
from tests.support.parts import CountingEmbedder, PlainTextParser, SwitchableIndex
from tests.worker.watching import Gate, listening, settled, soon, sql


async def test_a_job_starts_when_its_commit_is_announced_and_not_when_somebody_looks(
    application: ApplicationFactory, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "POLL_SECONDS", 600.0)
    async with application(parser=PlainTextParser()) as app, app.worker.running(alone=True), sql(database.app_url) as db:
        alice = await registered(app.services, "alice")
        await listening(db)
        took = []
        for number in range(3):
            document = await app.services.documents.upload(alice, a_file(data=f"Note {number}.".encode()))
            begun = monotonic()
            assert (await settled(app.services, document)).status == "ready"
            took.append(monotonic() - begun)
    sys.stdout.write(f"\nfrom an upload to its being ready: {min(took):.2f} s\n")


async def test_jobs_of_one_document_wait_for_each_other_and_not_for_others(
    application: ApplicationFactory, database: Database
) -> None:
    embedder = CountingEmbedder()
    async with application(parser=PlainTextParser(), embedder=embedder) as app, sql(database.owner_url) as db:
        alice = await registered(app.services, "alice")
        gate = Gate(embedder)
        long = await app.services.documents.upload(alice, a_file(data=long_text(16)))
        await db.execute(
            "select procrastinate_defer_jobs_v1(array_agg(row(queue_name, task_name, 0, lock, null, args, null)"
            "::procrastinate_job_to_defer_v1)) from procrastinate_jobs, generate_series(1, 2)"
        )
        async with app.worker.running(alone=True):
            await asyncio.wait_for(gate.reached.wait(), 30)
            short = await app.services.documents.upload(alice, a_file(data=b"Something short."))
            assert (await settled(app.services, short)).status == "ready"
            doing = "select count(*) from procrastinate_jobs where status = 'doing' and lock = $1"
            assert await db.fetchval(doing, str(long.id)) == 1
            gate.open.set()
            assert (await settled(app.services, long)).attempts == 1
            await soon(lambda: db.fetchval("select not exists (select from procrastinate_jobs where lock is not null)"))
    assert gate.most == 1


async def test_a_stop_in_the_middle_hands_the_document_back_and_the_attempt_is_not_counted(
    application: ApplicationFactory, database: Database
) -> None:
    embedder = CountingEmbedder()
    quick = {"shutdown_grace_seconds": 0}
    async with application(parser=PlainTextParser(), embedder=embedder, settings=quick) as app, sql(database.owner_url) as db:
        alice = await registered(app.services, "alice")
        document = await app.services.documents.upload(alice, a_file(data=long_text(64)))
        for _ in range(5):  # More often than a document or its job may fail.
            gate = Gate(embedder)
            embedder.calls = 0
            async with asyncio.timeout(60), app.worker.running(alone=True):  # The embedder would wait for ever.
                await gate.reached.wait()
            found = await app.services.documents.get(alice, document.id)
            assert (found.status, found.attempts, found.waiting_for) == ("pending", 0, None)
            await db.execute("update documents set updated_at = now() - interval '2 minutes'")
            await app.services.maintenance.reconcile()
            # A retry after a stop waits a little longer each time, and this test does not.
            await db.execute("update procrastinate_jobs set scheduled_at = null where status = 'todo'")
        embedder.mend()
        async with app.worker.running(alone=True):
            ready = await settled(app.services, document)
    assert (ready.status, ready.attempts, ready.progress_done) == ("ready", 1, ready.chunks)
    assert sum(map(len, embedder.batches)) <= ready.chunks - 5 * embedder.batch_size, (
        "what was stored before the stop is not embedded again"
    )


@pytest.mark.parametrize("loss", ["update {} set status = 'aborted'", "update {} set status = 'failed'", "delete from {}"])
async def test_a_document_whose_job_was_lost_gets_a_new_one(application: ApplicationFactory, database: Database, loss: str) -> None:
    async with application(parser=PlainTextParser()) as app, sql(database.owner_url) as db:
        alice = await registered(app.services, "alice")
        document = await app.services.documents.upload(alice, a_file())
        await db.execute(loss.format("procrastinate_jobs"))
        await app.services.maintenance.reconcile()
        waiting = "select count(*) from procrastinate_jobs where status = 'todo' and task_name = 'index_document'"
        assert await db.fetchval(waiting) == 0, "it may just be on its way"
        await db.execute("update documents set updated_at = now() - interval '2 minutes'")
        for _ in range(2):
            await app.services.maintenance.reconcile()
            assert await db.fetchval(waiting) == 1
        async with app.worker.running(alone=True):
            assert (await settled(app.services, document)).status == "ready"


@pytest.mark.parametrize("alone", [True, False], ids=["taken_over_at_once", "rescued_by_the_clock"])
async def test_jobs_of_a_killed_worker_run_again(
    application: ApplicationFactory, database: Database, alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if alone:
        monkeypatch.setattr(queue, "STALLED_SECONDS", 3600.0)  # By the clock it would be for an hour that nobody rescues them.
    async with application(parser=PlainTextParser()) as app, sql(database.owner_url) as db:
        alice = await registered(app.services, "alice")
        document = await app.services.documents.upload(alice, a_file())
        dead = await db.fetchval("insert into procrastinate_workers (last_heartbeat) values (now() - interval '20 s') returning id")
        # It was also busy with the house, whose next turn is in the queue already: two there would violate the queueing lock.
        for _ in range(2):
            await db.execute("update procrastinate_jobs set status = 'doing', worker_id = $1", dead)
            await db.execute(
                "select procrastinate_defer_jobs_v1(array[row('default', 'reconcile', 0, null, 'reconcile', $1, null)"
                "::procrastinate_job_to_defer_v1])",
                '{"timestamp": 1}',
            )
        async with app.worker.running(alone=alone):
            assert (await settled(app.services, document)).status == "ready"
            await soon(
                lambda: db.fetchval(
                    "select not exists (select from procrastinate_jobs where worker_id is null and status = 'doing')"
                )
            )


async def test_vectors_that_the_index_missed_are_handed_over_later(
    application: ApplicationFactory, database: Database, cluster: Cluster
) -> None:
    index = SwitchableIndex(cluster.chroma_url)
    async with application(parser=PlainTextParser(), index=index) as app, sql(database.owner_url) as db:
        alice = await registered(app.services, "alice")
        index.down = True
        document = await app.services.documents.upload(alice, a_file(data=long_text(8)))
        async with app.worker.running(alone=True):
            ready = await settled(app.services, document)
            missing = "select count(*) from chunk_vectors where not indexed"
            assert await db.fetchval(missing) == ready.chunks > 0
            index.down = False
            await app.services.maintenance.reconcile()
            await soon(lambda: db.fetchval(f"select ({missing}) = 0"))


def test_every_job_is_known_and_a_stop_never_loses_one() -> None:
    app = procrastinate.App(connector=InMemoryConnector())
    services: Any = None  # Nothing is called.
    add_tasks(app, services)
    add_schedule(app, services, stalled_seconds=6)
    by_clock = {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values()}
    assert by_clock == {"rescue_stalled_jobs": "* * * * * */5", "reconcile": "* * * * * */30", "verify_index": "*/10 * * * * 0"}
    deferred = {name: task for name, task in app.tasks.items() if "builtin" not in name and name not in by_clock}
    documents = {"index_document", "confirm_vectors", "tidy_document", "discard_file", "purge_document", "purge_file"}
    index = {"build_generation", "rebuild_collection", "drop_collection"}
    assert set(deferred) == documents | index | {"purge_account", "purge_account_files", "answer_task"}
    cut = procrastinate.jobs.Job(id=1, queue="default", lock=None, queueing_lock=None, task_name="any")
    assert all(task.get_retry_exception(asyncio.CancelledError(), cut) for task in deferred.values())
