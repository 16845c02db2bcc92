"""Links that set a new password."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select, update

from backend.db.repositories.rows import Repository
from backend.models import ResetLinkRow


class ResetLinkRepository(Repository):
    """Reads and writes ``reset_links``."""

    async def add(self, owner_id: UUID, *, link_id: UUID, hash_: bytes, expires_at: datetime) -> None:
        """Insert a link; the owner's earlier ones stop working."""
        await self.use_up(owner_id)
        await self._connection.execute(
            insert(ResetLinkRow).values(id=link_id, owner_id=owner_id, hash=hash_, expires_at=expires_at)
        )

    async def locked(self, link_id: UUID) -> tuple[UUID, bytes] | None:
        """Return the owner and the hash of a link that is still good, and hold it. Needs the system's view."""
        statement = (
            select(ResetLinkRow.owner_id, ResetLinkRow.hash)
            .where(ResetLinkRow.id == link_id, ResetLinkRow.used_at.is_(None), ResetLinkRow.expires_at > func.now())
            .with_for_update()
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else (row.owner_id, row.hash)

    async def use_up(self, owner_id: UUID) -> None:
        """End all links of an owner."""
        await self._connection.execute(
            update(ResetLinkRow).where(ResetLinkRow.owner_id == owner_id, ResetLinkRow.used_at.is_(None)).values(used_at=func.now())
        )
