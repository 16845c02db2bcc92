"""Uploaded files and the state of their indexing."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, select, text, tuple_, update

from backend.core.values.document import UNFINISHED, Document, DocumentStatus
from backend.core.values.page import Cursor, Page
from backend.db.repositories.rows import OWNER, Repository, columns, containing, position, read
from backend.models import DocumentRow

# Rows whose job got lost (aborted by a shutdown, failed in the queue, truncated by hand): they need a new one.
WITHOUT_JOB = text(
    "select d.owner_id, d.id, d.deleted_at is not null as deleted from documents d"
    " where (d.deleted_at is not null or d.status in ('pending', 'processing'))"
    "   and greatest(d.updated_at, d.deleted_at) < now() - make_interval(secs => :seconds)"
    "   and not exists (select from procrastinate_jobs j where j.status in ('todo', 'doing')"
    "     and j.task_name in ('index_document', 'purge_document', 'purge_file')"
    "     and (j.task_name <> 'index_document') = (d.deleted_at is not null)"
    "     and j.args->>'document_id' = d.id::text)"
    " order by d.id limit 1000"
)

# Built once, for every turn needs it.
_STANDINGS = select(DocumentRow.id, DocumentRow.status, DocumentRow.live_version, DocumentRow.title).where(
    DocumentRow.owner_id == OWNER, DocumentRow.deleted_at.is_(None)
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a document stands; ``live`` says that a version of it can be searched."""

    status: DocumentStatus
    live: bool
    title: str


