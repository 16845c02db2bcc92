"""What the database says about itself, and what the vector index and the blob store are compared with."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import TextClause, text

from backend.core.values.defect import DefectKind
from backend.db.repositories.lexicon import LOCK
from backend.db.repositories.rows import Repository

# Each of these is one statement, so one snapshot: what changes in one transaction is never seen half done.
IN_THE_DATABASE: dict[DefectKind, TextClause] = {
    "document_stuck": text(
        "select d.id::text as subject, 1 as n from documents d where d.owner_id = :owner_id"
        "   and (d.deleted_at is not null or d.status in ('pending', 'processing'))"
        "   and greatest(d.updated_at, d.deleted_at) < now() - interval '1 minute'"
        "   and not exists (select from procrastinate_jobs j where j.status in ('todo', 'doing')"
        "     and j.task_name in ('index_document', 'purge_document', 'purge_file')"
        "     and (j.task_name <> 'index_document') = (d.deleted_at is not null)"
        "     and j.args->>'document_id' = d.id::text)"
    ),
    "answer_stuck": text(
        "select id::text as subject, 1 as n from messages"
        " where owner_id = :owner_id and status = 'streaming' and updated_at < now() - interval '1 hour'"
    ),
    "text_missing": text(
        "select d.id::text as subject, 1 as n from documents d"
        " where d.owner_id = :owner_id and d.deleted_at is null and d.live_version is not null"
        "   and not exists (select from document_texts t where t.document_id = d.id and t.version = d.live_version)"
    ),
    "chunks_incomplete": text(
        "select d.id::text as subject, d.chunks as n from documents d cross join lateral ("
        "  select count(*) as n, min(c.ordinal) as first, max(c.ordinal) as last from chunks c"
        "   where c.owner_id = d.owner_id and c.document_id = d.id and c.version = d.live_version) c"
        " where d.owner_id = :owner_id and d.deleted_at is null and d.live_version is not null"
        "   and (c.n = 0 or c.n <> d.chunks or c.first <> 0 or c.last <> c.n - 1)"
    ),
    "chunks_dead": text(
        "select d.id::text as subject, count(*) as n from documents d"
        "  join chunks c on c.owner_id = d.owner_id and c.document_id = d.id"
        " where d.owner_id = :owner_id and d.deleted_at is null and c.version is distinct from d.live_version"
        "   and (c.version <> d.version or d.status not in ('pending', 'processing'))"
        "   and not exists (select from procrastinate_jobs j where j.status in ('todo', 'doing')"
        "     and j.task_name in ('index_document', 'tidy_document') and j.args->>'document_id' = d.id::text)"
        " group by d.id"
    ),
    "embeddings_missing": text(
        "select coalesce(g.collection, d.owner_id::text) as subject, count(*) as n from documents d"
        "  join chunks c on c.owner_id = d.owner_id and c.document_id = d.id and c.version = d.live_version"
        "  left join index_generations g on g.owner_id = d.owner_id and g.state = 'ready'"
        " where d.owner_id = :owner_id and d.deleted_at is null"
        "   and not exists (select from chunk_vectors v where v.chunk_id = c.id and v.generation_id = g.id)"
        "   and not exists (select from procrastinate_jobs j where j.status in ('todo', 'doing')"
        "     and j.task_name = 'build_generation' and j.args->>'owner_id' = d.owner_id::text)"
        " group by 1"
    ),
    # Words of documents that are marked as deleted are counted until their job has removed their chunks.
    "lexicon_wrong": text(
        "with counted as materialized (select c.language, c.tsv, c.length from chunks c"
        "  join documents d on d.owner_id = c.owner_id and d.id = c.document_id and d.live_version = c.version"
        "  where c.owner_id = :owner_id),"
        " frequencies as (select language, l.lexeme, count(*) as n from counted cross join lateral unnest(tsv) l group by 1, 2),"
        " sizes as (select language, count(*) as chunks, sum(length) as total from counted group by language),"
        " wrong as (select (select count(*) from frequencies f"
        "     full join (select language, lexeme, frequency from lexemes where owner_id = :owner_id) x using (language, lexeme)"
        "     where coalesce(f.n, 0) <> coalesce(x.frequency, 0))"
        "   + (select count(*) from sizes s"
        "     full join (select language, chunks, total_length from corpus_sizes where owner_id = :owner_id) z using (language)"
        "     where coalesce(s.chunks, 0) <> coalesce(z.chunks, 0) or coalesce(s.total, 0) <> coalesce(z.total_length, 0)) as n)"
        " select u.id::text as subject, w.n from wrong w join users u on u.id = :owner_id where w.n > 0"
    ),
}
ACCOUNT_LEFT = text(
    "select exists (select from users u where u.id = :owner_id and u.deleted_at < now() - interval '1 minute'"
    "   and not exists (select from procrastinate_jobs j where j.status in ('todo', 'doing')"
    "     and j.task_name in ('purge_account', 'purge_account_files') and j.args->>'owner_id' = u.id::text))"
)
OWNERS = text(
    "select id, username, deleted_at is not null as deleted from users"
    " where (cast(:after as uuid) is null or id > :after)"
    "   and (cast(:username as text) is null or lower(username) = lower(:username) and deleted_at is null)"
    " order by id limit :limit"
)
DOCUMENTS = text(
    "select id, live_version from documents where owner_id = :owner_id and deleted_at is null"
    "   and (cast(:after as uuid) is null or id > :after) order by id limit :limit"
)
PASSAGES = text(
    "select c.id, c.ordinal, c.heading, c.start_offset, c.end_offset, c.text, c.search_text,"
    "       c.tsv = to_tsvector(cast(c.language as regconfig), c.search_text) and c.length ="
    "         (select coalesce(sum(coalesce(cardinality(l.positions), 1)), 0) from unnest(c.tsv) l) as searchable"
    "  from chunks c where c.owner_id = :owner_id and c.document_id = :document_id and c.version = :version"
    "   and c.ordinal > :after order by c.ordinal limit :limit"
)
RECOUNT = (
    LOCK,
    text("delete from lexemes where owner_id = :owner_id"),
    text("delete from corpus_sizes where owner_id = :owner_id"),
    text(
        "insert into lexemes (owner_id, language, lexeme, frequency)"
        " select c.owner_id, c.language, l.lexeme, count(*) from chunks c"
        "  join documents d on d.owner_id = c.owner_id and d.id = c.document_id and d.live_version = c.version"
        "  cross join lateral unnest(c.tsv) l where c.owner_id = :owner_id group by 1, 2, 3 order by 2, 3"
    ),
    text(
        "insert into corpus_sizes (owner_id, language, chunks, total_length)"
        " select c.owner_id, c.language, count(*), sum(c.length) from chunks c"
        "  join documents d on d.owner_id = c.owner_id and d.id = c.document_id and d.live_version = c.version"
        "  where c.owner_id = :owner_id group by 1, 2"
    ),
)


@dataclass(frozen=True, slots=True)
class Owner:
    """An account; one that is deleted waits for its job."""

    id: UUID
    username: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk; ``searchable`` says that its lexemes are those of its search text."""

    id: UUID
    ordinal: int
    heading: str | None
    start: int
    end: int
    text: str
    search_text: str
    searchable: bool


