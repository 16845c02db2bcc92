"""Conversations."""

from collections.abc import Sequence
from uuid import UUID

from backend.core.errors import DocumentNotFoundError, SessionNotFoundError
from backend.core.ids import new_id
from backend.core.values.chat import ChatSession, Message
from backend.core.values.page import Cursor, Page
from backend.core.values.user import EVERYTHING, Reach
from backend.db.uow import UnitOfWork


class SessionService:
    """Lists, names and deletes conversations. Somebody else's is missing, and so is one out of a key's reach."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def create(
        self, owner_id: UUID, *, title: str, document_ids: Sequence[UUID] | None, reach: Reach = EVERYTHING
    ) -> ChatSession:
        """Begin a conversation, about some documents or about all.

        Raises:
            DocumentNotFoundError: One of the documents is not the caller's, or is out of reach.
        """
        async with self._uow.of(owner_id) as tx:
            if not reach.covers(document_ids):
                raise DocumentNotFoundError
            if document_ids is not None and len(await tx.documents.standings(owner_id, document_ids)) < len(set(document_ids)):
                raise DocumentNotFoundError
            return await tx.sessions.add(owner_id, session_id=new_id(), title=title, document_ids=document_ids, key_id=reach.key_id)

    async def page(self, owner_id: UUID, *, limit: int, after: Cursor | None, reach: Reach = EVERYTHING) -> Page[ChatSession]:
        """Return conversations, the last used first."""
        async with self._uow.of(owner_id) as tx:
            return await tx.sessions.page(owner_id, limit=limit, after=after, key_id=reach.key_id)

    async def get(self, owner_id: UUID, session_id: UUID, *, reach: Reach = EVERYTHING) -> ChatSession:
        """Return one conversation.

        Raises:
            SessionNotFoundError: The caller has no such session.
        """
        async with self._uow.of(owner_id) as tx:
            return _existing(await tx.sessions.get(owner_id, session_id, key_id=reach.key_id))

    async def rename(self, owner_id: UUID, session_id: UUID, title: str, *, reach: Reach = EVERYTHING) -> ChatSession:
        """Change a conversation's title.

        Raises:
            SessionNotFoundError: The caller has no such session.
        """
        async with self._uow.of(owner_id) as tx:
            return _existing(await tx.sessions.rename(owner_id, session_id, title, key_id=reach.key_id))

    async def delete(self, owner_id: UUID, session_id: UUID, *, reach: Reach = EVERYTHING) -> None:
        """Delete a conversation with all of its messages, at once and for good.

        Raises:
            SessionNotFoundError: The caller has no such session.
        """
        async with self._uow.of(owner_id) as tx:
            if not await tx.sessions.delete(owner_id, session_id, key_id=reach.key_id):
                raise SessionNotFoundError

    async def messages(
        self, owner_id: UUID, session_id: UUID, *, limit: int, after: Cursor | None, reach: Reach = EVERYTHING
    ) -> Page[Message]:
        """Return the messages of a conversation, oldest first, with their sources.

        Raises:
            SessionNotFoundError: The caller has no such session.
        """
        async with self._uow.of(owner_id) as tx:
            _existing(await tx.sessions.get(owner_id, session_id, key_id=reach.key_id))
            return await tx.messages.page(owner_id, session_id, limit=limit, after=after)


def _existing(session: ChatSession | None) -> ChatSession:
    if session is None:
        raise SessionNotFoundError
    return session
