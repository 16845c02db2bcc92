"""Conversations."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, select, tuple_, update

from backend.core.values.chat import ChatSession
from backend.core.values.page import Cursor, Page
from backend.db.repositories.rows import AnyRow, Repository, columns, position, read
from backend.models import ChatSessionRow


class SessionRepository(Repository):
    """Reads and writes ``chat_sessions``. With ``key_id``, those of other credentials are as good as missing."""

    async def add(
        self, owner_id: UUID, *, session_id: UUID, title: str, document_ids: Sequence[UUID] | None, key_id: UUID | None = None
    ) -> ChatSession:
        """Insert a conversation."""
        statement = (
            insert(ChatSessionRow)
            .values(
                id=session_id,
                owner_id=owner_id,
                api_key_id=key_id,
                title=title,
                document_ids=None if document_ids is None else list(document_ids),
            )
            .returning(*columns(ChatSessionRow, ChatSession))
        )
        return _session((await self._connection.execute(statement)).one())

    async def get(self, owner_id: UUID, session_id: UUID, *, key_id: UUID | None = None) -> ChatSession | None:
        """Return one conversation."""
        statement = select(*columns(ChatSessionRow, ChatSession)).where(*_of(owner_id, key_id), ChatSessionRow.id == session_id)
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else _session(row)

    async def page(self, owner_id: UUID, *, limit: int, after: Cursor | None, key_id: UUID | None = None) -> Page[ChatSession]:
        """Return conversations, the last used first."""
        statement = (
            select(*columns(ChatSessionRow, ChatSession))
            .where(*_of(owner_id, key_id))
            .order_by(ChatSessionRow.updated_at.desc(), ChatSessionRow.id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            statement = statement.where(tuple_(ChatSessionRow.updated_at, ChatSessionRow.id) < tuple_(*position(after)))
        items = [_session(row) for row in await self._connection.execute(statement)]
        last = items[limit - 1] if len(items) > limit else None
        return Page(items[:limit], None if last is None else Cursor(last.updated_at.isoformat(), last.id))

    async def ids(self, owner_id: UUID) -> list[UUID]:
        """Return the ids of all conversations, in the order in which they began: one that goes on meanwhile stays in its place."""
        statement = select(ChatSessionRow.id).where(ChatSessionRow.owner_id == owner_id).order_by(ChatSessionRow.id)
        return list((await self._connection.execute(statement)).scalars())

    async def rename(self, owner_id: UUID, session_id: UUID, title: str, *, key_id: UUID | None = None) -> ChatSession | None:
        """Change the title."""
        return await self._update(owner_id, session_id, key_id, title=title)

    async def touch(self, owner_id: UUID, session_id: UUID, **values: object) -> ChatSession | None:
        """Note that the conversation goes on, and change what is given."""
        return await self._update(owner_id, session_id, None, updated_at=func.now(), **values)

    async def delete(self, owner_id: UUID, session_id: UUID, *, key_id: UUID | None = None) -> bool:
        """Remove a conversation with its messages and their sources; return whether there was one."""
        statement = delete(ChatSessionRow).where(*_of(owner_id, key_id), ChatSessionRow.id == session_id)
        return (await self._connection.execute(statement)).rowcount > 0

    async def _update(self, owner_id: UUID, session_id: UUID, key_id: UUID | None, **values: object) -> ChatSession | None:
        statement = (
            update(ChatSessionRow)
            .where(*_of(owner_id, key_id), ChatSessionRow.id == session_id)
            .values(**values)
            .returning(*columns(ChatSessionRow, ChatSession))
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else _session(row)


def _of(owner_id: UUID, key_id: UUID | None) -> list[ColumnElement[bool]]:
    owned = [ChatSessionRow.owner_id == owner_id]
    return owned if key_id is None else [*owned, ChatSessionRow.api_key_id == key_id]


def _session(row: AnyRow) -> ChatSession:
    ids = row._mapping["document_ids"]
    return read(ChatSession, row, document_ids=None if ids is None else tuple(ids))
