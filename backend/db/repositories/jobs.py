"""Jobs: deferred inside the caller's transaction, so either the row and its job exist or neither does."""

from datetime import datetime

import orjson
from sqlalchemy import text

from backend.core.origin import ORIGIN, origin
from backend.db.repositories.rows import Repository

DEFER = text(
    "select procrastinate_defer_jobs_v1(array[row(:queue, :task, :priority, :lock, :queueing_lock, cast(:args as jsonb),"
    " cast(:at as timestamptz))::procrastinate_job_to_defer_v1])"
)


QUEUED = text(
    "select count(*) from procrastinate_jobs"
    " where status in ('todo', 'doing') and task_name = :task and args @> cast(:args as jsonb)"
)


FORGET_ENDED = text(
    "delete from procrastinate_jobs j where j.status in ('failed', 'cancelled', 'aborted')"
    " and not exists (select from procrastinate_events e where e.job_id = j.id and e.at > now() - make_interval(days => :days))"
)
WITHDRAW = text("delete from procrastinate_jobs where status = 'todo' and task_name = :task and args @> cast(:args as jsonb)")
HASTEN = text("update procrastinate_jobs set scheduled_at = null where status = 'todo' and lock = :lock and scheduled_at > now()")


class JobRepository(Repository):
    """Writes to the queue through its own SQL function."""

    async def queued(self, task: str, **args: object) -> int:
        """Return how many jobs with these arguments wait or run."""
        parameters = {"task": task, "args": orjson.dumps(args, default=str).decode()}
        return int((await self._connection.execute(QUEUED, parameters)).scalar_one())

    async def forget_ended(self, *, days: int) -> int:
        """Remove the rows of jobs that failed or were given up so many days ago; return how many."""
        return (await self._connection.execute(FORGET_ENDED, {"days": days})).rowcount

    async def defer(
        self,
        task: str,
        *,
        queue: str = "default",
        lock: str | None = None,
        at: datetime | None = None,
        queueing_lock: str | None = None,
        priority: int = 0,
        **args: object,
    ) -> None:
        """Queue a job. Jobs with the same ``lock`` run one after the other; ``at`` is the earliest time to start.

        Those with a higher ``priority`` are first, and among equals the oldest. A job knows the request that it comes from.
        """
        if came_from := origin():
            args[ORIGIN] = came_from
        await self._connection.execute(
            DEFER,
            {
                "queue": queue,
                "task": task,
                "priority": priority,
                "lock": lock,
                "queueing_lock": queueing_lock,
                "args": orjson.dumps(args, default=str).decode(),
                "at": at,
            },
        )

    async def withdraw(self, task: str, **args: object) -> None:
        """Remove the jobs with these arguments that have not begun."""
        await self._connection.execute(WITHDRAW, {"task": task, "args": orjson.dumps(args, default=str).decode()})

    async def hasten(self, lock: str) -> None:
        """Let the jobs with this lock that wait for their time begin now: the queue keeps what came after them waiting as well."""
        await self._connection.execute(HASTEN, {"lock": lock})
