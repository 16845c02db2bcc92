"""Keeping the house: what is up, and what got lost."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from typing import Literal

import structlog

from backend.core.clock import now
from backend.core.errors import DocentError
from backend.core.values.chat import LONGEST_ANSWER
from backend.core.values.status import Check
from backend.db.uow import UnitOfWork
from backend.services.answering.attempts import queue

log = structlog.get_logger(__name__)

LOST_AFTER_SECONDS = 60
ENDED_JOBS_DAYS = 7
"""How long the queue remembers a job that failed: what became of its document stands on the document."""
CHECK_SECONDS = 3.0

VITAL = frozenset({"postgresql", "blobs"})


class MaintenanceService:
    """Checks what the system depends on, and finds work whose job got lost."""

    def __init__(self, uow: UnitOfWork, checks: Mapping[str, tuple[str, Callable[[], Awaitable[None]]]]) -> None:
        self._uow = uow
        self._checks = {"postgresql": ("", self._check_database), **checks}

    async def checks(self) -> list[Check]:
        """Try every dependency, each with a deadline, all at once."""
        return list(await asyncio.gather(*(self._try(name, url, check) for name, (url, check) in self._checks.items())))

    async def _try(self, name: str, url: str, check: Callable[[], Awaitable[None]]) -> Check:
        begun = perf_counter()
        status: Literal["up", "down"] = "up"
        detail = None
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await check()
        except TimeoutError:
            status, detail = "down", "No answer in time."
        except DocentError as error:
            status, detail = "down", error.message
        return Check(name, url, status, round((perf_counter() - begun) * 1000, 1), detail, vital=name in VITAL)

    async def _check_database(self) -> None:
        async with self._uow.system() as tx:
            await tx.settings.get("embedder")

    async def end_abandoned_answers(self, *, all_of_them: bool = False) -> None:
        """Mark answers as incomplete whose process is gone; all of them, where this process is the only one and has just begun.

        Those that a worker is still to give stay as they are.
        """
        async with self._uow.system() as tx:
            ended = await tx.messages.end_abandoned(before=None if all_of_them else now() - LONGEST_ANSWER)
        if ended:
            log.warning("abandoned_answers_ended", answers=ended)

    async def reconcile(self) -> None:
        """Queue again what waits for a job that does not exist: lost to a shutdown, a crash of the queue, or somebody's hand."""
        async with self._uow.system() as tx:
            lost = await tx.documents.without_job(older_than_seconds=LOST_AFTER_SECONDS)
            for owner_id, document_id, task in lost:
                await tx.jobs.defer(task, lock=str(document_id), owner_id=owner_id, document_id=document_id)
            await tx.jobs.forget_ended(days=ENDED_JOBS_DAYS)
            deleted = await tx.leftovers.without_job(older_than_seconds=LOST_AFTER_SECONDS)
            for owner_id in deleted:
                await tx.jobs.defer("purge_account", lock=str(owner_id), owner_id=owner_id)
            late = await tx.vectors.unindexed_documents()
            for owner_id, document_id in late:
                await tx.jobs.defer(
                    "confirm_vectors", lock=str(document_id), priority=-5, owner_id=owner_id, document_id=document_id
                )
            tasks = await tx.tasks.without_job(older_than_seconds=LOST_AFTER_SECONDS)
            for owner_id, task_id in tasks:
                await queue(tx, owner_id, task_id)
        if lost or deleted or late or tasks:
            log.warning("work_queued_again", documents=len(lost), accounts=len(deleted), unindexed=len(late), tasks=len(tasks))
