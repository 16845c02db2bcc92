"""What PostgreSQL has of the vectors in the index and of the files in the blob store, for comparing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from backend.db.repositories.rows import Repository

VECTORS = text(
    "select v.chunk_id, v.vector, v.indexed, d.live_version is not distinct from c.version and d.deleted_at is null as live"
    "  from chunk_vectors v join chunks c on c.owner_id = v.owner_id and c.id = v.chunk_id"
    "  join documents d on d.owner_id = c.owner_id and d.id = c.document_id"
    " where v.owner_id = :owner_id and v.generation_id = :generation_id and v.vector is not null"
    "   and (cast(:after as uuid) is null or v.chunk_id > :after) order by v.chunk_id limit :limit"
)
EXPECTED = text(
    "select count(*) from chunk_vectors v join chunks c on c.owner_id = v.owner_id and c.id = v.chunk_id"
    "  join documents d on d.owner_id = c.owner_id and d.id = c.document_id and d.live_version = c.version"
    " where v.owner_id = :owner_id and v.generation_id = :generation_id and v.vector is not null and v.indexed"
    "   and d.deleted_at is null"
)
VECTORS_OF = text(
    "select chunk_id, vector from chunk_vectors where owner_id = :owner_id and generation_id = :generation_id"
    "   and vector is not null and chunk_id = any(cast(:ids as uuid[]))"
)
FOREIGN = text("select id from chunks where owner_id <> :owner_id and id = any(cast(:ids as uuid[]))")
REMOVE_VECTORS = text(
    "delete from chunk_vectors where owner_id = :owner_id and generation_id = :generation_id"
    "   and chunk_id = any(cast(:ids as uuid[]))"
)
FILES = text(
    "select id, owner_id, blob_key, size, sha256 from documents where deleted_at is null and not file_lost"
    "   and (cast(:owner_id as uuid) is null or owner_id = :owner_id)"
    "   and (cast(:after as uuid) is null or id > :after) order by id limit :limit"
)
NAMED = text(
    "select blob_key from documents where blob_key = any(cast(:keys as text[]))"
    " union select args->>'blob_key' from procrastinate_jobs where task_name = 'discard_file' and status in ('todo', 'doing')"
)
IN_WORK = text(
    "select args->>'collection' from procrastinate_jobs where task_name = 'drop_collection' and status in ('todo', 'doing')"
    " union select case when g.collection like '%-b' then left(g.collection, -2) else g.collection || '-b' end"
    "   from index_generations g join procrastinate_jobs j on j.args->>'generation_id' = g.id::text"
    "  where j.task_name = 'rebuild_collection' and j.status in ('todo', 'doing')"
)
# A job also waits for those of the same lock that were queued before it, even if their time has not come.
QUEUED = text(
    "select count(*) from procrastinate_jobs j where j.status in ('todo', 'doing') and j.id <= :newest"
    "   and (j.scheduled_at is null or j.scheduled_at <= now()) and j.args->>'owner_id' = any(cast(:owners as text[]))"
    "   and not exists (select from procrastinate_jobs o where o.lock = j.lock and o.status = 'todo' and o.scheduled_at > now()"
    "     and (o.priority > j.priority or o.priority = j.priority and o.id < j.id))"
)


@dataclass(frozen=True, slots=True)
class StoredVector:
    """A vector of a generation; ``live`` says that its chunk can be found, ``indexed`` that the index has confirmed it."""

    chunk_id: UUID
    vector: bytes
    indexed: bool
    live: bool


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What a document says of its file."""

    document_id: UUID
    owner_id: UUID
    blob_key: str
    size: int
    sha256: str


class StoredRepository(Repository):
    """Reads pages of vectors and files, and looks up what the index and the blob store have."""

    async def vectors(self, owner_id: UUID, generation_id: UUID, *, after: UUID | None, limit: int) -> list[StoredVector]:
        """Return vectors of a generation in the order of their chunks' ids."""
        of = {"owner_id": owner_id, "generation_id": generation_id}
        return [StoredVector(*row) for row in await self._connection.execute(VECTORS, {**of, "after": after, "limit": limit})]

    async def expected(self, owner_id: UUID, generation_id: UUID) -> int:
        """Return how many vectors the index has to have: of chunks that can be found, for others may be on their way out of it."""
        of = {"owner_id": owner_id, "generation_id": generation_id}
        return int((await self._connection.execute(EXPECTED, of)).scalar_one())

    async def vectors_of(self, owner_id: UUID, generation_id: UUID, ids: Sequence[UUID]) -> dict[UUID, bytes]:
        """Return those of the chunks' vectors that a generation has."""
        of = {"owner_id": owner_id, "generation_id": generation_id, "ids": list(ids)}
        return {row.chunk_id: row.vector for row in await self._connection.execute(VECTORS_OF, of)}

    async def remove_vectors(self, owner_id: UUID, generation_id: UUID, ids: Sequence[UUID]) -> None:
        """Remove vectors, so that their chunks are embedded anew."""
        of = {"owner_id": owner_id, "generation_id": generation_id, "ids": list(ids)}
        await self._connection.execute(REMOVE_VECTORS, of)

    async def foreign(self, owner_id: UUID, ids: Sequence[UUID]) -> set[UUID]:
        """Return those of the chunks that are another owner's. Needs the system's view."""
        return set((await self._connection.execute(FOREIGN, {"owner_id": owner_id, "ids": list(ids)})).scalars())

    async def files(self, owner_id: UUID | None, *, after: UUID | None, limit: int) -> list[StoredFile]:
        """Return files that should be there, in the order of their documents' ids: an owner's, or all, with the system's view."""
        rows = await self._connection.execute(FILES, {"owner_id": owner_id, "after": after, "limit": limit})
        return [StoredFile(*row) for row in rows]

    async def named_files(self, keys: Sequence[str]) -> set[str]:
        """Return those keys that a document names, even a deleted one, or that a job will discard. Needs the system's view."""
        return set((await self._connection.execute(NAMED, {"keys": list(keys)})).scalars()) & set(keys)

    async def collections_in_work(self) -> set[str]:
        """Return the collections that jobs fill or drop. Needs the system's view."""
        return set((await self._connection.execute(IN_WORK)).scalars())

    async def newest_job(self) -> int:
        """Return the number of the newest job."""
        return int((await self._connection.execute(text("select coalesce(max(id), 0) from procrastinate_jobs"))).scalar_one())

    async def queued(self, owner_ids: Sequence[UUID], *, newest: int) -> int:
        """Return how many jobs of these owners, up to that number, run or could."""
        parameters = {"owners": [str(owner_id) for owner_id in owner_ids], "newest": newest}
        return int((await self._connection.execute(QUEUED, parameters)).scalar_one())