class DocumentRepository(Repository):
    """Reads and writes ``documents``. A deleted one is as good as missing for every read that does not say otherwise."""

    async def add(self, owner_id: UUID, **values: object) -> Document:
        """Insert a document. The same bytes a second time violate the unique index on owner and sha256."""
        statement = insert(DocumentRow).values(owner_id=owner_id, **values).returning(*columns(DocumentRow, Document))
        return read(Document, (await self._connection.execute(statement)).one())

    async def get(self, owner_id: UUID, document_id: UUID, *, hold: bool = False) -> Document | None:
        """Return one document, and ``hold`` it until the transaction ends if asked to."""
        statement = select(*columns(DocumentRow, Document)).where(*_of(owner_id, document_id))
        if hold:
            statement = statement.with_for_update()
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else read(Document, row)

    async def by_sha256(self, owner_id: UUID, sha256: str) -> Document | None:
        """Return the owner's document with these bytes, and hold it until the transaction ends."""
        statement = (
            select(*columns(DocumentRow, Document))
            .where(DocumentRow.owner_id == owner_id, DocumentRow.sha256 == sha256, DocumentRow.deleted_at.is_(None))
            .with_for_update()
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else read(Document, row)

    async def page(
        self,
        owner_id: UUID,
        *,
        limit: int,
        after: Cursor | None,
        within: Sequence[UUID] | None = None,
        named: str | None = None,
        statuses: Sequence[DocumentStatus] | None = None,
    ) -> Page[Document]:
        """Return documents, newest first: all, or those among ``within``, with this text in title or filename."""
        statement = (
            select(*columns(DocumentRow, Document))
            .where(DocumentRow.owner_id == owner_id, DocumentRow.deleted_at.is_(None))
            .order_by(DocumentRow.created_at.desc(), DocumentRow.id.desc())
            .limit(limit + 1)
        )
        if within is not None:
            statement = statement.where(DocumentRow.id.in_(within))
        if named is not None:
            pattern = containing(named)
            statement = statement.where(
                DocumentRow.title.ilike(pattern, escape="\\") | DocumentRow.filename.ilike(pattern, escape="\\")
            )
        if statuses:
            statement = statement.where(DocumentRow.status.in_(statuses))
        if after is not None:
            statement = statement.where(tuple_(DocumentRow.created_at, DocumentRow.id) < tuple_(*position(after)))
        items = [read(Document, row) for row in await self._connection.execute(statement)]
        last = items[limit - 1] if len(items) > limit else None
        return Page(items[:limit], None if last is None else Cursor(last.created_at.isoformat(), last.id))

    async def standings(self, owner_id: UUID, within: Sequence[UUID] | None) -> dict[UUID, Standing]:
        """Return where each of the owner's documents stands, or those among ``within`` that exist."""
        statement = _STANDINGS if within is None else _STANDINGS.where(DocumentRow.id.in_(within))
        return {
            row.id: Standing(status=row.status, live=row.live_version is not None, title=row.title)
            for row in await self._connection.execute(statement, {"owner": owner_id})
        }

    async def rename(self, owner_id: UUID, document_id: UUID, title: str) -> Document | None:
        """Change the title."""
        return await self.update(owner_id, document_id, title=title)

    async def update(self, owner_id: UUID, document_id: UUID, **values: object) -> Document | None:
        """Change what is given; return the document, or ``None`` if it is gone."""
        statement = (
            update(DocumentRow)
            .where(*_of(owner_id, document_id))
            .values(updated_at=func.now(), **values)
            .returning(*columns(DocumentRow, Document))
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else read(Document, row)

    async def start_attempt(self, owner_id: UUID, document_id: UUID) -> Document | None:
        """Count an attempt when it begins, so that one that kills its process is counted too.

        Returns ``None`` if the document is gone or has already ended.
        """
        statement = (
            update(DocumentRow)
            .where(*_of(owner_id, document_id), DocumentRow.status.in_(UNFINISHED))
            .values(
                status="processing",
                stage="reading",
                attempts=DocumentRow.attempts + 1,
                waiting_for=None,
                updated_at=func.now(),
            )
            .returning(*columns(DocumentRow, Document))
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else read(Document, row)

    async def lock(self, owner_id: UUID, document_id: UUID, *, status: str, version: int | None = None) -> bool:
        """Hold the document until the transaction ends, if it exists and has this status, and this newest version."""
        statement = select(DocumentRow.id).where(*_of(owner_id, document_id), DocumentRow.status == status).with_for_update()
        if version is not None:
            statement = statement.where(DocumentRow.version == version)
        return (await self._connection.execute(statement)).first() is not None

    async def hand_back(self, owner_id: UUID, document_id: UUID, *, waiting_for: str | None) -> None:
        """Return a document to ``pending`` as if its last attempt had not been made."""
        await self.update(
            owner_id,
            document_id,
            status="pending",
            stage=None,
            attempts=func.greatest(DocumentRow.attempts - 1, 0),
            waiting_for=waiting_for,
        )

    async def end(self, owner_id: UUID, document_id: UUID, *, code: str, message: str) -> Document | None:
        """End a document's newest version as ``failed``; one that was live before stays so."""
        return await self.update(
            owner_id,
            document_id,
            status="failed",
            stage=None,
            waiting_for=None,
            error_code=code,
            error_message=message,
            progress_done=0,
            progress_total=0,
        )

    async def queue_again(self, owner_id: UUID, document_id: UUID, **values: object) -> Document | None:
        """Return an ended document to ``pending``, with all its attempts before it."""
        return await self.update(
            owner_id,
            document_id,
            status="pending",
            stage=None,
            attempts=0,
            waiting_for=None,
            error_code=None,
            error_message=None,
            progress_done=0,
            progress_total=0,
            queued_at=func.now(),
            **values,
        )

    async def mark_deleted(self, owner_id: UUID, document_id: UUID) -> bool:
        """Hide the document from every read; return whether there was one."""
        statement = update(DocumentRow).where(*_of(owner_id, document_id)).values(deleted_at=func.now())
        return (await self._connection.execute(statement)).rowcount > 0

    async def deleted(self, owner_id: UUID, document_id: UUID) -> Document | None:
        """Return a document that is marked as deleted and not removed yet, and hold it until the transaction ends."""
        statement = (
            select(*columns(DocumentRow, Document))
            .where(DocumentRow.owner_id == owner_id, DocumentRow.id == document_id, DocumentRow.deleted_at.is_not(None))
            .with_for_update()
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else read(Document, row)

    async def names_file(self, owner_id: UUID, blob_key: str) -> bool:
        """Return whether a document of the owner has its file under this key."""
        statement = select(DocumentRow.id).where(DocumentRow.owner_id == owner_id, DocumentRow.blob_key == blob_key)
        return (await self._connection.execute(statement)).first() is not None

    async def remove(self, owner_id: UUID, document_id: UUID) -> None:
        """Remove the row of a deleted document, and with it whatever still hangs on it."""
        statement = delete(DocumentRow).where(
            DocumentRow.owner_id == owner_id, DocumentRow.id == document_id, DocumentRow.deleted_at.is_not(None)
        )
        await self._connection.execute(statement)

    async def without_job(self, *, older_than_seconds: float) -> list[tuple[UUID, UUID, str]]:
        """Return (owner, document, task) of documents that wait for a job that does not exist. Needs the system's view."""
        rows = await self._connection.execute(WITHOUT_JOB, {"seconds": older_than_seconds})
        return [(row.owner_id, row.id, "purge_document" if row.deleted else "index_document") for row in rows]


def _of(owner_id: UUID, document_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (DocumentRow.owner_id == owner_id, DocumentRow.id == document_id, DocumentRow.deleted_at.is_(None))
