"""What one process says to all about the calls of agents."""

from uuid import UUID

from sqlalchemy import func, select

from backend.db.repositories.rows import Repository

CANCEL_CHANNEL = "docent_cancel"
"""What the processes listen to for the ids of calls that are cancelled."""


class CallRepository(Repository):
    """Speaks of calls. None is stored."""

    async def cancel(self, call_id: UUID) -> None:
        """Tell all processes, once this is committed, that nobody wants a call's answer any more."""
        await self._connection.execute(select(func.pg_notify(CANCEL_CHANNEL, str(call_id))))
