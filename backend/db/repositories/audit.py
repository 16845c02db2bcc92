"""Security events."""

from uuid import UUID

from sqlalchemy import insert, select, tuple_

from backend.core.ids import new_id
from backend.core.values.audit import AuditEvent
from backend.core.values.page import Cursor, Page
from backend.core.values.user import Origin
from backend.db.repositories.rows import Repository, columns, position, read
from backend.models import AuditEventRow


class AuditRepository(Repository):
    """Writes ``audit_events`` from every transaction, and reads them with the system's view."""

    async def note(
        self, kind: str, *, actor_id: UUID | None, subject_id: UUID | None = None, origin: Origin | None = None, **details: object
    ) -> None:
        """Add an event, in the transaction of what it tells of: both or neither."""
        await self._connection.execute(
            insert(AuditEventRow).values(
                id=new_id(),
                kind=kind,
                actor_id=actor_id,
                subject_id=subject_id,
                address=None if origin is None else origin.address,
                details=details,
            )
        )

    async def page(self, *, limit: int, after: Cursor | None, kind: str | None, subject_id: UUID | None) -> Page[AuditEvent]:
        """Return events, newest first. Needs the system's view."""
        statement = (
            select(*columns(AuditEventRow, AuditEvent))
            .order_by(AuditEventRow.occurred_at.desc(), AuditEventRow.id.desc())
            .limit(limit + 1)
        )
        if kind is not None:
            statement = statement.where(AuditEventRow.kind == kind)
        if subject_id is not None:
            statement = statement.where(AuditEventRow.subject_id == subject_id)
        if after is not None:
            statement = statement.where(tuple_(AuditEventRow.occurred_at, AuditEventRow.id) < tuple_(*position(after)))
        items = [read(AuditEvent, row) for row in await self._connection.execute(statement)]
        last = items[limit - 1] if len(items) > limit else None
        return Page(items[:limit], None if last is None else Cursor(last.occurred_at.isoformat(), last.id))
