"""Questions, answers and the sources of answers."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, cast, func, insert, select, update

from backend.core.values.chat import Answer, ContextUse, Message, PendingDocument, Source, Timings, Usage
from backend.core.values.page import Cursor, Page
from backend.db.repositories.rows import AnyRow, Repository, columns, read
from backend.models import DocumentRow, MessageRow, MessageSourceRow

STOP_CHANNEL = "docent_stop"
"""What the processes listen to for the ids of answers that shall stop."""


class MessageRepository(Repository):
    """Reads and writes ``messages`` and ``message_sources``."""

    async def add_turn(
        self, owner_id: UUID, session_id: UUID, *, question_id: UUID, question: str, answer_id: UUID, model: str
    ) -> None:
        """Insert a question and the empty answer that is being streamed to it.

        Raises:
            SessionBusyError: An answer is being streamed in this session (raised by the unit of work, from its unique index).
        """
        turn = {"owner_id": owner_id, "session_id": session_id}
        await self._connection.execute(
            insert(MessageRow).values(
                [
                    {**turn, "id": question_id, "role": "user", "content": question, "status": "complete", "model": None},
                    {**turn, "id": answer_id, "role": "assistant", "content": "", "status": "streaming", "model": model},
                ]
            )
        )

    async def finish(self, owner_id: UUID, answer: Answer) -> bool:
        """Store how an answer ended, with its sources; return whether its message still existed and was being streamed."""
        statement = (
            update(MessageRow)
            .where(MessageRow.owner_id == owner_id, MessageRow.id == answer.message_id, MessageRow.status == "streaming")
            .values(
                content=answer.text,
                status=answer.status,
                answer_status=answer.answer_status,
                finish_reason=answer.finish_reason,
                error_code=answer.error_code,
                model=answer.model,
                usage=asdict(answer.usage),
                timings=asdict(answer.timings),
                degraded=list(answer.degraded),
                pending_document_ids=list(answer.pending_document_ids),
                searched_for=answer.searched_for,
                invented_markers=answer.invented_markers,
                updated_at=func.now(),
            )
        )
        if (await self._connection.execute(statement)).rowcount == 0:
            return False
        if answer.sources:
            key = {"owner_id": owner_id, "message_id": answer.message_id}
            rows = [{**key, **asdict(source)} for source in answer.sources]
            await self._connection.execute(insert(MessageSourceRow).values(rows))
        return True

    async def history(self, owner_id: UUID, session_id: UUID, *, limit: int) -> list[Message]:
        """Return the newest messages that say something, oldest first, without their sources."""
        statement = (
            select(*columns(MessageRow, Message))
            .where(MessageRow.owner_id == owner_id, MessageRow.session_id == session_id, MessageRow.content != "")
            .order_by(MessageRow.id.desc())
            .limit(limit)
        )
        return [_message(row) for row in await self._connection.execute(statement)][::-1]

    async def said_before(self, owner_id: UUID, session_id: UUID, message_id: UUID) -> int:
        """Count the messages before one that say something and that the conversation goes on with."""
        statement = select(func.count()).where(
            MessageRow.owner_id == owner_id,
            MessageRow.session_id == session_id,
            MessageRow.id < message_id,
            MessageRow.content != "",
            MessageRow.superseded.is_(False),
        )
        return (await self._connection.execute(statement)).scalar_one()

    async def get(self, owner_id: UUID, message_id: UUID) -> Message | None:
        """Return one message with its sources."""
        statement = select(*columns(MessageRow, Message)).where(MessageRow.owner_id == owner_id, MessageRow.id == message_id)
        row = (await self._connection.execute(statement)).one_or_none()
        if row is None:
            return None
        sources = (await self._sources(owner_id, [message_id])).get(message_id, ())
        return _message(row, sources, await self._titled(owner_id, row.pending_document_ids))

    async def page(self, owner_id: UUID, session_id: UUID, *, limit: int, after: Cursor | None) -> Page[Message]:
        """Return the messages of a conversation, oldest first, with their sources."""
        statement = (
            select(*columns(MessageRow, Message))
            .where(MessageRow.owner_id == owner_id, MessageRow.session_id == session_id)
            .order_by(MessageRow.id)
            .limit(limit + 1)
        )
        if after is not None:
            statement = statement.where(MessageRow.id > after.id)
        rows = (await self._connection.execute(statement)).all()
        sources = await self._sources(owner_id, [row.id for row in rows[:limit]])
        items = [_message(row, sources.get(row.id, ())) for row in rows[:limit]]
        return Page(items, Cursor("", items[-1].id) if len(rows) > limit else None)

    async def end_abandoned(self, *, before: datetime | None = None) -> int:
        """Mark answers as incomplete whose process is gone: all that are being streamed, or those not touched since ``before``.

        Needs the system's view. Returns how many there were.
        """
        statement = (
            update(MessageRow)
            .where(MessageRow.status == "streaming")
            .values(status="incomplete", error_code="answer_cut", updated_at=func.now())
        )
        if before is not None:
            statement = statement.where(MessageRow.updated_at < before)
        return (await self._connection.execute(statement)).rowcount

    async def call_for_stop(self, owner_id: UUID, message_id: UUID) -> bool:
        """Tell all processes, once this is committed, to stop an answer; return whether it was being streamed."""
        statement = select(func.pg_notify(STOP_CHANNEL, cast(MessageRow.id, Text))).where(
            MessageRow.owner_id == owner_id, MessageRow.id == message_id, MessageRow.status == "streaming"
        )
        return len((await self._connection.execute(statement)).all()) > 0

    async def _titled(self, owner_id: UUID, document_ids: Sequence[UUID]) -> tuple[PendingDocument, ...]:
        """Return documents with their titles of today; one that was deleted since has none."""
        if not document_ids:
            return ()
        statement = select(DocumentRow.id, DocumentRow.title).where(
            DocumentRow.owner_id == owner_id, DocumentRow.id.in_(document_ids)
        )
        titles = {row.id: row.title for row in await self._connection.execute(statement)}
        return tuple(PendingDocument(document_id, titles.get(document_id, "")) for document_id in document_ids)

    async def _sources(self, owner_id: UUID, message_ids: Sequence[UUID]) -> dict[UUID, tuple[Source, ...]]:
        statement = (
            select(MessageSourceRow.message_id, *columns(MessageSourceRow, Source))
            .where(MessageSourceRow.owner_id == owner_id, MessageSourceRow.message_id.in_(message_ids))
            .order_by(MessageSourceRow.message_id, MessageSourceRow.marker)
        )
        found: dict[UUID, tuple[Source, ...]] = {}
        for row in await self._connection.execute(statement):
            values = dict(row._mapping)
            message_id = values.pop("message_id")
            found[message_id] = (*found.get(message_id, ()), Source(**values))
        return found


def _message(row: AnyRow, sources: Sequence[Source] = (), pending: tuple[PendingDocument, ...] = ()) -> Message:
    found = row._mapping
    usage, timings = found["usage"], found["timings"]
    if usage is not None:
        context = usage["context"]
        usage = Usage(**{**usage, "context": None if context is None else ContextUse(**context)})
    return read(
        Message,
        row,
        usage=usage,
        timings=None if timings is None else Timings(**timings),
        degraded=tuple(found["degraded"]),
        pending_document_ids=tuple(found["pending_document_ids"]),
        sources=tuple(sources),
        pending_documents=pending,
    )
