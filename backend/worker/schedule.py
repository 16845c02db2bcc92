"""What runs by the clock. Seconds come last in these cron lines."""

import procrastinate
import structlog

from backend.services.registry import Services

log = structlog.get_logger(__name__)


def add_schedule(app: procrastinate.App, services: Services, *, stalled_seconds: float) -> None:
    """Register the periodic tasks. Each holds a queueing lock, so a slow one never piles up."""

    @app.periodic(cron="* * * * * */5")
    @app.task(name="rescue_stalled_jobs", queueing_lock="rescue_stalled_jobs", retry=1)
    async def rescue_stalled_jobs(timestamp: int) -> None:
        """Queue again the jobs of workers that died. Attempts are counted on the documents, so nothing loops for ever."""
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=stalled_seconds):
            log.warning("job_rescued", task=job.task_name, after=timestamp)
            await app.job_manager.retry_job(job)

    @app.periodic(cron="* * * * * */30")
    @app.task(name="reconcile", queueing_lock="reconcile", retry=1)
    async def reconcile(timestamp: int) -> None:
        log.debug("reconciling", at=timestamp)
        await services.maintenance.reconcile()
        await services.maintenance.end_abandoned_answers()
        await services.idempotency.expire()
