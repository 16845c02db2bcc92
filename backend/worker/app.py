"""The queue: Procrastinate on the same PostgreSQL. Nobody else imports it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from backend.services.answering.attempts import QUEUE as ANSWERS
from backend.services.registry import Services
from backend.worker.following import followed

if TYPE_CHECKING:
    import procrastinate
    from procrastinate.worker import Worker as QueueWorker

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 2.0
STALLED_SECONDS = 6.0
RESTART_SECONDS = 2.0
QUEUES = ("default", ANSWERS)
"""Answers take minutes: in a queue of their own they keep neither documents nor the clock waiting."""
POLL_SECONDS = 1.0
"""New jobs announce themselves. Those whose time has come, or whose lock was released, are found by asking."""


class Worker:
    """Takes jobs and calls the services. It survives a database that goes away: it starts again when that is back.

    Commands that have one and do not let it run need not wait for the queue's library.
    """

    _app: "procrastinate.App"

    def __init__(self, database_url: str, services: Services, *, concurrency: int, grace_seconds: float) -> None:
        self._database_url = database_url
        self._services = services
        self._concurrency = concurrency
        self._grace_seconds = grace_seconds
        self._alone = False
        # Cancelling is not enough: up to Python 3.11 what waits for a connection may lose it, and then works on for ever.
        self._ending = asyncio.Event()
        self._taking = False

    @asynccontextmanager
    async def running(self, *, alone: bool) -> AsyncIterator[None]:
        """Work within the block. ``alone`` says that no other process can be at work: what is marked so is taken over at once."""
        self._alone = alone
        self._app = _queue(self._database_url, self._services)
        self._ending.clear()
        task = asyncio.create_task(self._keep_working(), name="worker")
        try:
            yield
        finally:
            self._ending.set()
            if not self._taking:
                task.cancel()
            await asyncio.wait([task])

    async def _keep_working(self) -> None:
        import procrastinate  # noqa: PLC0415 - loaded by now
        import psycopg  # noqa: PLC0415

        while not self._ending.is_set():
            try:
                await self._work()
            except (procrastinate.exceptions.ConnectorException, psycopg.OperationalError) as error:
                # The database is away. Jobs stay where they are, and the pool of the API tells its callers.
                log.warning("worker_without_database", error=type(error).__name__)
            except Exception:
                # Whatever it was, documents are waiting: say it loudly, and start again.
                log.exception("worker_failed")
            if not self._ending.is_set():
                await asyncio.sleep(RESTART_SECONDS)

    async def _work(self) -> None:
        try:
            await self._app.open_async()
            if self._alone:
                # Without waiting for the heartbeat of a killed process to be missed.
                from backend.worker.schedule import queue_again  # noqa: PLC0415 - loaded by now

                await queue_again(self._app, silent_for_seconds=0)
                self._alone = False
            if not self._ending.is_set():
                await self._take_jobs()
        finally:
            # Also where opening failed: a pool that could not connect is of no use to the next attempt.
            await self._app.close_async()

    async def _take_jobs(self) -> None:
        """Take jobs of each queue, as many at the same time, until one of them fails or all are told to stop: then none goes on."""
        workers = [self._worker_of(queue) for queue in QUEUES]
        takers = [asyncio.create_task(worker.run(), name=f"worker-{queue}") for worker, queue in zip(workers, QUEUES, strict=True)]
        ending = asyncio.create_task(self._ending.wait())
        self._taking = True
        try:
            await asyncio.wait([*takers, ending], return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Told, and not cancelled: they end their jobs in order, and hand back those that take longer than the grace time.
            for worker in workers:
                worker.stop()
            ending.cancel()
            ended = await asyncio.gather(*takers, return_exceptions=True)
            self._taking = False
        for error in ended:
            if isinstance(error, Exception):
                raise error

    def _worker_of(self, queue: str) -> "QueueWorker":
        from procrastinate.worker import Worker as QueueWorker  # noqa: PLC0415 - loaded by now

        return QueueWorker(
            self._app,
            queues=[queue],
            concurrency=self._concurrency,
            fetch_job_polling_interval=POLL_SECONDS,
            abort_job_polling_interval=5.0,
            shutdown_graceful_timeout=self._grace_seconds,
            listen_notify=True,
            delete_jobs="successful",
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            stalled_worker_timeout=STALLED_SECONDS,
            install_signal_handlers=False,
            worker_middleware=[followed],
        )


def _queue(database_url: str, services: Services) -> "procrastinate.App":
    import procrastinate  # noqa: PLC0415 - 0.2 s, and only where jobs are taken

    from backend.worker.connector import PatientConnector  # noqa: PLC0415 - the same
    from backend.worker.schedule import add_schedule  # noqa: PLC0415
    from backend.worker.tasks import add_tasks  # noqa: PLC0415

    app = procrastinate.App(
        connector=PatientConnector(database_url),
        periodic_defaults={"max_delay": 60},
    )
    add_tasks(app, services)
    add_schedule(app, services, stalled_seconds=STALLED_SECONDS)
    return app
