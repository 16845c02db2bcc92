"""Conversations."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, insert, select, tuple_, update

from backend.core.values.chat import ChatSession
from backend.core.values.page import Cursor, Page
from backend.db.repositories.rows import AnyRow, Repository, columns, position, read
from backend.models import ChatSessionRow


class SessionRepository(Repository):
    """Reads and writes ``chat_sessions``."""

    async def add(self, owner_id: UUID, *, session_id: UUID, title: str, document_ids: Sequence[UUID] | None) -> ChatSession:
        """Insert a conversation."""
        statement = (
            insert(ChatSessionRow)
            .values(
                id=session_id, owner_id=owner_id, title=title, document_ids=None if document_ids is None else list(document_ids)
            )
            .returning(*columns(ChatSessionRow, ChatSession))
        )
        return _session((await self._connection.execute(statement)).one())

    async def get(self, owner_id: UUID, session_id: UUID) -> ChatSession | None:
        """Return one conversation."""
        statement = select(*columns(ChatSessionRow, ChatSession)).where(
            ChatSessionRow.owner_id == owner_id, ChatSessionRow.id == session_id
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else _session(row)

    async def page(self, owner_id: UUID, *, limit: int, after: Cursor | None) -> Page[ChatSession]:
        """Return conversations, the last used first."""
        statement = (
            select(*columns(ChatSessionRow, ChatSession))
            .where(ChatSessionRow.owner_id == owner_id)
            .order_by(ChatSessionRow.updated_at.desc(), ChatSessionRow.id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            statement = statement.where(tuple_(ChatSessionRow.updated_at, ChatSessionRow.id) < tuple_(*position(after)))
        items = [_session(row) for row in await self._connection.execute(statement)]
        last = items[limit - 1] if len(items) > limit else None
        return Page(items[:limit], None if last is None else Cursor(last.updated_at.isoformat(), last.id))

    async def rename(self, owner_id: UUID, session_id: UUID, title: str) -> ChatSession | None:
        """Change the title."""
        return await self._update(owner_id, session_id, title=title)

    async def touch(self, owner_id: UUID, session_id: UUID, **values: object) -> ChatSession | None:
        """Note that the conversation goes on, and change what is given."""
        return await self._update(owner_id, session_id, updated_at=func.now(), **values)

    async def delete(self, owner_id: UUID, session_id: UUID) -> bool:
        """Remove a conversation with its messages and their sources; return whether there was one."""
        statement = delete(ChatSessionRow).where(ChatSessionRow.owner_id == owner_id, ChatSessionRow.id == session_id)
        return (await self._connection.execute(statement)).rowcount > 0

    async def _update(self, owner_id: UUID, session_id: UUID, **values: object) -> ChatSession | None:
        statement = (
            update(ChatSessionRow)
            .where(ChatSessionRow.owner_id == owner_id, ChatSessionRow.id == session_id)
            .values(**values)
            .returning(*columns(ChatSessionRow, ChatSession))
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else _session(row)


def _session(row: AnyRow) -> ChatSession:
    ids = row._mapping["document_ids"]
    return read(ChatSession, row, document_ids=None if ids is None else tuple(ids))
