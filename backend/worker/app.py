"""The queue: Procrastinate on the same PostgreSQL. Nobody else imports it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import procrastinate
import structlog

from backend.core.clock import now
from backend.services.registry import Services
from backend.worker.schedule import add_schedule
from backend.worker.tasks import add_tasks

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 2.0
STALLED_SECONDS = 6.0
RESTART_SECONDS = 2.0


class Worker:
    """Takes jobs and calls the services. It survives a database that goes away: it starts again when that is back."""

    def __init__(self, database_url: str, services: Services, *, concurrency: int, grace_seconds: float) -> None:
        self._concurrency = concurrency
        self._grace_seconds = grace_seconds
        self._app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(conninfo=database_url, min_size=1, max_size=4),
            periodic_defaults={"max_delay": 60},
        )
        add_tasks(self._app, services)
        add_schedule(self._app, services, stalled_seconds=STALLED_SECONDS)

    @asynccontextmanager
    async def running(self, *, alone: bool) -> AsyncIterator[None]:
        """Work within the block. ``alone`` says that no other process can be at work: what is marked so is taken over at once."""
        task = asyncio.create_task(self._keep_working(alone=alone), name="worker")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def forever(self) -> None:
        """Work until cancelled."""
        await self._keep_working(alone=False)

    async def _keep_working(self, *, alone: bool) -> None:
        while True:
            try:
                async with self._app.open_async():
                    if alone:
                        await self._take_over()
                        alone = False
                    await self._work()
            except procrastinate.exceptions.ConnectorException as error:
                # The database is away. Jobs stay where they are, and the pool of the API tells its callers.
                log.warning("worker_without_database", error=type(error).__name__)
            except Exception:
                # Whatever it was, documents are waiting: say it loudly, and start again.
                log.exception("worker_failed")
            await asyncio.sleep(RESTART_SECONDS)

    async def _work(self) -> None:
        await self._app.run_worker_async(
            concurrency=self._concurrency,
            fetch_job_polling_interval=5.0,
            abort_job_polling_interval=5.0,
            shutdown_graceful_timeout=self._grace_seconds,
            listen_notify=True,
            delete_jobs="successful",
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            stalled_worker_timeout=STALLED_SECONDS,
            install_signal_handlers=False,
        )

    async def _take_over(self) -> None:
        """Queue again what a killed process was doing, without waiting for its heartbeat to be missed."""
        for job in await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=0):
            log.warning("job_taken_over", task=job.task_name)
            await self._app.job_manager.retry_job(job, retry_at=now())
