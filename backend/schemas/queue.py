"""The queue as administrators see it, on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from backend.core.values.page import Page
from backend.core.values.queue import Failure
from backend.schemas.base import ResponseModel
from backend.schemas.page import PageOut, cursor_of


class QueueDepthOut(ResponseModel):
    """How many jobs of a name there are, by what they do."""

    job: str
    waiting: int
    scheduled: int = Field(description="They wait for their time: what an outage put off, and what is to be removed later.")
    running: int
    failed: int = Field(description="They ended in a defect. The queue forgets them after a week.")


class QueuedJobOut(ResponseModel):
    """A job that runs or has failed."""

    job: str
    owner_id: UUID | None = Field(description="Whose work it is; null for that of the house.")
    subject_id: UUID | None = Field(description="The document, the task or the generation of vectors that it is about.")
    attempts: int
    since: datetime | None = Field(description="When it began, or failed.")


class QueueWorkerOut(ResponseModel):
    """A process that takes jobs."""

    id: int
    last_heartbeat: datetime
    alive: bool = Field(description="Whether it was heard of in the last ten seconds. Jobs of one that was not are taken over.")
    running: int


class QueueOut(ResponseModel):
    """The queue at this moment. Of the jobs that run or have failed, it lists a hundred each."""

    depth: Sequence[QueueDepthOut]
    oldest_waiting_seconds: float | None = Field(description="For how long a job could have begun; null if none waits.")
    running: Sequence[QueuedJobOut]
    failed: Sequence[QueuedJobOut]
    workers: Sequence[QueueWorkerOut]


class FailureOut(ResponseModel):
    """A document whose indexing failed, or a task whose answer did."""

    kind: Literal["document", "task"]
    id: UUID
    owner_id: UUID
    error_code: str
    attempts: int
    failed_at: datetime


class FailurePage(PageOut[FailureOut]):
    """Failures, the latest first."""

    @classmethod
    def of(cls, page: Page[Failure]) -> "FailurePage":
        """Build it from the service's answer."""
        return cls(items=[FailureOut.model_validate(failure) for failure in page.items], next_cursor=cursor_of(page))
