"""From what is stored of a question to what is needed to answer it."""

from collections.abc import Sequence
from time import perf_counter
from uuid import UUID

from backend.core.errors import AnswerNotNewestError, MessageNotFoundError, NotAnAnswerError, SessionNotFoundError
from backend.core.values.chat import Message, Question
from backend.core.values.task import Task, TaskRequest
from backend.db.uow import Transaction
from backend.ports.chat_model import Turn as PromptTurn
from backend.services.answering.searchable import searchable_now
from backend.services.answering.turn import Asked

REMEMBERED_MESSAGES = 60


def request_of(asked: Asked) -> TaskRequest:
    """Return what has to be kept of a question beside its conversation."""
    question = asked.question
    named = question.model is not None
    return TaskRequest(asked.model, named, question.temperature, question.max_tokens, asked.strict, asked.within)


async def asked_by(tx: Transaction, task: Task) -> Asked:
    """Return the question of a task as it can be answered now: documents may have become ready since it was asked.

    Raises:
        SessionNotFoundError: Its conversation is gone.
    """
    owner_id, request = task.owner_id, task.request
    session = await tx.sessions.get(owner_id, task.session_id)
    if session is None:
        raise SessionNotFoundError
    model = request.model if request.named else None
    question, history = await exchange(tx, owner_id, session.id, task.message_id)
    found = searchable_now(request.within, await tx.documents.standings(owner_id, request.within))
    return Asked(
        owner_id=owner_id,
        session_id=session.id,
        message_id=task.message_id,
        question=Question(question.content, session.id, request.within, model, request.temperature, request.max_tokens),
        model=request.model,
        within=found.within,
        ready=found.ready,
        pending_documents=found.pending_documents,
        history=turns_of(history),
        arrived=perf_counter(),
        strict=request.strict,
        unread_messages=await tx.messages.said_before(owner_id, session.id, history[0].id) if history else 0,
        untitled=not session.titled,
    )


async def exchange(tx: Transaction, owner_id: UUID, session_id: UUID, answer_id: UUID) -> tuple[Message, list[Message]]:
    """Return the newest question of a session, which this has to be the answer to, and what was said before it.

    Raises:
        MessageNotFoundError: The session has no such message.
        NotAnAnswerError: It is a question.
        AnswerNotNewestError: The conversation went on since, or goes on without it.
    """
    found = await tx.messages.newest(owner_id, session_id, limit=REMEMBERED_MESSAGES + 2)
    if found and found[-1].id == answer_id:
        *history, question, _ = found
        return question, [message for message in history if message.content]
    message = await tx.messages.get(owner_id, answer_id)
    if message is None or message.session_id != session_id:
        raise MessageNotFoundError
    raise NotAnAnswerError if message.role == "user" else AnswerNotNewestError


def turns_of(history: Sequence[Message]) -> tuple[PromptTurn, ...]:
    """Return messages as a model is told them."""
    return tuple(PromptTurn(message.role, message.content) for message in history)