class ConsistencyRepository(Repository):
    """Reads what has to agree, and writes what only a repair does."""

    async def owners(self, *, after: UUID | None, limit: int, username: str | None = None) -> list[Owner]:
        """Return accounts in the order of their ids, deleted ones too; or the one of this name. Needs the system's view."""
        rows = await self._connection.execute(OWNERS, {"after": after, "limit": limit, "username": username})
        return [Owner(row.id, row.username, row.deleted) for row in rows]

    async def disagreements(self, owner_id: UUID) -> list[tuple[DefectKind, str, int]]:
        """Return (kind, subject, count) of what the database alone shows to be wrong."""
        return [
            (kind, row.subject, row.n)
            for kind, statement in IN_THE_DATABASE.items()
            for row in await self._connection.execute(statement, {"owner_id": owner_id})
        ]

    async def is_left_over(self, owner_id: UUID) -> bool:
        """Return whether this is a deleted account that no job removes."""
        return bool((await self._connection.execute(ACCOUNT_LEFT, {"owner_id": owner_id})).scalar_one())

    async def documents(self, owner_id: UUID, *, after: UUID | None, limit: int) -> list[tuple[UUID, int | None]]:
        """Return documents with their live versions, in the order of their ids."""
        rows = await self._connection.execute(DOCUMENTS, {"owner_id": owner_id, "after": after, "limit": limit})
        return [(row.id, row.live_version) for row in rows]

    async def passages(self, owner_id: UUID, document_id: UUID, version: int, *, after: int, limit: int) -> list[Passage]:
        """Return chunks of a document's version, in order, from the one after the ordinal ``after``."""
        of = {"owner_id": owner_id, "document_id": document_id, "version": version}
        rows = await self._connection.execute(PASSAGES, {**of, "after": after, "limit": limit})
        return [Passage(*row) for row in rows]

    async def recount(self, owner_id: UUID) -> None:
        """Count the lexemes of an owner anew. Generations have to be locked before, so that no document comes or goes meanwhile."""
        for statement in RECOUNT:
            await self._connection.execute(statement, {"owner_id": owner_id})

    async def existing(self, owner_ids: Sequence[UUID]) -> set[UUID]:
        """Return those accounts that exist, deleted ones too. Needs the system's view."""
        rows = await self._connection.execute(
            text("select id from users where id = any(cast(:ids as uuid[]))"), {"ids": list(owner_ids)}
        )
        return set(rows.scalars())
