"""Questions that are answered in the background."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response, status

from backend.api.deps import Asker, Chat, Page, Tasks
from backend.api.errors import problems
from backend.api.idempotency import REPLAYED, Once, fingerprint_of
from backend.core.errors import (
    DocumentNotFoundError,
    IdempotencyKeyBusyError,
    IdempotencyKeyReusedError,
    ModelNotAllowedError,
    ModelRefusedError,
    ModelUnknownError,
    QuotaExceededError,
    RateLimitedError,
    SessionBusyError,
    SessionNotFoundError,
    TaskNotFoundError,
    TokenInvalidError,
)
from backend.core.values.idempotency import StoredOutcome
from backend.core.values.task import Task, TaskState
from backend.schemas.tasks import BackgroundIn, TaskOut, TaskPage, TaskWithResultOut

router = APIRouter(prefix="/chat", tags=["chat"], responses=problems(TokenInvalidError))


InState = Annotated[TaskState | None, Query(description="Tasks in this state only.")]


@router.post(
    "/background",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(
        SessionNotFoundError,
        DocumentNotFoundError,
        TaskNotFoundError,
        SessionBusyError,
        ModelNotAllowedError,
        ModelRefusedError,
        ModelUnknownError,
        IdempotencyKeyBusyError,
        IdempotencyKeyReusedError,
        QuotaExceededError,
        RateLimitedError,
    ),
)
async def ask_in_background(
    body: BackgroundIn, caller: Asker, *, chat: Chat, tasks: Tasks, once: Once, response: Response
) -> TaskOut:
    """Ask a question that a worker answers, whatever becomes of this connection. The answer is the task's result."""

    async def ask(key: str | None) -> Task:
        return await chat.ask_later(caller.user_id, body.question(), idempotency_key=key, reach=caller.reach, key_id=caller.key_id)

    async def replay(earlier: StoredOutcome) -> Task:
        response.headers.update(REPLAYED)
        task, _ = await tasks.get(caller.user_id, earlier.made, reach=caller.reach)
        return task

    task = await once.run(caller, "background", ask, replay, fingerprint=fingerprint_of(body))
    response.headers["Location"] = f"/api/v1/chat/tasks/{task.id}"
    return TaskOut.of(task)


@router.get("/tasks")
async def list_tasks(caller: Asker, tasks: Tasks, page: Page, state: InState = None) -> TaskPage:
    """List the caller's questions in the background, newest first, without their answers."""
    return TaskPage.of(await tasks.page(caller.user_id, limit=page.limit, after=page.after, state=state, reach=caller.reach))


@router.get("/tasks/{task_id}", responses=problems(TaskNotFoundError))
async def read_task(task_id: UUID, caller: Asker, tasks: Tasks) -> TaskWithResultOut:
    """Return a question in the background, with its answer once it is there."""
    return TaskWithResultOut.with_answer(*await tasks.get(caller.user_id, task_id, reach=caller.reach))


@router.delete("/tasks/{task_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(TaskNotFoundError))
async def cancel_task(task_id: UUID, caller: Asker, tasks: Tasks) -> None:
    """Cancel a task that is queued or running; remove one that has ended from the list. Its conversation stays."""
    await tasks.cancel(caller.user_id, task_id, reach=caller.reach)
