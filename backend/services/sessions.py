"""Conversations."""

import unicodedata
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack
from uuid import UUID

from backend.core.errors import (
    DocumentNotFoundError,
    MessageNotFoundError,
    NotAnAnswerError,
    SessionBusyError,
    SessionNotFoundError,
)
from backend.core.ids import new_id
from backend.core.values.chat import ChatSession, Message, Rating
from backend.core.values.page import Cursor, Page
from backend.core.values.user import EVERYTHING, Reach
from backend.db.uow import Transaction, UnitOfWork
from backend.services import transcripts
from backend.services.answering.pipeline import Answering

NEW = "New conversation"
"""What a conversation is called before anything was asked."""
TITLE_CHARACTERS = 200
OF_A_BRANCH = " (branch)"


class Changes(TypedDict, total=False):
    """What may be changed about a conversation."""

    title: str
    document_ids: Sequence[UUID] | None
    strict: bool
    model: str | None


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation as a file, which is made while it is read."""

    title: str
    pieces: AsyncIterator[bytes]


class SessionService:
    """Lists, changes, branches and deletes conversations. Somebody else's is missing, and so is one out of a key's reach."""

    def __init__(self, uow: UnitOfWork, answering: Answering) -> None:
        self._uow = uow
        self._answering = answering

    async def create(
        self,
        owner_id: UUID,
        *,
        title: str | None,
        document_ids: Sequence[UUID] | None,
        strict: bool = False,
        model: str | None = None,
        reach: Reach = EVERYTHING,
    ) -> ChatSession:
        """Begin a conversation, about some documents or about all. Without a title it gets one from what is asked.

        Raises:
            DocumentNotFoundError: One of the documents is not the caller's, or is out of reach.
            ModelNotAllowedError: The caller's tier does not have the model.
            ModelUnknownError: The model does not exist, as far as its provider could be asked.
        """
        chosen = await self._usable(owner_id, model)
        async with self._uow.of(owner_id) as tx:
            await _assert_documents(tx, owner_id, document_ids, reach)
            return await tx.sessions.add(
                owner_id,
                session_id=new_id(),
                title=title or NEW,
                document_ids=document_ids,
                key_id=reach.key_id,
                strict=strict,
                titled=title is not None,
                model=chosen,
            )

    async def page(
        self, owner_id: UUID, *, limit: int, after: Cursor | None, search: str | None = None, reach: Reach = EVERYTHING
    ) -> Page[ChatSession]:
        """Return conversations, the last used first; ``search`` looks into titles and into what was said, without case."""
        async with self._uow.of(owner_id) as tx:
            if search is None:
                return await tx.sessions.page(owner_id, limit=limit, after=after, key_id=reach.key_id)
            text = unicodedata.normalize("NFC", search).strip()
            return await tx.sessions.search(owner_id, text, limit=limit, after=after, key_id=reach.key_id)

    async def get(self, owner_id: UUID, session_id: UUID, *, reach: Reach = EVERYTHING) -> ChatSession:
        """Return one conversation.

        Raises:
            SessionNotFoundError: The caller has no such session.
        """
        async with self._uow.of(owner_id) as tx:
            return _existing(await tx.sessions.get(owner_id, session_id, key_id=reach.key_id))

    async def update(
        self, owner_id: UUID, session_id: UUID, *, reach: Reach = EVERYTHING, **changes: Unpack[Changes]
    ) -> ChatSession:
        """Change a conversation's ``title``, ``document_ids``, ``strict`` or ``model``. A title that was chosen stays.

        Raises:
            SessionNotFoundError: The caller has no such session.
            DocumentNotFoundError: One of the documents is not the caller's, or is out of reach.
            ModelNotAllowedError: The caller's tier does not have the model.
            ModelUnknownError: The model does not exist, as far as its provider could be asked.
        """
        if "model" in changes:
            changes["model"] = await self._usable(owner_id, changes["model"])
        async with self._uow.of(owner_id) as tx:
            session = _existing(await tx.sessions.get(owner_id, session_id, key_id=reach.key_id))
            if not changes:
                return session
            await _assert_documents(tx, owner_id, changes.get("document_ids"), reach)
            values: dict[str, Any] = {**changes, **({"titled": True} if "title" in changes else {})}
            return _existing(await tx.sessions.update(owner_id, session_id, key_id=reach.key_id, **values))

    async def delete(self, owner_id: UUID, session_id: UUID, *, reach: Reach = EVERYTHING) -> None:
        """Delete a conversation with all of its messages, at once and for good. An answer that is being given ends.

        Raises:
            SessionNotFoundError: The caller has no such session.
        """
        async with self._uow.of(owner_id) as tx:
            await tx.messages.call_for_stops(owner_id, session_id=session_id)
            if not await tx.sessions.delete(owner_id, session_id, key_id=reach.key_id):
                raise SessionNotFoundError

    async def messages(
        self,
        owner_id: UUID,
        session_id: UUID,
        *,
        limit: int,
        after: Cursor | None,
        superseded: bool = False,
        reach: Reach = EVERYTHING,
    ) -> Page[Message]:
        """Return the messages of a conversation, oldest first, with their sources; if so wished, with answers given anew.

        Raises:
            SessionNotFoundError: The caller has no such session.
        """
        async with self._uow.of(owner_id) as tx:
            _existing(await tx.sessions.get(owner_id, session_id, key_id=reach.key_id))
            return await tx.messages.page(owner_id, session_id, limit=limit, after=after, superseded=superseded)

    async def transcript(
        self, owner_id: UUID, session_id: UUID, form: transcripts.Form, *, reach: Reach = EVERYTHING
    ) -> Transcript:
        """Return a conversation as a file.

        Raises:
            SessionNotFoundError: The caller has no such session.
        """
        session = await self.get(owner_id, session_id, reach=reach)
        return Transcript(session.title, transcripts.WRITERS[form](session, transcripts.told(self._uow, session)))

    async def branch(self, owner_id: UUID, session_id: UUID, message_id: UUID, *, reach: Reach = EVERYTHING) -> ChatSession:
        """Begin a conversation that goes on from an answer of this one, or asks something else in the place of a question.

        It has copies of all messages up to the answer, or of those before the question.

        Raises:
            SessionNotFoundError: The caller has no such session.
            MessageNotFoundError: The session has no such message.
            SessionBusyError: The answer is still being given.
        """
        async with self._uow.of(owner_id) as tx:
            session = _existing(await tx.sessions.get(owner_id, session_id, key_id=reach.key_id))
            message = await _message(tx, owner_id, session_id, message_id)
            if message.status == "streaming":
                raise SessionBusyError
            branch = await tx.sessions.add(
                owner_id,
                session_id=new_id(),
                title=_title_of_a_branch(session.title),
                document_ids=session.document_ids,
                key_id=reach.key_id,
                strict=session.strict,
                titled=session.titled,
                model=session.model,
            )
            await tx.messages.copy(owner_id, session_id, message, into=branch.id)
        return branch

    async def rate(
        self,
        owner_id: UUID,
        session_id: UUID,
        message_id: UUID,
        *,
        rating: Rating | None,
        comment: str | None,
        reach: Reach = EVERYTHING,
    ) -> Message:
        """Store what the caller thinks of an answer, instead of what they thought before; no rating takes it back.

        Raises:
            SessionNotFoundError: The caller has no such session.
            MessageNotFoundError: The session has no such message.
            NotAnAnswerError: It is a question.
        """
        async with self._uow.of(owner_id) as tx:
            _existing(await tx.sessions.get(owner_id, session_id, key_id=reach.key_id))
            if (await _message(tx, owner_id, session_id, message_id)).role == "user":
                raise NotAnAnswerError
            await tx.messages.rate(owner_id, session_id, message_id, rating=rating, comment=comment if rating else None)
            return await _message(tx, owner_id, session_id, message_id)

    async def _usable(self, owner_id: UUID, model: str | None) -> str | None:
        return None if model is None else await self._answering.usable(owner_id, model)


def _existing(session: ChatSession | None) -> ChatSession:
    if session is None:
        raise SessionNotFoundError
    return session


async def _message(tx: Transaction, owner_id: UUID, session_id: UUID, message_id: UUID) -> Message:
    message = await tx.messages.get(owner_id, message_id)
    if message is None or message.session_id != session_id:
        raise MessageNotFoundError
    return message


async def _assert_documents(tx: Transaction, owner_id: UUID, document_ids: Sequence[UUID] | None, reach: Reach) -> None:
    """Return if these are the owner's and within reach; none in particular always are."""
    if document_ids is None:
        return
    if not reach.covers(document_ids) or len(await tx.documents.standings(owner_id, document_ids)) < len(set(document_ids)):
        raise DocumentNotFoundError


def _title_of_a_branch(title: str) -> str:
    return f"{title.removesuffix(OF_A_BRANCH)[: TITLE_CHARACTERS - len(OF_A_BRANCH)]}{OF_A_BRANCH}"
