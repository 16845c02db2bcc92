"""What has to be true of a product at rest: PostgreSQL, Chroma and the files say the same, and nothing is there twice."""
# ruff: noqa: S608 - the pieces are those of this file

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

import asyncpg
import httpx2

from backend.core.config import plain_url
from tests.support.product import NO_TLS

LIVE = "chunks c join documents d on d.id = c.document_id and d.live_version = c.version"
OF_OWNER = "($1::uuid[] is null or owner_id = any($1))"
BY_CLOCK = "('rescue_stalled_jobs', 'reconcile', 'verify_index', 'builtin:procrastinate.builtin_tasks.remove_old_jobs')"

# Each finds what should not be; its rows are shown.
QUERIES = {
    "document not ended": "select id, status, attempts, waiting_for from documents"
    f" where {OF_OWNER} and deleted_at is null and status not in ('ready', 'failed')",
    "failure without a reason": "select id, error_code from documents"
    f" where {OF_OWNER} and status = 'failed' and (error_code is null or error_message not like '%.')",
    "document deleted and not purged": f"select id from documents where {OF_OWNER} and deleted_at is not null"
    " and exists (select from chunks c where c.document_id = documents.id)",
    "ready and not live": f"select id from documents where {OF_OWNER} and status = 'ready'"
    " and live_version is distinct from version",
    "chunks with gaps or too many": "select id, chunks, n from documents cross join lateral"
    " (select count(*) as n, max(ordinal) + 1 as numbered from chunks c where c.document_id = documents.id) x"
    f" where {OF_OWNER} and deleted_at is null"
    " and (n <> case when live_version is null then 0 else chunks end or n <> coalesce(numbered, 0))",
    "chunk of a dead version": "select c.id from chunks c join documents d on d.id = c.document_id"
    f" where {OF_OWNER.replace('owner_id', 'c.owner_id')} and c.version is distinct from d.live_version",
    "chunk without a text": "select c.id from chunks c left join document_texts t using (document_id, version)"
    f" where {OF_OWNER.replace('owner_id', 'c.owner_id')} and t.text is null",
    "text of nothing": "select t.document_id, t.version from document_texts t left join documents d on d.id = t.document_id"
    f" where {OF_OWNER.replace('owner_id', 't.owner_id')} and (d.deleted_at is not null or (d.live_version is null)"
    " or t.version > d.live_version)",
    "chunk without a vector": f"select c.id, g.embedder from {LIVE}"
    " join index_generations g on g.owner_id = c.owner_id and g.state in ('ready', 'building')"
    f" where {OF_OWNER.replace('owner_id', 'c.owner_id')}"
    " and not exists (select from chunk_vectors v where v.chunk_id = c.id and v.generation_id = g.id)",
    "vector that the index does not have": "select v.chunk_id from chunk_vectors v"
    " join index_generations g on g.id = v.generation_id and g.state in ('ready', 'building')"
    f" where {OF_OWNER.replace('owner_id', 'v.owner_id')} and not v.indexed",
    "generation still being built": f"select id from index_generations where {OF_OWNER} and state = 'building'",
    "lexeme counted wrongly": "select language, lexeme, frequency, n from (select * from lexemes"
    f" where {OF_OWNER}) x full join (select c.owner_id, c.language, l.lexeme, count(*) as n"
    f" from {LIVE} cross join lateral unnest(c.tsv) l"
    f" where {OF_OWNER.replace('owner_id', 'c.owner_id')} group by 1, 2, 3) y using (owner_id, language, lexeme)"
    " where frequency is distinct from n",
    "corpus counted wrongly": "select owner_id, language, x.chunks, x.total_length, n, total from (select * from corpus_sizes"
    f" where {OF_OWNER}) x full join (select c.owner_id, c.language, count(*) as n, sum(c.length) as total from {LIVE}"
    f" where {OF_OWNER.replace('owner_id', 'c.owner_id')} group by 1, 2) y using (owner_id, language)"
    " where (coalesce(x.chunks, 0), coalesce(total_length, 0)) is distinct from (coalesce(n, 0), coalesce(total, 0))",
    "job that waits or failed": "select task_name, status, attempts, scheduled_at from procrastinate_jobs"
    " where ($1::uuid[] is null or args->>'owner_id' = any($1::text[])) and status in ('todo', 'doing', 'failed', 'aborted')"
    f" and task_name not in {BY_CLOCK}"
    " and not (status = 'todo' and task_name in ('discard_file', 'purge_file') and scheduled_at > now())",
}
NAMED_FILES = (
    "select blob_key, true as needed from documents"
    " where not file_lost and not (status = 'failed' and error_code = 'blob_not_found')"
    " union select blob_key, false from documents"
    " union select args->>'blob_key', false from procrastinate_jobs where task_name = 'discard_file' and status = 'todo'"
)
VECTORS = (
    "select g.collection, g.owner_id, coalesce(array_agg(v.chunk_id) filter (where v.vector is not null), '{}') as ids"
    "  from index_generations g left join chunk_vectors v on v.generation_id = g.id"
    f" where {OF_OWNER.replace('owner_id', 'g.owner_id')} group by 1, 2"
)
CHUNKS = (
    "select c.ordinal, c.start_offset, c.end_offset, c.text, c.page, c.heading, c.tsv::text, c.length from chunks c"
    "  join documents d on d.id = c.document_id and d.live_version = c.version where c.document_id = $1 order by c.ordinal"
)
TEXTS = (
    "select t.text, c.starts, c.ends, c.texts from document_texts t cross join lateral"
    " (select array_agg(start_offset order by id) as starts, array_agg(end_offset order by id) as ends,"
    " array_agg(text order by id) as texts from chunks c where c.document_id = t.document_id and c.version = t.version) c"
    f" where {OF_OWNER} and c.starts is not null"
)
LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class Place:
    """Where a product keeps what it has."""

    database_url: str
    chroma_url: str
    files: Path

    async def rows(self, sql: str, *arguments: object) -> list[Any]:
        """Run a statement with the view of the system."""
        connection = await asyncpg.connect(plain_url(self.database_url))
        try:
            await connection.execute("select set_config('docent.mode', 'system', false)")
            return list(await connection.fetch(sql, *arguments))
        finally:
            await connection.close()

    async def hurry(self) -> None:
        """Let jobs begin that were to begin later."""
        await self.rows("update procrastinate_jobs set scheduled_at = now() where status = 'todo' and scheduled_at > now()")

    def stored(self) -> set[str]:
        """Return the keys of all stored files."""
        return {str(path.relative_to(self.files)) for path in (self.files / "blobs").rglob("*") if path.is_file()}

    async def chunks(self, document_id: UUID | str) -> list[tuple[Any, ...]]:
        """Return what is searched of a document, without the ids, which differ from document to document."""
        return [tuple(row) for row in await self.rows(CHUNKS, document_id)]


