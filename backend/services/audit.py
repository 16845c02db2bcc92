"""The audit log, for administrators."""

from uuid import UUID

from backend.core.values.audit import AuditEvent
from backend.core.values.page import Cursor, Page
from backend.db.uow import UnitOfWork


class AuditService:
    """Reads the security events that the other services note, each in the transaction of what it tells of."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def page(
        self, *, limit: int, after: Cursor | None, kind: str | None = None, subject_id: UUID | None = None
    ) -> Page[AuditEvent]:
        """Return events, newest first: all, of one kind, or about one account."""
        async with self._uow.system() as tx:
            return await tx.audit.page(limit=limit, after=after, kind=kind, subject_id=subject_id)
