"""The queue's own tables, read only. All of it needs the system's view."""

from sqlalchemy import TextClause, text

from backend.core.values.page import Cursor, Page
from backend.core.values.queue import Failure, QueueDepth, QueuedJob, QueueState, QueueWorker
from backend.db.repositories.rows import Repository, position

SHOWN = 100
"""Of the jobs that run or have failed."""
SILENT_SECONDS = 10
"""A worker says every two seconds that it is there."""

DEPTH = text(
    "select task_name as job,"
    "  count(*) filter (where status = 'todo' and (scheduled_at is null or scheduled_at <= now())) as waiting,"
    "  count(*) filter (where status = 'todo' and scheduled_at > now()) as scheduled,"
    "  count(*) filter (where status = 'doing') as running,"
    "  count(*) filter (where status in ('failed', 'aborted')) as failed"
    "  from procrastinate_jobs where status in ('todo', 'doing', 'failed', 'aborted') group by 1 order by 1"
)
# A job that waited for its time, or came again, waits since then.
OLDEST = text(
    "select extract(epoch from now() - min(since))::float8 from ("
    "  select greatest(j.scheduled_at, (select max(e.at) from procrastinate_events e"
    "    where e.job_id = j.id and e.type in ('deferred', 'deferred_for_retry', 'retried'))) as since"
    "    from procrastinate_jobs j where j.status = 'todo' and (j.scheduled_at is null or j.scheduled_at <= now())) w"
)
JOBS = (
    "select j.task_name as job, cast(j.args->>'owner_id' as uuid) as owner_id,"
    "  cast(coalesce(j.args->>'document_id', j.args->>'task_id', j.args->>'generation_id') as uuid) as subject_id,"
    "  j.attempts, e.at as since"
    "  from procrastinate_jobs j left join lateral"
    "    (select max(at) as at from procrastinate_events where job_id = j.id and type::text = any(:events)) e on true"
    " where j.status::text = any(:statuses)"
)
RUNNING = text(f"{JOBS} order by e.at, j.id limit {SHOWN}")
FAILED = text(f"{JOBS} order by e.at desc nulls last, j.id desc limit {SHOWN}")
WORKERS = text(
    "select w.id, w.last_heartbeat, w.last_heartbeat > now() - make_interval(secs => :seconds) as alive,"
    "  (select count(*) from procrastinate_jobs j where j.worker_id = w.id and j.status = 'doing') as running"
    "  from procrastinate_workers w order by w.last_heartbeat desc, w.id"
)
FAILURES = text(
    "select * from ("
    "  select 'document' as kind, id, owner_id, error_code, attempts, updated_at as failed_at from documents"
    "   where status = 'failed' and deleted_at is null"
    "  union all select 'task', id, owner_id, error_code, attempts, finished_at from tasks where state = 'failed') f"
    " where cast(:moment as timestamptz) is null or (failed_at, id) < (cast(:moment as timestamptz), cast(:id as uuid))"
    " order by failed_at desc, id desc limit :limit"
)


class QueueRepository(Repository):
    """Reads what the queue's library writes."""

    async def state(self) -> QueueState:
        """Return the queue at this moment; of the jobs that run or have failed, a hundred each."""
        depth = [QueueDepth(**row._mapping) for row in await self._connection.execute(DEPTH)]
        oldest = (await self._connection.execute(OLDEST)).scalar_one()
        running = await self._jobs(RUNNING, statuses=["doing"], events=["started"])
        failed = await self._jobs(FAILED, statuses=["failed", "aborted"], events=["failed", "aborted"])
        workers = await self._connection.execute(WORKERS, {"seconds": SILENT_SECONDS})
        return QueueState(depth, oldest, running, failed, [QueueWorker(**row._mapping) for row in workers])

    async def failures(self, *, limit: int, after: Cursor | None) -> Page[Failure]:
        """Return the documents and tasks that failed, the latest first."""
        moment, id_ = (None, None) if after is None else position(after)
        rows = await self._connection.execute(FAILURES, {"moment": moment, "id": id_, "limit": limit + 1})
        items = [Failure(**row._mapping) for row in rows]
        last = items[limit - 1] if len(items) > limit else None
        return Page(items[:limit], None if last is None else Cursor(last.failed_at.isoformat(), last.id))

    async def _jobs(self, statement: TextClause, **which: list[str]) -> list[QueuedJob]:
        return [QueuedJob(**row._mapping) for row in await self._connection.execute(statement, which)]
