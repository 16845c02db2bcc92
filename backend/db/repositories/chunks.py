"""Chunks."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, bindparam, delete, select, text

from backend.core.values.document import UNFINISHED, Chunk
from backend.db.repositories.rows import Repository, columns, read
from backend.models import ChunkRow, DocumentRow

# One statement for a whole batch; COPY is refused under row-level security.
STORE = text(
    "insert into chunks"
    " (id, owner_id, document_id, version, ordinal, page, heading, start_offset, end_offset, text, search_text, language,"
    "  tsv, length)"
    " select u.id, :owner_id, :document_id, :version, u.ordinal, u.page, u.heading, u.start_offset, u.end_offset, u.text,"
    "        u.search_text, :language, t.tsv, (select coalesce(sum(coalesce(cardinality(l.positions), 1)), 0) from unnest(t.tsv) l)"
    "   from unnest(cast(:ids as uuid[]), cast(:ordinals as int[]), cast(:pages as int[]), cast(:headings as text[]),"
    "               cast(:starts as int[]), cast(:ends as int[]), cast(:texts as text[]), cast(:search_texts as text[]))"
    "        as u (id, ordinal, page, heading, start_offset, end_offset, text, search_text)"
    # `offset 0` keeps the planner from writing the function in place of each mention: it would be called for each of them.
    "  cross join lateral (select to_tsvector(cast(:language as regconfig), u.search_text) as tsv offset 0) t"
    "  on conflict (id) do nothing"
)

# A few places of each document, spread evenly over it and moved on with every turn. Newest documents first.
SAMPLED = text("""
with newest as (
  select d.id, d.language, d.live_version, d.created_at, greatest(d.chunks, 1) as size from documents d
   where d.owner_id = :owner_id and d.deleted_at is null and d.live_version is not null
     and (cast(:within as uuid[]) is null or d.id = any(cast(:within as uuid[])))
   order by d.created_at desc, d.id desc limit :documents
)
select c.id, c.document_id, n.language, c.heading, c.text from newest n cross join lateral (
  select c.id, c.document_id, c.heading, c.text, p.place from (
    select mod(g::bigint * n.size / :places + :turn, n.size) as ordinal, min(g) as place
      from generate_series(0, :places - 1) g group by 1
  ) p join chunks c on c.document_id = n.id and c.version = n.live_version and c.ordinal = p.ordinal and c.owner_id = :owner_id
) c order by n.created_at desc, n.id desc, c.place
""")
PLACES = 4


@dataclass(frozen=True, slots=True)
class SampledChunk:
    """A chunk of a document that can be searched, with the document's language, if that could be told."""

    id: UUID
    document_id: UUID
    language: str | None
    heading: str | None
    text: str


@dataclass(frozen=True, slots=True)
class FoundChunk:
    """A chunk of a document that may be cited, with the title of its document."""

    id: UUID
    document_id: UUID
    version: int
    title: str
    page: int | None
    heading: str | None
    start: int
    end: int
    text: str


# Put together once, and one statement for any number of ids: each other text would be prepared and planned anew.
_LIVE = (
    ChunkRow.owner_id == bindparam("owner_id"),
    ChunkRow.id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    DocumentRow.owner_id == bindparam("owner_id"),
    DocumentRow.live_version == ChunkRow.version,
    DocumentRow.deleted_at.is_(None),
)
SEARCHABLE = select(ChunkRow.id).join(DocumentRow, DocumentRow.id == ChunkRow.document_id).where(*_LIVE)
FOUND = (
    select(*columns(ChunkRow, FoundChunk), DocumentRow.title)
    .join(DocumentRow, DocumentRow.id == ChunkRow.document_id)
    .where(*_LIVE)
)


