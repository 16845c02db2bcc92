"""Attempts of tasks at their answers, and how each of them may end."""

from datetime import timedelta
from typing import Literal
from uuid import UUID

import structlog

from backend.core.clock import now
from backend.core.errors import (
    AnswerCutError,
    ConflictError,
    DocentError,
    ModelMissingError,
    ServerStoppingError,
    StorageFullError,
    UnavailableError,
)
from backend.core.values.chat import Answer, Timings, Usage
from backend.core.values.task import Task
from backend.db.uow import Transaction, UnitOfWork

log = structlog.get_logger(__name__)

JOB = "answer_task"
QUEUE = "answers"
MOST_ATTEMPTS = 3
AGAIN_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 60.0
LONGEST_OUTAGE = timedelta(hours=1)
"""How long a task waits for what is down before it fails."""


class OvertakenError(ConflictError):
    """This attempt was taken for dead, and another one gives the answer. Nothing of it is stored."""


async def queue(tx: Transaction, owner_id: UUID, task_id: UUID, *, after_seconds: float = 0.0) -> None:
    """Queue an attempt. Those of an account run one after the other, so that nobody takes all workers."""
    at = now() + timedelta(seconds=after_seconds) if after_seconds else None
    await tx.jobs.defer(JOB, queue=QUEUE, lock=f"tasks {owner_id}", at=at, owner_id=owner_id, task_id=task_id)


async def call_off(tx: Transaction, task: Task) -> None:
    """Cancel a task that is held and live. If it is being answered, its process is told to stop, and stores what was said."""
    if task.state == "running":
        await tx.messages.call_for_stop(task.owner_id, task.message_id)
    else:
        await leave_unanswered(tx, task, "stopped")
        await tx.jobs.withdraw(JOB, task_id=task.id)
    await tx.tasks.end(task.owner_id, task.id, "cancelled")


async def give_up(tx: Transaction, task: Task, error: DocentError) -> None:
    """End a task that is held and whose answer cannot be given."""
    await leave_unanswered(tx, task, "incomplete", error)
    await tx.tasks.end(task.owner_id, task.id, "failed", code=error.code, message=error.message)
    log.warning("task_given_up", task_id=str(task.id), code=error.code)


async def leave_unanswered(
    tx: Transaction, task: Task, status: Literal["stopped", "incomplete"], error: DocentError | None = None
) -> None:
    """End the answer of a task without a word, if it is still to be given."""
    message = await tx.messages.get(task.owner_id, task.message_id)
    waited = (now() - task.created_at).total_seconds() * 1000
    answer = Answer(
        text="",
        session_id=task.session_id,
        message_id=task.message_id,
        status=status,
        answer_status="not_searched",
        model=(message and message.model) or "",
        sources=(),
        usage=Usage(None, None, None),
        timings=Timings(None, None, round(waited, 1)),
        error_code=error.code if error else None,
    )
    await tx.messages.finish(task.owner_id, answer)


class Attempt:
    """One attempt of a task. It is ``over`` once its outcome is stored, or its task is in the queue again with a job."""

    def __init__(self, uow: UnitOfWork, task: Task) -> None:
        self.task = task
        self.over = False
        self._uow = uow
        self._begun = now()

    async def goes_back(self, error: DocentError | None) -> bool:
        """Return the task to the queue if what ended the attempt may pass; return whether it is there: then nothing is stored.

        A stop of the server does not count, and its job comes again by itself. An outage does not count either, for an hour.
        A defect, or a model that stops in the middle, counts, and comes again twice.
        """
        task = self.task
        if isinstance(error, ServerStoppingError):
            async with self._uow.of(task.owner_id) as tx:
                return await tx.tasks.hand_back(task, waiting_for=None)
        if error is not None and _is_outage(error) and self._outage() < LONGEST_OUTAGE:
            self.over = await self._wait(error)
            return self.over
        defect = isinstance(error, AnswerCutError) or type(error) is DocentError
        if defect and task.attempts < MOST_ATTEMPTS:
            async with self._uow.of(task.owner_id) as tx:
                counts = await tx.tasks.try_again(task)
                if counts:
                    await queue(tx, task.owner_id, task.id, after_seconds=AGAIN_SECONDS)
            self.over = counts
            return counts
        return False

    async def end(self, tx: Transaction, answer: Answer, error: DocentError | None) -> None:
        """End the task, in the transaction that stores its answer. The answer of one that was cancelled is stored all the same.

        Raises:
            OvertakenError: Another attempt has begun.
        """
        task = await tx.tasks.hold(self.task.owner_id, self.task.id)
        if task is None or task.state == "cancelled":
            return
        if (task.state, task.attempts) != ("running", self.task.attempts):
            self.over = True  # The other one holds the job.
            raise OvertakenError
        if error is not None:
            await tx.tasks.end(task.owner_id, task.id, "failed", code=error.code, message=error.message)
        else:
            await tx.tasks.end(task.owner_id, task.id, "cancelled" if answer.status == "stopped" else "succeeded")

    def _outage(self) -> timedelta:
        """How long the task had waited when this attempt began: what the attempt took is not waiting."""
        since = self.task.waiting_since
        return timedelta() if since is None else self._begun - since

    async def _wait(self, error: DocentError) -> bool:
        pause = getattr(error, "retry_after_seconds", None) or 5.0
        seconds = min(max(pause, self._outage().total_seconds() / 10), LONGEST_PAUSE_SECONDS)
        log.warning("task_waits", task_id=str(self.task.id), code=error.code, seconds=round(seconds))
        async with self._uow.of(self.task.owner_id) as tx:
            counts = await tx.tasks.hand_back(self.task, waiting_for=error.message)
            if counts:
                await queue(tx, self.task.owner_id, self.task.id, after_seconds=seconds)
        return counts


def _is_outage(error: DocentError) -> bool:
    """Tell what passes. A model that does not exist is a mistake, however often it is asked for."""
    return isinstance(error, UnavailableError | StorageFullError) and not isinstance(error, ModelMissingError)