async def unsound(place: Place, owners: Sequence[UUID] | None = None, *, orphans: Collection[str] = ()) -> list[str]:
    """Return a line for everything that is wrong: of these owners, or of all together with the files, but for known ``orphans``."""
    found: list[str] = []
    connection = await asyncpg.connect(plain_url(place.database_url))
    try:
        await connection.execute("select set_config('docent.mode', 'system', false)")
        for name, sql in QUERIES.items():
            rows = await connection.fetch(sql, owners)
            found += [f"{name}: {dict(row)}" for row in rows[:3]]
        async with connection.transaction():
            found += [wrong async for row in connection.cursor(TEXTS, owners, prefetch=1) for wrong in _misplaced(row)]
        if owners is None:
            found += _files(place.stored(), await connection.fetch(NAMED_FILES), orphans)
        vectors = await connection.fetch(VECTORS, owners)
        everybody = owners or [row["id"] for row in await connection.fetch("select id from users")]
    finally:
        await connection.close()
    return found or await _collections(place.chroma_url, vectors, everybody)


async def sound_within(
    place: Place, seconds: float, owners: Sequence[UUID] | None = None, *, orphans: Collection[str] = ()
) -> float:
    """Wait until nothing is wrong, and return how long that took. What cannot be asked yet is waited for."""
    begun = monotonic()
    while True:
        try:
            found = await unsound(place, owners, orphans=orphans)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, httpx2.HTTPError) as error:
            found = [f"no answer: {error!r}"]
        took = monotonic() - begun
        if not found:
            return took
        assert took < seconds, f"after {took:.1f} s: {found}"
        await asyncio.sleep(0.1)


def _misplaced(row: Any) -> list[str]:
    """Compare here: PostgreSQL would unpack a long text anew for each of its chunks."""
    chunks = zip(row["starts"], row["ends"], row["texts"], strict=True)
    return [f"chunk that is not its text: [{start}:{end}]" for start, end, text in chunks if row["text"][start:end] != text][:3]


def _files(there: set[str], named: Sequence[Any], orphans: Collection[str]) -> list[str]:
    known = {row["blob_key"] for row in named}
    needed = {row["blob_key"] for row in named if row["needed"]}
    return [f"file of nobody: {key}" for key in there - known - set(orphans)] + [f"file missing: {key}" for key in needed - there]


async def _collections(chroma_url: str, vectors: Sequence[Any], owners: Sequence[UUID]) -> list[str]:
    base = f"{chroma_url}/api/v2/tenants/default_tenant/databases/default_database/collections"
    expected = {row["collection"]: {str(chunk_id) for chunk_id in row["ids"]} for row in vectors}
    mine = {f"docent-{owner.hex}-" for owner in owners}
    found: list[str] = []
    async with httpx2.AsyncClient(timeout=20, verify=NO_TLS) as client:
        there = {one["name"]: one["id"] for one in (await client.get(base, params={"limit": 10_000})).raise_for_status().json()}
        for name in expected.keys() | {name for name in there if name[:40] in mine}:
            ids: set[str] = set()
            if name in there:
                answer = await client.post(f"{base}/{there[name]}/get", json={"include": []})
                ids = set(answer.raise_for_status().json()["ids"])
                # The ids come from its table; the vectors themselves are in the files of the graph.
                some = sorted(ids)[:: max(1, len(ids) // LOOKED_AT)]
                answer = await client.post(f"{base}/{there[name]}/get", json={"ids": some, "include": ["embeddings"]})
                if some and sum(map(bool, answer.raise_for_status().json()["embeddings"])) != len(some):
                    found.append(f"collection {name}: vectors without numbers")
            if name not in expected:
                found.append(f"collection of nobody: {name} with {len(ids)} vectors")
            elif ids != expected[name]:
                extra, missing = len(ids - expected[name]), len(expected[name] - ids)
                found.append(f"collection {name}: {missing} vectors missing, {extra} too many")
    return found
