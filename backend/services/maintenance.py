"""Keeping the house: what got lost."""

from collections.abc import Collection
from uuid import UUID

import structlog

from backend.core.clock import now
from backend.core.values.chat import LONGEST_ANSWER
from backend.db.uow import UnitOfWork
from backend.services.answering.attempts import queue

log = structlog.get_logger(__name__)

LOST_AFTER_SECONDS = 60
ENDED_JOBS_DAYS = 7
"""How long the queue remembers a job that failed: what became of its document stands on the document."""


class MaintenanceService:
    """Finds work whose job got lost."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def end_abandoned_answers(self, *, all_of_them: bool = False) -> None:
        """Mark answers as incomplete whose process is gone; all of them, where this process is the only one and has just begun.

        Those that a worker is still to give stay as they are.
        """
        async with self._uow.system() as tx:
            ended = await tx.messages.end_abandoned(before=None if all_of_them else now() - LONGEST_ANSWER)
        if ended:
            log.warning("abandoned_answers_ended", answers=ended)

    async def end_answers_of_lost_process(self, message_ids: Collection[UUID]) -> None:
        """Mark those of the answers as incomplete that were not stored before the process that gave them died."""
        async with self._uow.system() as tx:
            ended = await tx.messages.end_abandoned(of=message_ids)
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
