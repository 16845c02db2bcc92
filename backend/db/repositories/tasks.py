"""Questions that are answered in the background."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Label, case, delete, func, insert, null, select, text, update
from sqlalchemy.orm import aliased

from backend.core.values.page import Cursor, Page
from backend.core.values.task import LIVE, Task, TaskRequest, TaskState
from backend.db.repositories.rows import AnyRow, Repository, columns, read
from backend.models import ChatSessionRow, TaskRow

WAITED = timedelta(hours=1)
"""Since its last attempt: then what it waited for is another outage."""

# A task that was cancelled is over once its answer is: the worker that gave it may have died before it could say so.
WITHOUT_JOB = text(
    "select t.owner_id, t.id from tasks t join users u on u.id = t.owner_id and u.deleted_at is null"
    " where t.updated_at < now() - make_interval(secs => :seconds)"
    "   and (t.state in ('queued', 'running') or t.state = 'cancelled'"
    "        and exists (select from messages m where m.id = t.message_id and m.status = 'streaming'))"
    "   and not exists (select from procrastinate_jobs j where j.status in ('todo', 'doing')"
    "     and j.task_name = 'answer_task' and j.args->>'task_id' = t.id::text)"
    " order by t.id limit 1000"
)


class TaskRepository(Repository):
    """Reads and writes ``tasks``. With ``key_id``, those of other credentials are as good as missing."""

    async def add(
        self, owner_id: UUID, *, task_id: UUID, session_id: UUID, message_id: UUID, key_id: UUID | None, request: TaskRequest
    ) -> Task:
        """Insert a task that is queued."""
        values = {"id": task_id, "owner_id": owner_id, "session_id": session_id, "message_id": message_id, "api_key_id": key_id}
        wanted = {**asdict(request), "within": None if request.within is None else [str(one) for one in request.within]}
        await self._connection.execute(insert(TaskRow).values(**values, request=wanted))
        return _task((await self._connection.execute(select(*_columns()).where(*_of(owner_id), TaskRow.id == task_id))).one())

    async def get(self, owner_id: UUID, task_id: UUID, *, key_id: UUID | None = None) -> Task | None:
        """Return one task."""
        statement = select(*_columns()).where(*_of(owner_id, key_id), TaskRow.id == task_id)
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else _task(row)

    async def page(
        self, owner_id: UUID, *, limit: int, after: Cursor | None, state: TaskState | None = None, key_id: UUID | None = None
    ) -> Page[Task]:
        """Return tasks, newest first: all, or those in one state."""
        statement = select(*_columns()).where(*_of(owner_id, key_id)).order_by(TaskRow.id.desc()).limit(limit + 1)
        if state is not None:
            statement = statement.where(TaskRow.state == state)
        if after is not None:
            statement = statement.where(TaskRow.id < after.id)
        items = [_task(row) for row in await self._connection.execute(statement)]
        return Page(items[:limit], Cursor("", items[limit - 1].id) if len(items) > limit else None)

    async def live(self, owner_id: UUID) -> int:
        """Count the tasks that are queued or running."""
        statement = select(func.count()).where(TaskRow.owner_id == owner_id, TaskRow.state.in_(LIVE))
        return (await self._connection.execute(statement)).scalar_one()

    async def live_of_key(self, owner_id: UUID, key_id: UUID) -> Sequence[UUID]:
        """Return the tasks that were asked with an API key and are queued or running, in the order of their ids."""
        statement = select(TaskRow.id).where(*_of(owner_id, key_id), TaskRow.state.in_(LIVE)).order_by(TaskRow.id)
        return (await self._connection.execute(statement)).scalars().all()

    async def hold(self, owner_id: UUID, task_id: UUID, *, key_id: UUID | None = None) -> Task | None:
        """Return a task, and hold it until the transaction ends: nobody else changes its state meanwhile."""
        return await self._hold(owner_id, key_id, TaskRow.id == task_id)

    async def hold_answering(self, owner_id: UUID, message_id: UUID) -> Task | None:
        """Return the task that is to give an answer, if one is, and hold it as ``hold`` does."""
        return await self._hold(owner_id, None, TaskRow.message_id == message_id)

    async def start_attempt(self, owner_id: UUID, task_id: UUID) -> Task | None:
        """Count an attempt when it begins, so that one that kills its process is counted too; ``None`` if the task has ended.

        An outage that it met so long ago, and not since, is another one than the next.
        """
        return await self._update(
            *_of(owner_id),
            TaskRow.id == task_id,
            TaskRow.state.in_(LIVE),
            state="running",
            attempts=TaskRow.attempts + 1,
            characters=0,
            waiting_for=None,
            waiting_since=case((TaskRow.updated_at > func.now() - WAITED, TaskRow.waiting_since)),
            started_at=func.coalesce(TaskRow.started_at, func.now()),
        )

    async def note_progress(self, task: Task, *, characters: int) -> bool:
        """Store how far an attempt is; return whether it is still the one that counts."""
        return await self._update(*_attempt(task), characters=characters) is not None

    async def hand_back(self, task: Task, *, waiting_for: str | None) -> bool:
        """Return a task to the queue as if this attempt had not been made; return whether it was the one that counts."""
        return (
            await self._update(
                *_attempt(task),
                state="queued",
                attempts=func.greatest(TaskRow.attempts - 1, 0),
                characters=0,
                waiting_for=waiting_for,
                waiting_since=null() if waiting_for is None else func.coalesce(TaskRow.waiting_since, func.now()),
            )
            is not None
        )

    async def try_again(self, task: Task) -> bool:
        """Return a task to the queue after an attempt that counts; return whether it was the one that counts."""
        return await self._update(*_attempt(task), state="queued", characters=0, waiting_since=null()) is not None

    async def end(
        self, owner_id: UUID, task_id: UUID, state: TaskState, *, code: str | None = None, message: str | None = None
    ) -> None:
        """End a task that is queued or running."""
        await self._update(
            *_of(owner_id),
            TaskRow.id == task_id,
            TaskRow.state.in_(LIVE),
            state=state,
            waiting_for=None,
            error_code=code,
            error_message=message,
            finished_at=func.now(),
        )

    async def remove(self, owner_id: UUID, task_id: UUID) -> None:
        """Remove a task that has ended."""
        await self._connection.execute(delete(TaskRow).where(*_of(owner_id), TaskRow.id == task_id, TaskRow.state.not_in(LIVE)))

    async def without_job(self, *, older_than_seconds: float) -> Sequence[tuple[UUID, UUID]]:
        """Return (owner, task) of those that wait for a job that does not exist. Needs the system's view."""
        rows = await self._connection.execute(WITHOUT_JOB, {"seconds": older_than_seconds})
        return [(row.owner_id, row.id) for row in rows]

    async def _hold(self, owner_id: UUID, key_id: UUID | None, which: ColumnElement[bool]) -> Task | None:
        """Hold the conversation first: who deletes one takes both in this order, and so never waits for who waits for it."""
        its = select(TaskRow.session_id).where(*_of(owner_id, key_id), which)
        conversation = select(ChatSessionRow.id).where(ChatSessionRow.owner_id == owner_id, ChatSessionRow.id.in_(its))
        await self._connection.execute(conversation.with_for_update(key_share=True))
        statement = select(*columns(TaskRow, Task)).where(*_of(owner_id, key_id), which).with_for_update()
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else _task(row)

    async def _update(self, *which: ColumnElement[bool], **values: object) -> Task | None:
        statement = update(TaskRow).where(*which).values(**values, updated_at=func.now()).returning(*columns(TaskRow, Task))
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else _task(row)


def _of(owner_id: UUID, key_id: UUID | None = None) -> list[ColumnElement[bool]]:
    owned = [TaskRow.owner_id == owner_id]
    return owned if key_id is None else [*owned, TaskRow.api_key_id == key_id]


def _attempt(task: Task) -> list[ColumnElement[bool]]:
    """Attempts that were not counted are over, so a number stands for one that runs."""
    return [*_of(task.owner_id), TaskRow.id == task.id, TaskRow.state == "running", TaskRow.attempts == task.attempts]


def _columns() -> list[Label[Any]]:
    earlier = aliased(TaskRow)
    before = select(func.count()).where(earlier.owner_id == TaskRow.owner_id, earlier.state.in_(LIVE), earlier.id < TaskRow.id)
    ahead = case((TaskRow.state == "queued", before.correlate(TaskRow).scalar_subquery()))
    return [*columns(TaskRow, Task), ahead.label("ahead")]


def _task(row: AnyRow) -> Task:
    request = row._mapping["request"]
    within = request["within"]
    chosen = None if within is None else tuple(UUID(one) for one in within)
    return read(Task, row, request=TaskRequest(**{**request, "within": chosen}))
