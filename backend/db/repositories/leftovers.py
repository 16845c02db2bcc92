"""What deleted accounts leave behind. All of it needs the system's view."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select, text, update

from backend.db.repositories.rows import Repository
from backend.models import (
    ApiKeyRow,
    AuthSessionRow,
    ChatSessionRow,
    ChunkRow,
    CorpusSizeRow,
    DocumentRow,
    DocumentTextRow,
    IdempotencyKeyRow,
    IndexGenerationRow,
    LexemeRow,
    ResetLinkRow,
    UsageRow,
    UserRow,
)

# Children first. Messages, their sources and tasks go with their sessions, vectors with their chunks.
CONTENT = (
    ChatSessionRow,
    ChunkRow,
    DocumentTextRow,
    LexemeRow,
    CorpusSizeRow,
    IndexGenerationRow,
    AuthSessionRow,
    ApiKeyRow,
    ResetLinkRow,
    UsageRow,
    IdempotencyKeyRow,
)

WITHOUT_JOB = text(
    "select u.id from users u where u.deleted_at < now() - make_interval(secs => :seconds)"
    "   and not exists (select from procrastinate_jobs j where j.status in ('todo', 'doing')"
    "     and j.task_name in ('purge_account', 'purge_account_files') and j.args->>'owner_id' = u.id::text)"
    " order by u.id limit 1000"
)


class LeftoverRepository(Repository):
    """Finds and removes what belongs to accounts that are marked as deleted, and to no other."""

    async def collections(self, owner_id: UUID) -> list[str]:
        """Return the vector collections of a deleted account."""
        statement = (
            select(IndexGenerationRow.collection)
            .join(UserRow, UserRow.id == IndexGenerationRow.owner_id)
            .where(UserRow.id == owner_id, UserRow.deleted_at.is_not(None))
        )
        return list((await self._connection.execute(statement)).scalars())

    async def clear(self, owner_id: UUID) -> bool:
        """Remove all rows of a deleted account but those that lead to its files; return whether there is such an account."""
        if not await self._is_deleted(owner_id):
            return False
        for table in CONTENT:
            await self._connection.execute(delete(table).where(table.owner_id == owner_id))
        return True

    async def hide_documents(self, owner_id: UUID) -> None:
        """Mark an account's documents as deleted: whatever is indexing one of them stops at its next batch."""
        await self._connection.execute(
            update(DocumentRow)
            .where(DocumentRow.owner_id == owner_id, DocumentRow.deleted_at.is_(None))
            .values(deleted_at=func.now())
        )

    async def files(self, owner_id: UUID, *, limit: int) -> list[tuple[UUID, str]]:
        """Return ids and blob keys of a deleted account's documents."""
        statement = (
            select(DocumentRow.id, DocumentRow.blob_key)
            .join(UserRow, UserRow.id == DocumentRow.owner_id)
            .where(DocumentRow.owner_id == owner_id, UserRow.deleted_at.is_not(None))
            .limit(limit)
        )
        return [(row.id, row.blob_key) for row in await self._connection.execute(statement)]

    async def remove_documents(self, owner_id: UUID, document_ids: Sequence[UUID]) -> None:
        """Remove documents whose files are gone."""
        await self._connection.execute(
            delete(DocumentRow).where(DocumentRow.owner_id == owner_id, DocumentRow.id.in_(document_ids))
        )

    async def remove_account(self, owner_id: UUID) -> None:
        """Remove the row of a deleted account, and with it whatever still hangs on it."""
        await self._connection.execute(delete(UserRow).where(UserRow.id == owner_id, UserRow.deleted_at.is_not(None)))

    async def without_job(self, *, older_than_seconds: float) -> list[UUID]:
        """Return deleted accounts that no job is going to remove."""
        return list((await self._connection.execute(WITHOUT_JOB, {"seconds": older_than_seconds})).scalars())

    async def _is_deleted(self, owner_id: UUID) -> bool:
        statement = select(UserRow.id).where(UserRow.id == owner_id, UserRow.deleted_at.is_not(None)).with_for_update()
        return (await self._connection.execute(statement)).first() is not None
