"""Questions that are answered in the background: seen and cancelled by who asked, answered by a worker."""

import asyncio
from uuid import UUID

import structlog

from backend.core.errors import (
    AnswerCrashedError,
    ModelNotAllowedError,
    QuotaExceededError,
    ServerStoppingError,
    TaskNotFoundError,
    UnavailableError,
)
from backend.core.values.chat import Answer
from backend.core.values.page import Cursor, Page
from backend.core.values.task import Task, TaskState
from backend.core.values.user import EVERYTHING, Reach
from backend.db.uow import Transaction, UnitOfWork
from backend.services.answering.asking import asked_by
from backend.services.answering.attempts import MOST_ATTEMPTS, Attempt, call_off, give_up, leave_unanswered
from backend.services.answering.pipeline import Answering
from backend.services.answering.recalling import answer_of
from backend.services.answering.turn import Asked, Turn
from backend.services.quotas import Quotas

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
"""How often an attempt tells how far it is, and looks whether anybody still wants it."""


class TaskService:
    """Shows and cancels tasks, and makes their attempts. Somebody else's is missing, and so is one out of a key's reach."""

    def __init__(self, uow: UnitOfWork, answering: Answering, quotas: Quotas) -> None:
        self._uow = uow
        self._answering = answering
        self._quotas = quotas

    async def page(
        self, owner_id: UUID, *, limit: int, after: Cursor | None, state: TaskState | None = None, reach: Reach = EVERYTHING
    ) -> Page[Task]:
        """Return tasks, newest first: all, or those in one state."""
        async with self._uow.of(owner_id) as tx:
            return await tx.tasks.page(owner_id, limit=limit, after=after, state=state, key_id=reach.key_id)

    async def get(self, owner_id: UUID, task_id: UUID, *, reach: Reach = EVERYTHING) -> tuple[Task, Answer | None]:
        """Return a task, and its answer once it has succeeded.

        Raises:
            TaskNotFoundError: The caller has no such task.
        """
        async with self._uow.of(owner_id) as tx:
            task = await tx.tasks.get(owner_id, task_id, key_id=reach.key_id)
            if task is None:
                raise TaskNotFoundError
            message = await tx.messages.get(owner_id, task.message_id) if task.state == "succeeded" else None
        return task, None if message is None else answer_of(message)

    async def cancel(self, owner_id: UUID, task_id: UUID, *, reach: Reach = EVERYTHING) -> None:
        """Cancel a task that is queued or running, whichever process answers it; remove one that has ended from the list.

        What was said by then stays in its conversation, and so do question and answer of one that is removed.

        Raises:
            TaskNotFoundError: The caller has no such task.
        """
        async with self._uow.of(owner_id) as tx:
            task = await tx.tasks.hold(owner_id, task_id, key_id=reach.key_id)
            if task is None:
                raise TaskNotFoundError
            if task.live:
                await call_off(tx, task)
            else:
                message = await tx.messages.get(owner_id, task.message_id)
                # Where the answer is still being ended, this is the same cancellation sent again.
                if message is None or message.status != "streaming":
                    await tx.tasks.remove(owner_id, task_id)
        self._answering.turns.stop(task.message_id)

    async def answer(self, owner_id: UUID, task_id: UUID) -> None:
        """Make one attempt at a task. One that is gone or has ended is left alone.

        Raises:
            DocentError: What came of it could not be stored, or the server is being stopped: the job comes again.
        """
        async with self._uow.of(owner_id) as tx:
            found = await tx.tasks.get(owner_id, task_id)
        if found is None:
            return
        if self._answering.turns.stopping:
            raise ServerStoppingError
        if (earlier := self._answering.turns.get(found.message_id)) is not None:
            await earlier.settled()  # This process was taken for dead while it answered.
        begun = await self._begin(owner_id, task_id)
        if begun is None:
            return
        attempt, asked = begun
        turn = self._answering.start(asked, streamed=False, attempt=attempt)
        try:
            await self._watch(turn, attempt)
        except asyncio.CancelledError:
            # A shutdown, not a crash: the task goes back to the queue.
            turn.interrupt("incomplete")
            await asyncio.shield(turn.settled())
            raise
        if not attempt.over:
            await turn.answer()

    async def _begin(self, owner_id: UUID, task_id: UUID) -> tuple[Attempt, Asked] | None:
        """Count an attempt and return it with its question, if the task is still to be answered and may be.

        An outage counts nothing. A question that cannot be read counts: it is not tried for ever.
        """
        try:
            async with self._uow.of(owner_id) as tx:
                task = await self._may_begin(tx, owner_id, task_id)
                return None if task is None else (Attempt(self._uow, task), await asked_by(tx, task))
        except UnavailableError:
            raise
        except Exception:
            log.exception("task_not_read", task_id=str(task_id))
            async with self._uow.of(owner_id) as tx:
                await tx.tasks.start_attempt(owner_id, task_id)
            raise

    async def _may_begin(self, tx: Transaction, owner_id: UUID, task_id: UUID) -> Task | None:
        task, user = await tx.tasks.hold(owner_id, task_id), await tx.users.get(owner_id)
        if task is None or user is None:
            return None
        if task.state == "cancelled" or (task.live and not user.is_active):
            # Where it was cancelled already, its process died before it could end the answer.
            await leave_unanswered(tx, task, "stopped")
            await tx.tasks.end(owner_id, task_id, "cancelled")
            return None
        if task.live and task.attempts >= MOST_ATTEMPTS:
            await give_up(tx, task, AnswerCrashedError())
            return None
        task = await tx.tasks.start_attempt(owner_id, task_id)
        if task is None:
            return None
        try:
            await self._quotas.admit(tx, owner_id, task.request.model)
        except (ModelNotAllowedError, QuotaExceededError) as error:
            await give_up(tx, task, error)
            return None
        return task

    async def _watch(self, turn: Turn, attempt: Attempt) -> None:
        """Return once the turn is over, and end it if nobody wants it any more."""
        settled = asyncio.create_task(turn.settled())
        try:
            while not (await asyncio.wait([settled], timeout=LOOK_SECONDS))[0]:
                try:
                    async with self._uow.of(attempt.task.owner_id) as tx:
                        wanted = await tx.tasks.note_progress(attempt.task, characters=sum(map(len, turn.parts)))
                except UnavailableError:
                    continue  # The attempt itself will find out.
                if not wanted:
                    turn.interrupt("stopped")
        finally:
            settled.cancel()
