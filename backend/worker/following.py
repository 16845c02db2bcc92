"""What is done around every job: it goes on with its request's id and trace, and is measured."""

import asyncio
import logging
from time import perf_counter
from typing import TYPE_CHECKING

import structlog

from backend.core.metrics import JOBS
from backend.core.origin import ORIGIN, about_job
from backend.core.tracing import span

if TYPE_CHECKING:
    from procrastinate.job_context import JobContext
    from procrastinate.middleware import AsyncCallNext
    from procrastinate.worker import Worker as QueueWorker

log = structlog.get_logger(__name__)


async def followed(run: "AsyncCallNext", context: "JobContext", _worker: "QueueWorker") -> object:
    """Run a job as a part of what it came from; take in how long it took, and how it ended. One that was cut ended too."""
    job = context.job
    # Taken from the arguments that the task is about to be called with: tasks know nothing of it, and older jobs have none.
    came_from = job.task_kwargs.pop(ORIGIN, None)
    about = about_job(job.task_name, job.id, job.task_kwargs, came_from)
    # Each job has a context of its own. It is left as it is: the queue's last words about the job belong to it too.
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**about)
    parent = came_from.get("traceparent") if isinstance(came_from, dict) else None
    attributes = {f"docent.{name}": value for name, value in about.items()}
    begun, outcome = perf_counter(), "failed"
    try:
        with span(f"job {job.task_name}", attributes, kind="consumer", parent=str(parent) if parent else None):
            result = await run()
        outcome = "succeeded"
    except asyncio.CancelledError:
        outcome = "cut"
        raise
    else:
        return result
    finally:
        seconds = perf_counter() - begun
        JOBS.observe(seconds, job.task_name, outcome)
        # What the clock does every few seconds is no news.
        log.log(
            logging.DEBUG if "timestamp" in job.task_kwargs else logging.INFO, "job", outcome=outcome, ms=round(seconds * 1000, 1)
        )
