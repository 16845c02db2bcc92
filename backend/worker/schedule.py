"""What runs by the clock. Seconds come last in these cron lines."""

import procrastinate
import structlog

from backend.services.registry import Services

log = structlog.get_logger(__name__)

BEFORE_DOCUMENTS = 10
"""A priority. Among equals the oldest job is first, and what keeps the house must not wait for a thousand documents."""
VERIFYING_SECONDS = 20.0
"""Of ten minutes: thousands of collections are verified in turn, and leave the index to those who ask."""


def add_schedule(app: procrastinate.App, services: Services, *, stalled_seconds: float) -> None:
    """Register the periodic tasks. Each holds a queueing lock, so a slow one never piles up; the clock is its retry."""

    @app.periodic(cron="* * * * * */5")
    @app.task(name="rescue_stalled_jobs", queueing_lock="rescue_stalled_jobs", priority=BEFORE_DOCUMENTS)
    async def rescue_stalled_jobs(timestamp: int) -> None:
        """Queue again the jobs of workers that died, and end the answers of processes that did. Attempts are counted."""
        log.debug("looking_for_stalled_jobs", at=timestamp)
        await queue_again(app, silent_for_seconds=stalled_seconds)
        # Until then their conversations are busy, and whoever asks again with the same key has to wait.
        await services.maintenance.end_abandoned_answers()

    @app.periodic(cron="* * * * * */30")
    @app.task(name="reconcile", queueing_lock="reconcile", priority=BEFORE_DOCUMENTS)
    async def reconcile(timestamp: int) -> None:
        log.debug("reconciling", at=timestamp)
        await services.maintenance.reconcile()
        await services.idempotency.expire()
        await services.reindexing.resume()

    @app.periodic(cron="*/10 * * * * 0")
    @app.task(name="verify_index", queueing_lock="verify_index")
    async def verify_index(timestamp: int) -> None:
        log.debug("verifying_the_index", at=timestamp)
        await services.reindexing.verify_index(seconds=VERIFYING_SECONDS)


async def queue_again(app: procrastinate.App, *, silent_for_seconds: float) -> None:
    """Queue again the jobs of workers that have not been heard of for so long, or not at all."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=silent_for_seconds):
        log.warning("job_of_a_lost_worker", task=job.task_name)
        if job.queueing_lock is None:
            await app.job_manager.retry_job(job)
        else:
            # The clock brings it again. It may have done so already, and a second one in the queue would violate its lock.
            await app.job_manager.finish_job(job, procrastinate.jobs.Status.FAILED, delete_job=True)
