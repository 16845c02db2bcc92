"""Asking questions."""

from collections.abc import Mapping, Sequence
from time import perf_counter
from uuid import UUID

from backend.core.errors import DocumentNotFoundError, SessionNotFoundError
from backend.core.ids import new_id
from backend.core.values.chat import ChatSession, Message, Question
from backend.db.uow import Transaction, UnitOfWork
from backend.ports.chat_model import Turn as PromptTurn
from backend.services.answering.pipeline import Answering
from backend.services.answering.turn import Asked, Turn

REMEMBERED_MESSAGES = 60
TITLE_CHARACTERS = 80


class ChatService:
    """Stores a question and starts its answer."""

    def __init__(self, uow: UnitOfWork, answering: Answering, *, default_model: str) -> None:
        self._uow = uow
        self._answering = answering
        self._default_model = default_model

    async def ask(self, owner_id: UUID, question: Question, *, streamed: bool) -> Turn:
        """Store a question, in its session or in a new one, and begin to answer it.

        Raises:
            SessionNotFoundError: The caller has no such session.
            DocumentNotFoundError: One of ``question.document_ids`` is not the caller's.
            SessionBusyError: The session's previous question is still being answered.
        """
        arrived = perf_counter()
        question_id, answer_id = new_id(), new_id()
        model = question.model or self._default_model
        async with self._uow.of(owner_id) as tx:
            session = await self._session(tx, owner_id, question)
            within = session.document_ids if question.document_ids is None else question.document_ids
            statuses = await tx.documents.statuses(owner_id, within)
            if question.document_ids is not None and len(statuses) < len(set(question.document_ids)):
                raise DocumentNotFoundError
            history = await tx.messages.history(owner_id, session.id, limit=REMEMBERED_MESSAGES)
            await tx.messages.add_turn(
                owner_id, session.id, question_id=question_id, question=question.text, answer_id=answer_id, model=model
            )
            await tx.sessions.touch(owner_id, session.id)
        asked = Asked(
            owner_id=owner_id,
            session_id=session.id,
            message_id=answer_id,
            question=question,
            model=model,
            within=within,
            ready="ready" in statuses.values(),
            pending_document_ids=_pending(statuses),
            history=_turns(history),
            arrived=arrived,
        )
        return self._answering.start(asked, streamed=streamed)

    async def _session(self, tx: Transaction, owner_id: UUID, question: Question) -> ChatSession:
        if question.session_id is None:
            title = " ".join(question.text.split())[:TITLE_CHARACTERS]
            return await tx.sessions.add(owner_id, session_id=new_id(), title=title, document_ids=question.document_ids)
        session = await tx.sessions.get(owner_id, question.session_id)
        if session is None:
            raise SessionNotFoundError
        return session


def _pending(statuses: Mapping[UUID, str]) -> tuple[UUID, ...]:
    return tuple(document_id for document_id, status in statuses.items() if status in {"pending", "processing"})


def _turns(history: Sequence[Message]) -> tuple[PromptTurn, ...]:
    return tuple(PromptTurn(message.role, message.content) for message in history)
