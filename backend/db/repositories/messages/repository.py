"""Questions, answers and the sources of answers."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, func, insert, or_, select, update

from backend.core.ids import new_id
from backend.core.values.chat import Answer, Message, PendingDocument, Rating, Source
from backend.core.values.page import Cursor, Page
from backend.db.repositories.messages.calls import FOLLOW_CHANNEL, STOP_CHANNEL, calling
from backend.db.repositories.messages.copies import COPY_MESSAGES, COPY_SOURCES
from backend.db.repositories.messages.lives import BEGUN, ending, renewing
from backend.db.repositories.messages.reading import message_of
from backend.db.repositories.messages.statements import ADD_SOURCES, ADD_TURN, ENDED, FINISH, HISTORY
from backend.db.repositories.rows import Repository, columns
from backend.models import DocumentRow, MessageRow, MessageSourceRow


class MessageRepository(Repository):
    """Reads and writes ``messages`` and ``message_sources``."""

    async def add_turn(
        self, owner_id: UUID, session_id: UUID, *, question_id: UUID, question: str, answer_id: UUID, model: str
    ) -> None:
        """Insert a question and the empty answer that is being streamed to it.

        Raises:
            SessionBusyError: An answer is being streamed in this session (raised by the unit of work, from its unique index).
        """
        ids = {"owner": owner_id, "session": session_id, "question_id": question_id, "answer_id": answer_id}
        await self._connection.execute(ADD_TURN, {**ids, "question": question, "answered_by": model})

    async def add_answer(self, owner_id: UUID, session_id: UUID, *, answer_id: UUID, model: str) -> None:
        """Insert an empty answer that is being streamed, to the newest question once more.

        It is superseded until ``finish`` lets it take the place of another one. Until the transaction ends, nobody else adds to
        the conversation.

        Raises:
            SessionBusyError: As ``add_turn``.
        """
        values = {"id": answer_id, "role": "assistant", "content": "", "status": "streaming", "model": model, "superseded": True}
        whose = {"owner_id": owner_id, "session_id": session_id, "updated_at": BEGUN}
        await self._connection.execute(insert(MessageRow).values(**whose, **values))

    async def finish(self, owner_id: UUID, answer: Answer, *, replaces: UUID | None = None) -> bool:
        """Store how an answer ended, with its sources; return whether its message still existed and was not stored.

        With ``replaces`` it takes the place of that answer, which is superseded from then on.
        """
        ended = {
            "content": answer.text,
            "usage": asdict(answer.usage),
            "timings": asdict(answer.timings),
            "degraded": list(answer.degraded),
            "pending_document_ids": list(answer.pending_document_ids),
        }
        values = {f"ended_{name}": ended.get(name, getattr(answer, name, None)) for name in ENDED}
        statement = FINISH if replaces is None else FINISH.values(superseded=False)
        found = await self._connection.execute(statement, {"owner": owner_id, "message": answer.message_id, **values})
        if found.rowcount == 0:
            return False
        if replaces is not None:
            earlier = (MessageRow.owner_id == owner_id, MessageRow.session_id == answer.session_id, MessageRow.id == replaces)
            await self._connection.execute(update(MessageRow).where(*earlier).values(superseded=True))
        if answer.sources:
            key = {"owner": owner_id, "message": answer.message_id}
            rows = [{**key, **{f"source_{name}": value for name, value in asdict(source).items()}} for source in answer.sources]
            await self._connection.execute(ADD_SOURCES, rows)
        return True

    async def history(self, owner_id: UUID, session_id: UUID, *, limit: int) -> list[Message]:
        """Return the newest messages that say something, oldest first, without their sources and without what is superseded."""
        rows = await self._connection.execute(HISTORY, {"owner": owner_id, "session": session_id, "most": limit})
        return [message_of(row) for row in rows][::-1]

    async def newest(self, owner_id: UUID, session_id: UUID, *, limit: int) -> list[Message]:
        """Return the newest messages, oldest first, like ``history``, but also those that say nothing."""
        statement = (
            select(*columns(MessageRow, Message))
            .where(MessageRow.owner_id == owner_id, MessageRow.session_id == session_id, MessageRow.superseded.is_(False))
            .order_by(MessageRow.id.desc())
            .limit(limit)
        )
        return [message_of(row) for row in await self._connection.execute(statement)][::-1]

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
        return message_of(row, sources, await self._titled(owner_id, row.pending_document_ids))

    async def page(
        self, owner_id: UUID, session_id: UUID, *, limit: int, after: Cursor | None, superseded: bool = False
    ) -> Page[Message]:
        """Return the messages of a conversation, oldest first, with their sources.

        Answers that are superseded are among them if so wished, or while they are being streamed.
        """
        statement = (
            select(*columns(MessageRow, Message))
            .where(MessageRow.owner_id == owner_id, MessageRow.session_id == session_id)
            .order_by(MessageRow.id)
            .limit(limit + 1)
        )
        if not superseded:
            statement = statement.where(or_(MessageRow.superseded.is_(False), MessageRow.status == "streaming"))
        if after is not None:
            statement = statement.where(MessageRow.id > after.id)
        rows = (await self._connection.execute(statement)).all()
        sources = await self._sources(owner_id, [row.id for row in rows[:limit]])
        items = [message_of(row, sources.get(row.id, ())) for row in rows[:limit]]
        return Page(items, Cursor("", items[-1].id) if len(rows) > limit else None)

    async def rate(self, owner_id: UUID, session_id: UUID, message_id: UUID, *, rating: Rating | None, comment: str | None) -> None:
        """Store what somebody thinks of an answer, instead of what they thought before."""
        await self._connection.execute(
            update(MessageRow)
            .where(MessageRow.owner_id == owner_id, MessageRow.session_id == session_id, MessageRow.id == message_id)
            .values(feedback=rating, feedback_comment=comment)
        )

    async def copy(self, owner_id: UUID, session_id: UUID, message: Message, *, into: UUID) -> None:
        """Copy a conversation into another one: up to an answer, or what comes before a question.

        The copies have ids of their own, and no feedback. Answers that are superseded stay behind.
        """
        mine = (MessageRow.owner_id == owner_id, MessageRow.session_id == session_id)
        wanted = and_(MessageRow.id < message.id, MessageRow.superseded.is_(False))
        if message.role == "assistant":
            asked = select(MessageRow.id).where(*mine, MessageRow.role == "user", MessageRow.id < message.id)
            newest = asked.order_by(MessageRow.id.desc()).limit(1).scalar_subquery()
            before = and_(MessageRow.id <= newest, MessageRow.superseded.is_(False))
            wanted = or_(before, MessageRow.id == message.id)
        found = await self._connection.execute(select(MessageRow.id).where(*mine, wanted).order_by(MessageRow.id))
        old = list(found.scalars())
        pairs = {"owner_id": owner_id, "old": old, "new": [new_id() for _ in old]}
        await self._connection.execute(COPY_MESSAGES, {**pairs, "into": into})
        await self._connection.execute(COPY_SOURCES, pairs)

    async def renew(self, message_ids: Sequence[UUID]) -> None:
        """Say of answers that are being streamed that their process lives. Needs the system's view."""
        await self._connection.execute(renewing(message_ids))

    async def end_abandoned(self, *, silent_for: timedelta | None = None) -> int:
        """Mark answers as incomplete whose process is gone: all that are being streamed, or those not renewed for so long.

        What an earlier release gives is never renewed, and has ``LONGEST_ANSWER``. Answers of tasks that are queued or running are
        still to be given. Needs the system's view. Returns how many there were.
        """
        return (await self._connection.execute(ending(silent_for))).rowcount

    async def call_for_stop(self, owner_id: UUID, message_id: UUID) -> bool:
        """Tell all processes, once this is committed, to stop an answer; return whether it was being streamed."""
        statement = calling(STOP_CHANNEL, owner_id, MessageRow.id == message_id)
        return len((await self._connection.execute(statement)).all()) > 0

    async def call_for_stops(self, owner_id: UUID, *, session_id: UUID | None = None) -> bool:
        """Tell all processes the same of every answer of a conversation, or of all; return whether any was being streamed."""
        which = () if session_id is None else (MessageRow.session_id == session_id,)
        return len((await self._connection.execute(calling(STOP_CHANNEL, owner_id, *which))).all()) > 0

    async def call_to_keep(self, owner_id: UUID, message_id: UUID) -> bool:
        """Tell all processes, once this is committed, that somebody reads an answer; return whether it was being streamed."""
        statement = calling(FOLLOW_CHANNEL, owner_id, MessageRow.id == message_id)
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
