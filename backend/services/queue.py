"""The queue, for administrators."""

from backend.core.values.page import Cursor, Page
from backend.core.values.queue import Failure, QueueState
from backend.db.uow import UnitOfWork


class QueueService:
    """Looks at what waits, runs and has failed, of all accounts. It tells ids and codes, and nothing of anybody's content."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def state(self) -> QueueState:
        """Return the queue as it is at this moment."""
        async with self._uow.system() as tx:
            return await tx.queue.state()

    async def failures(self, *, limit: int, after: Cursor | None) -> Page[Failure]:
        """Return the documents and tasks that failed, the latest first."""
        async with self._uow.system() as tx:
            return await tx.queue.failures(limit=limit, after=after)
