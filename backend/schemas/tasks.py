"""Questions that are answered in the background, on the wire."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from backend.core.values.chat import Answer
from backend.core.values.page import Page
from backend.core.values.task import Task, TaskState
from backend.schemas.base import ResponseModel
from backend.schemas.chat import AnswerOut, QuestionIn
from backend.schemas.page import PageOut, cursor_of


class BackgroundIn(QuestionIn):
    """A question about the caller's documents that nobody waits for."""


class TaskProgressOut(ResponseModel):
    """How far a task is."""

    stage: Literal["queued", "searching", "writing"] = Field(description="It is `writing` from the first word of the answer on.")
    characters: int = Field(description="How much of the answer is written, looked at every second.")
    ahead: int | None = Field(description="How many tasks of the account come before it, while it is queued.")


class TaskErrorOut(ResponseModel):
    """Why a task failed."""

    code: str
    message: str


class TaskOut(ResponseModel):
    """A question that is answered in the background, in the conversation ``session_id``, by the message ``message_id``."""

    id: UUID
    state: TaskState
    session_id: UUID
    message_id: UUID
    progress: TaskProgressOut | None = Field(description="Only while the state is `queued` or `running`.")
    waiting_for: str | None = Field(description="What is down, while the answer waits for it.")
    error: TaskErrorOut | None = Field(description="Only when the state is `failed`.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, task: Task) -> "TaskOut":
        """Build it from the service's answer."""
        error = None if task.error_code is None else TaskErrorOut(code=task.error_code, message=task.error_message or "")
        return cls(
            id=task.id,
            state=task.state,
            session_id=task.session_id,
            message_id=task.message_id,
            progress=_progress(task),
            waiting_for=task.waiting_for,
            error=error,
            created_at=task.created_at,
            started_at=task.started_at,
            finished_at=task.finished_at,
        )


class TaskWithResultOut(TaskOut):
    """A task with its answer."""

    result: AnswerOut | None = Field(description="Only when the state is `succeeded`.")

    @classmethod
    def with_answer(cls, task: Task, answer: Answer | None) -> "TaskWithResultOut":
        """Build it from the service's answers."""
        return cls(**dict(TaskOut.of(task)), result=None if answer is None else AnswerOut.of(answer))


class TaskPage(PageOut[TaskOut]):
    """Tasks, newest first."""

    @classmethod
    def of(cls, page: Page[Task]) -> "TaskPage":
        """Build it from the service's answer."""
        return cls(items=[TaskOut.of(task) for task in page.items], next_cursor=cursor_of(page))


def _progress(task: Task) -> TaskProgressOut | None:
    if not task.live:
        return None
    if task.state == "queued":
        return TaskProgressOut(stage="queued", characters=0, ahead=task.ahead)
    return TaskProgressOut(stage="writing" if task.characters else "searching", characters=task.characters, ahead=None)
