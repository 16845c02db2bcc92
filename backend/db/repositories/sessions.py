"""Conversations."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, delete, exists, func, insert, or_, select, tuple_, update

from backend.core.values.chat import ChatSession
from backend.core.values.page import Cursor, Page
from backend.db.repositories.rows import OWNER, AnyRow, Repository, columns, containing, position, read
from backend.models import ChatSessionRow, MessageRow

_ONE = (ChatSessionRow.owner_id == OWNER, ChatSessionRow.id == bindparam("session"))
# Built once, for every turn needs them.
_ADD = insert(ChatSessionRow).returning(*columns(ChatSessionRow, ChatSession))
_GET = select(*columns(ChatSessionRow, ChatSession)).where(*_ONE)
_TOUCH = update(ChatSessionRow).where(*_ONE).values(updated_at=func.now())


class SessionRepository(Repository):
    """Reads and writes ``chat_sessions``. With ``key_id``, those of other credentials are as good as missing."""

    async def add(
        self,
        owner_id: UUID,
        *,
        session_id: UUID,
        title: str,
        document_ids: Sequence[UUID] | None,
        key_id: UUID | None = None,
        strict: bool = False,
        titled: bool = False,
        model: str | None = None,
    ) -> ChatSession:
        """Insert a conversation."""
        values = {
            "id": session_id,
            "owner_id": owner_id,
            "api_key_id": key_id,
            "title": title,
            "document_ids": None if document_ids is None else list(document_ids),
            "strict": strict,
            "titled": titled,
            "model": model,
        }
        return _session((await self._connection.execute(_ADD, values)).one())

    async def get(self, owner_id: UUID, session_id: UUID, *, key_id: UUID | None = None) -> ChatSession | None:
        """Return one conversation."""
        statement = _GET if key_id is None else _GET.where(ChatSessionRow.api_key_id == key_id)
        row = (await self._connection.execute(statement, {"owner": owner_id, "session": session_id})).one_or_none()
        return None if row is None else _session(row)

    async def page(self, owner_id: UUID, *, limit: int, after: Cursor | None, key_id: UUID | None = None) -> Page[ChatSession]:
        """Return conversations, the last used first."""
        statement = select(*columns(ChatSessionRow, ChatSession)).where(*_of(owner_id, key_id))
        return await self._page(statement, limit, after)

    async def search(
        self, owner_id: UUID, text: str, *, limit: int, after: Cursor | None, key_id: UUID | None = None
    ) -> Page[ChatSession]:
        """Return conversations with this text in their title or in what was said, without case; the last used first."""
        pattern = containing(text)
        said = exists().where(
            MessageRow.owner_id == owner_id,
            MessageRow.session_id == ChatSessionRow.id,
            MessageRow.superseded.is_(False),
            MessageRow.content.ilike(pattern, escape="\\"),
        )
        found = or_(ChatSessionRow.title.ilike(pattern, escape="\\"), said)
        statement = select(*columns(ChatSessionRow, ChatSession)).where(*_of(owner_id, key_id), found)
        return await self._page(statement, limit, after)

    async def _page(self, statement: Select[*tuple[Any, ...]], limit: int, after: Cursor | None) -> Page[ChatSession]:
        statement = statement.order_by(ChatSessionRow.updated_at.desc(), ChatSessionRow.id.desc()).limit(limit + 1)
        if after is not None:
            statement = statement.where(tuple_(ChatSessionRow.updated_at, ChatSessionRow.id) < tuple_(*position(after)))
        items = [_session(row) for row in await self._connection.execute(statement)]
        last = items[limit - 1] if len(items) > limit else None
        return Page(items[:limit], None if last is None else Cursor(last.updated_at.isoformat(), last.id))

    async def ids(self, owner_id: UUID) -> list[UUID]:
        """Return the ids of all conversations, in the order in which they began: one that goes on meanwhile stays in its place."""
        statement = select(ChatSessionRow.id).where(ChatSessionRow.owner_id == owner_id).order_by(ChatSessionRow.id)
        return list((await self._connection.execute(statement)).scalars())

    async def update(self, owner_id: UUID, session_id: UUID, *, key_id: UUID | None = None, **values: object) -> ChatSession | None:
        """Change what is given, at least one thing. That is no use of the conversation."""
        return await self._update(owner_id, session_id, key_id, **values)

    async def give_title(self, owner_id: UUID, session_id: UUID, title: str, *, titled: bool) -> bool:
        """Give a title to a conversation that nobody has given one yet; return whether there was such a one.

        ``titled`` says whether this is one that stays.
        """
        statement = (
            update(ChatSessionRow)
            .where(*_of(owner_id, None), ChatSessionRow.id == session_id, ChatSessionRow.titled.is_(False))
            .values(title=title, titled=titled)
        )
        return (await self._connection.execute(statement)).rowcount > 0

    async def touch(self, owner_id: UUID, session_id: UUID) -> bool:
        """Note that the conversation goes on; return whether there is such a one."""
        return (await self._connection.execute(_TOUCH, {"owner": owner_id, "session": session_id})).rowcount > 0

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
