"""Asking questions."""

import asyncio
from dataclasses import replace
from time import perf_counter
from uuid import UUID

from backend.core.errors import MessageNotFoundError, RateLimitedError, SessionNotFoundError
from backend.core.ids import new_id
from backend.core.values.chat import Answer, ChatSession, Question
from backend.core.values.task import Task
from backend.core.values.user import EVERYTHING, Reach
from backend.db.uow import Transaction, UnitOfWork
from backend.services.answering.asking import REMEMBERED_MESSAGES, exchange, request_of, turns_of
from backend.services.answering.attempts import queue
from backend.services.answering.pipeline import Answering
from backend.services.answering.recalling import answer_of
from backend.services.answering.searchable import searchable
from backend.services.answering.titling import title_of
from backend.services.answering.turn import Asked, Turn
from backend.services.quotas import Quotas

MOST_TASKS = 100
"""Of one account, in every tier: questions that are still to be answered in the background."""


class ChatService:
    """Stores a question and starts its answer."""

    def __init__(self, uow: UnitOfWork, answering: Answering, quotas: Quotas) -> None:
        self._uow = uow
        self._answering = answering
        self._quotas = quotas
        self._beginning: set[asyncio.Task[Turn]] = set()

    async def ask(
        self,
        owner_id: UUID,
        question: Question,
        *,
        streamed: bool,
        idempotency_key: str | None = None,
        reach: Reach = EVERYTHING,
        again: UUID | None = None,
    ) -> Turn:
        """Store a question, in its session or in a new one, and begin to answer it.

        ``again`` is the newest answer of the session if that is to be given anew: then its question is asked, whatever the text of
        ``question``, and what follows takes its place, unless that fails or is stopped.

        Who is cancelled meanwhile leaves nothing behind that nobody ends: either nothing was stored, or the turn has no reader.

        Raises:
            MessageNotFoundError: The session has no message ``again``.
            NotAnAnswerError: It is a question.
            AnswerNotNewestError: The conversation went on since, or goes on without it.
            SessionNotFoundError: The caller has no such session, or it is out of reach.
            DocumentNotFoundError: One of ``question.document_ids`` is not the caller's, or is out of reach.
            ModelNotAllowedError: The caller's tier does not have the model.
            ModelUnknownError: The model does not exist, as far as its provider could be asked.
            QuotaExceededError: Today's tokens are used up.
            SessionBusyError: The session's previous question is still being answered.
        """
        arrived = perf_counter()
        if question.model is not None:
            await self._answering.usable(owner_id, question.model)

        async def begin() -> Turn:
            async with self._uow.of(owner_id) as tx:
                asked = await self._store(tx, owner_id, question, reach, again)
                if idempotency_key is not None:
                    await tx.idempotency.bind(owner_id, idempotency_key, asked.message_id)
            return self._answering.start(replace(asked, arrived=arrived, idempotency_key=idempotency_key), streamed=streamed)

        # A commit that is under way cannot be taken back, and what it stores has to be answered.
        beginning = asyncio.create_task(begin(), name="ask")
        self._beginning.add(beginning)
        beginning.add_done_callback(self._beginning.discard)
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            beginning.add_done_callback(_leave)
            raise

    async def ask_later(
        self,
        owner_id: UUID,
        question: Question,
        *,
        idempotency_key: str | None = None,
        reach: Reach = EVERYTHING,
        key_id: UUID | None = None,
    ) -> Task:
        """Store a question, in its session or in a new one, and queue the task of answering it: both or neither.

        ``key_id`` is the API key that it is asked with, if it is: with that the task ends.

        Raises:
            RateLimitedError: As many tasks as an account may have are waiting; ``details`` says ``background_tasks``.
            DocentError: As ``ask``.
        """
        if question.model is not None:
            await self._answering.usable(owner_id, question.model)
        async with self._uow.of(owner_id) as tx:
            await self._check_tasks(tx, owner_id)
            asked = await self._store(tx, owner_id, question, reach)
            task = await tx.tasks.add(
                owner_id,
                task_id=new_id(),
                session_id=asked.session_id,
                message_id=asked.message_id,
                key_id=reach.key_id or key_id,
                request=request_of(asked),
            )
            await queue(tx, owner_id, task.id)
            if idempotency_key is not None:
                await tx.idempotency.bind(owner_id, idempotency_key, task.id)
                await tx.idempotency.finish_bound(owner_id, idempotency_key, task.id, status=202)
        return task

    async def _check_tasks(self, tx: Transaction, owner_id: UUID) -> None:
        """Return if there is room for one more task. It is kept until the transaction ends: requests at once are counted too."""
        if not self._quotas.enabled:
            return
        await tx.usage.hold(owner_id)
        if await tx.tasks.live(owner_id) >= MOST_TASKS:
            raise RateLimitedError(
                f"Your account may have {MOST_TASKS} tasks waiting at the same time.",
                limit="background_tasks",
                retry_after_seconds=60,
            )

    async def _store(self, tx: Transaction, owner_id: UUID, question: Question, reach: Reach, again: UUID | None = None) -> Asked:
        question_id, answer_id = new_id(), new_id()
        session = await self._session(tx, owner_id, question, reach)
        if question.model is None and session is not None:
            question = replace(question, model=session.model)
        model = await self._quotas.check_model(tx, owner_id, question.model)
        await self._quotas.check_tokens(tx, owner_id)
        if begins := session is None:
            session = await self._begun(tx, owner_id, question, reach, model=None if question.model is None else model)
        found = await searchable(tx, owner_id, reach, wanted=question.document_ids, otherwise=session.document_ids)
        if again is None:
            history = [] if begins else await tx.messages.history(owner_id, session.id, limit=REMEMBERED_MESSAGES)
            await tx.messages.add_turn(
                owner_id, session.id, question_id=question_id, question=question.text, answer_id=answer_id, model=model
            )
        else:
            # In this order: until the transaction ends, nobody else adds to the session, so what is newest stays so.
            await tx.messages.add_answer(owner_id, session.id, answer_id=answer_id, model=model)
            asked_before, history = await exchange(tx, owner_id, session.id, again)
            question = replace(question, text=asked_before.content)
        all_read = not history or (again is None and len(history) < REMEMBERED_MESSAGES)
        unread = 0 if all_read else await tx.messages.said_before(owner_id, session.id, history[0].id)
        if not (begins or session.titled or history):
            await tx.sessions.give_title(owner_id, session.id, title_of(question.text), titled=False)
        if not begins:
            await tx.sessions.touch(owner_id, session.id)
        return Asked(
            owner_id=owner_id,
            session_id=session.id,
            message_id=answer_id,
            question=question,
            model=model,
            within=found.within,
            ready=found.ready,
            pending_documents=found.pending_documents,
            history=turns_of(history),
            arrived=perf_counter(),
            strict=session.strict if question.strict is None else question.strict,
            unread_messages=unread,
            replaces=again,
            untitled=not session.titled,
        )

    async def answer(self, owner_id: UUID, message_id: UUID) -> Answer:
        """Return an answer as it was stored.

        Raises:
            MessageNotFoundError: The caller has no such answer, or it is still being given.
        """
        async with self._uow.of(owner_id) as tx:
            message = await tx.messages.get(owner_id, message_id)
        answer = None if message is None else answer_of(message)
        if answer is None:
            raise MessageNotFoundError
        return answer

    async def _session(self, tx: Transaction, owner_id: UUID, question: Question, reach: Reach) -> ChatSession | None:
        """Return the session that the question goes on with, ``None`` where it begins one."""
        if question.session_id is None:
            return None
        session = await tx.sessions.get(owner_id, question.session_id, key_id=reach.key_id)
        if session is None:
            raise SessionNotFoundError
        return session

    async def _begun(self, tx: Transaction, owner_id: UUID, question: Question, reach: Reach, *, model: str | None) -> ChatSession:
        return await tx.sessions.add(
            owner_id,
            session_id=new_id(),
            title=title_of(question.text),
            document_ids=question.document_ids,
            key_id=reach.key_id,
            strict=bool(question.strict),
            model=model,
        )


def _leave(beginning: asyncio.Task[Turn]) -> None:
    """Leave a turn that began when whoever asked was gone."""
    if not beginning.cancelled() and beginning.exception() is None:
        beginning.result().leave()