class ChunkRepository(Repository):
    """Reads and writes ``chunks``."""

    async def ids_of(self, owner_id: UUID, document_id: UUID, *, version: int | None = None) -> set[UUID]:
        """Return the ids of the chunks that are stored for a document: of one version, or of all."""
        statement = select(ChunkRow.id).where(ChunkRow.owner_id == owner_id, ChunkRow.document_id == document_id)
        if version is not None:
            statement = statement.where(ChunkRow.version == version)
        return set((await self._connection.execute(statement)).scalars())

    async def dead_ids(self, owner_id: UUID, document_id: UUID) -> list[UUID]:
        """Return the ids of chunks that nothing needs any more: neither live, nor of a version that is being indexed."""
        statement = (
            select(ChunkRow.id)
            .join(DocumentRow, DocumentRow.id == ChunkRow.document_id)
            .where(
                ChunkRow.owner_id == owner_id,
                ChunkRow.document_id == document_id,
                DocumentRow.owner_id == owner_id,
                ChunkRow.version.is_distinct_from(DocumentRow.live_version),
                (ChunkRow.version != DocumentRow.version) | DocumentRow.status.not_in(UNFINISHED),
            )
        )
        return list((await self._connection.execute(statement)).scalars())

    async def wanted(self, owner_id: UUID, ids: Sequence[UUID]) -> set[UUID]:
        """Return those of the chunks that still exist and are needed: live, or of a version that is being indexed."""
        statement = (
            select(ChunkRow.id)
            .join(DocumentRow, DocumentRow.id == ChunkRow.document_id)
            .where(ChunkRow.owner_id == owner_id, ChunkRow.id.in_(ids), *is_wanted(owner_id))
        )
        return set((await self._connection.execute(statement)).scalars())

    async def store(
        self,
        owner_id: UUID,
        document_id: UUID,
        version: int,
        chunks: Sequence[Chunk],
        search_texts: Sequence[str],
        *,
        language: str,
    ) -> None:
        """Insert chunks with their search texts; those that are there already stay as they are.

        ``language`` names a text search configuration.
        """
        await self._connection.execute(
            STORE,
            {
                "owner_id": owner_id,
                "document_id": document_id,
                "version": version,
                "language": language,
                "ids": [chunk.id for chunk in chunks],
                "ordinals": [chunk.ordinal for chunk in chunks],
                "pages": [chunk.page for chunk in chunks],
                "headings": [chunk.heading for chunk in chunks],
                "starts": [chunk.start for chunk in chunks],
                "ends": [chunk.end for chunk in chunks],
                "texts": [chunk.text for chunk in chunks],
                "search_texts": list(search_texts),
            },
        )

    async def delete(self, owner_id: UUID, document_id: UUID, ids: Sequence[UUID] | None = None) -> None:
        """Remove chunks of a document with their vectors: these, or all."""
        statement = delete(ChunkRow).where(ChunkRow.owner_id == owner_id, ChunkRow.document_id == document_id)
        await self._connection.execute(statement if ids is None else statement.where(ChunkRow.id.in_(ids)))

    async def searchable(self, owner_id: UUID, ids: Sequence[UUID]) -> set[UUID]:
        """Return those of the chunks that belong to the live versions of the owner's documents, without their texts."""
        return set((await self._connection.execute(SEARCHABLE, {"owner_id": owner_id, "ids": list(ids)})).scalars())

    async def found(self, owner_id: UUID, ids: Sequence[UUID]) -> dict[UUID, FoundChunk]:
        """Return those of the chunks that belong to the live versions of the owner's documents."""
        rows = await self._connection.execute(FOUND, {"owner_id": owner_id, "ids": list(ids)})
        return {row.id: read(FoundChunk, row) for row in rows}

    async def sampled(self, owner_id: UUID, within: Sequence[UUID] | None, *, documents: int, turn: int) -> list[SampledChunk]:
        """Return some chunks of each of the owner's newest live documents, the newest first; the ``turn`` decides which."""
        parameters = {
            "owner_id": owner_id,
            "within": None if within is None else list(within),
            "documents": documents,
            "places": PLACES,
            "turn": turn,
        }
        return [SampledChunk(*row) for row in await self._connection.execute(SAMPLED, parameters)]


def is_wanted(owner_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """Return what is true of chunks, joined with their documents, that are live or of a version that is being indexed."""
    unfinished = (DocumentRow.version == ChunkRow.version) & DocumentRow.status.in_(UNFINISHED)
    return (
        DocumentRow.owner_id == owner_id,
        DocumentRow.deleted_at.is_(None),
        (DocumentRow.live_version == ChunkRow.version) | unfinished,
    )
