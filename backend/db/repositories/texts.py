"""The canonical text of documents."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from backend.db.repositories.rows import Repository
from backend.models import DocumentTextRow
from backend.ports.document_parser import PageSpan

LONGEST_TEXT = 2**30
"""PostgreSQL's bound on a value, in bytes: no text goes on beyond it, and one more is still an integer to PostgreSQL."""

LONGEST_TO_JOIN = 200_000
"""Bytes of a text whose spans are read for a question: PostgreSQL unpacks and counts a text anew for each of them."""
SPANS = text(
    "select s.place, substr(t.text, s.first + 1, s.last - s.first) as text"
    "  from unnest(cast(:documents as uuid[]), cast(:versions as int[]), cast(:starts as int[]), cast(:ends as int[]))"
    "       with ordinality as s (document_id, version, first, last, place)"
    "  join document_texts t on t.document_id = s.document_id and t.version = s.version"
    " where t.owner_id = :owner_id and octet_length(t.text) <= :longest"
)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the text of a document's version: [start:end], code points."""

    document_id: UUID
    version: int
    start: int
    end: int


class TextRepository(Repository):
    """Reads and writes ``document_texts``."""

    async def put(self, owner_id: UUID, document_id: UUID, version: int, *, text: str, pages: Sequence[PageSpan]) -> None:
        """Store the text of a document's version, replacing what an earlier attempt stored."""
        values = {"text": text, "pages": [astuple(page) for page in pages]}
        statement = insert(DocumentTextRow).values(owner_id=owner_id, document_id=document_id, version=version, **values)
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["document_id", "version"], set_=values, where=DocumentTextRow.owner_id == owner_id
            )
        )

    async def versions(self, owner_id: UUID, document_id: UUID) -> list[int]:
        """Return the versions of a document that have a text, in order."""
        statement = select(DocumentTextRow.version).where(*_of(owner_id, document_id, None)).order_by(DocumentTextRow.version)
        return list((await self._connection.execute(statement)).scalars())

    async def slice(self, owner_id: UUID, document_id: UUID, version: int, *, start: int, end: int) -> tuple[str, int] | None:
        """Return a version's text at [start:end] in code points, and the length of the whole."""
        start = min(start, LONGEST_TEXT)
        statement = select(
            func.substr(DocumentTextRow.text, start + 1, max(end - start, 0)), func.length(DocumentTextRow.text)
        ).where(*_of(owner_id, document_id, version))
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else (row[0], row[1])

    async def pages(self, owner_id: UUID, document_id: UUID, version: int) -> list[PageSpan] | None:
        """Return where the pages of a version's text are; ``None`` if there is no such text."""
        statement = select(DocumentTextRow.pages).where(*_of(owner_id, document_id, version))
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else [PageSpan(*page) for page in row[0]]

    async def spans(self, owner_id: UUID, spans: Sequence[Span]) -> dict[Span, str]:
        """Return the text of each span; those of texts that are not there are left out."""
        parameters = {
            "owner_id": owner_id,
            "documents": [span.document_id for span in spans],
            "versions": [span.version for span in spans],
            "starts": [span.start for span in spans],
            "ends": [span.end for span in spans],
            "longest": LONGEST_TO_JOIN,
        }
        return {spans[row.place - 1]: row.text for row in await self._connection.execute(SPANS, parameters)}

    async def delete(self, owner_id: UUID, document_id: UUID, version: int | None = None) -> None:
        """Remove the text of a document's version, or of all."""
        await self._connection.execute(delete(DocumentTextRow).where(*_of(owner_id, document_id, version)))


def _of(owner_id: UUID, document_id: UUID, version: int | None) -> tuple[ColumnElement[bool], ...]:
    of_document = (DocumentTextRow.owner_id == owner_id, DocumentTextRow.document_id == document_id)
    return of_document if version is None else (*of_document, DocumentTextRow.version == version)
