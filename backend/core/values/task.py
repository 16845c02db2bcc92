"""Questions that are answered in the background."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

TaskState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
LIVE: tuple[TaskState, ...] = ("queued", "running")


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """How a task's question is to be answered, as it was when it was asked. Its text is in the conversation.

    ``named`` says that the model was asked for by name, and is not the server's choice. ``within`` is ``None`` for all documents.
    """

    model: str
    named: bool
    temperature: float | None
    max_tokens: int | None
    strict: bool
    within: tuple[UUID, ...] | None


@dataclass(frozen=True, slots=True)
class Task:
    """A question that a worker answers.

    ``attempts`` counts those that began and did not end in an outage or in a stop of the server. ``characters`` is how much of the
    answer was there when it was last looked at. ``waiting_for`` is what is down, while it waits for that, since ``waiting_since``.
    ``ahead`` counts the owner's tasks that come before it; it is ``None`` unless the task is queued.
    """

    id: UUID
    owner_id: UUID
    session_id: UUID
    message_id: UUID
    api_key_id: UUID | None
    state: TaskState
    request: TaskRequest
    attempts: int
    characters: int
    waiting_for: str | None
    waiting_since: datetime | None
    error_code: str | None
    error_message: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    ahead: int | None = None

    @property
    def live(self) -> bool:
        """Whether it is still to be answered."""
        return self.state in LIVE
