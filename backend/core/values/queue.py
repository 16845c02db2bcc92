"""The queue as administrators see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How many jobs of a name wait, wait for their time, run, or ended in an error that is not forgotten yet."""

    job: str
    waiting: int
    scheduled: int
    running: int
    failed: int


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job that runs or has failed. ``subject_id`` is its document, task or generation; ``since`` is when it began, or failed."""

    job: str
    owner_id: UUID | None
    subject_id: UUID | None
    attempts: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class QueueWorker:
    """A process that takes jobs, as long as it was heard of lately."""

    id: int
    last_heartbeat: datetime
    alive: bool
    running: int


@dataclass(frozen=True, slots=True)
class QueueState:
    """The queue at one moment. ``oldest_waiting_seconds`` is the age of the job that could have begun for longest."""

    depth: Sequence[QueueDepth]
    oldest_waiting_seconds: float | None
    running: Sequence[QueuedJob]
    failed: Sequence[QueuedJob]
    workers: Sequence[QueueWorker]


@dataclass(frozen=True, slots=True)
class Failure:
    """Work for an account that ended in failure: the indexing of a document, or the answer of a task."""

    kind: Literal["document", "task"]
    id: UUID
    owner_id: UUID
    error_code: str
    attempts: int
    failed_at: datetime
