"""Vectors, the truth that Chroma is an index of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnClause, Uuid, any_, bindparam, func, literal_column, select, text, update

from backend.core.values.packed import PackedVectors
from backend.db.repositories.chunks import is_wanted
from backend.db.repositories.rows import Repository, columns, read
from backend.models import ChunkRow, ChunkVectorRow, DocumentRow, IndexGenerationRow

STORE = text(
    "insert into chunk_vectors (chunk_id, generation_id, owner_id, vector, indexed)"
    " select u.id, :generation_id, :owner_id, u.vector, u.vector is null"
    "   from unnest(cast(:ids as uuid[]), cast(:vectors as bytea[])) as u (id, vector)"
    "   join chunks c on c.id = u.id and c.owner_id = :owner_id for key share of c"  # One may have been deleted meanwhile.
    " on conflict (chunk_id, generation_id) do nothing"
)

# Only what changes is written: a generation may have hundreds of thousands of rows.
INDEX_ONLY = text(
    # PostgreSQL hashes the array whatever its statistics say; a join with it was planned as a loop within a loop, 28 s for 10,000.
    "update chunk_vectors set indexed = not indexed"
    " where owner_id = :owner_id and generation_id = :generation_id and vector is not null"
    "   and indexed <> (chunk_id = any(cast(:ids as uuid[])))"
)
UNINDEXED = text(
    "select distinct c.owner_id, c.document_id from chunk_vectors v join chunks c on c.id = v.chunk_id"
    "  join documents d on d.id = c.document_id"
    "  join index_generations g on g.id = v.generation_id and g.state in ('building', 'ready')"
    " where not v.indexed and v.vector is not null and d.live_version = c.version and d.deleted_at is null"
    "   and not exists (select from procrastinate_jobs j where j.status in ('todo', 'doing')"
    "     and j.task_name = 'confirm_vectors' and j.args->>'document_id' = d.id::text)"
    "   and not exists (select from procrastinate_jobs j where j.status in ('todo', 'doing')"
    "     and j.task_name = 'rebuild_collection' and j.args->>'generation_id' = g.id::text)"
    " limit 1000"
)

# Questions ask these: they are put together once.
_NOTHING_BETWEEN: ColumnClause[Any] = literal_column("''::bytea")
SEARCHABLE = (
    select(
        func.string_agg(func.uuid_send(ChunkVectorRow.chunk_id), _NOTHING_BETWEEN),
        func.string_agg(ChunkVectorRow.vector, _NOTHING_BETWEEN),
    )
    .join(ChunkRow, ChunkRow.id == ChunkVectorRow.chunk_id)
    .join(DocumentRow, DocumentRow.id == ChunkRow.document_id)
    .where(
        ChunkVectorRow.owner_id == bindparam("owner_id"),
        ChunkVectorRow.generation_id == bindparam("generation_id"),
        ChunkRow.owner_id == bindparam("owner_id"),
        DocumentRow.owner_id == bindparam("owner_id"),
        DocumentRow.live_version == ChunkRow.version,
        ChunkVectorRow.vector.is_not(None),
        DocumentRow.deleted_at.is_(None),
    )
)
UNCONFIRMED = SEARCHABLE.where(ChunkVectorRow.indexed.is_(False))
_WITHIN = ChunkRow.document_id == any_(bindparam("within", type_=ARRAY(Uuid)))


@dataclass(frozen=True, slots=True)
class Unembedded:
    """A chunk that a generation has not embedded yet, with what is embedded of it."""

    id: UUID
    document_id: UUID
    heading: str | None
    text: str


class VectorRepository(Repository):
    """Reads and writes ``chunk_vectors``. Vectors are little-endian float16 bytes, or NULL where the embedder refused a text."""

    async def store(self, owner_id: UUID, generation_id: UUID, ids: Sequence[UUID], vectors: Sequence[bytes | None]) -> None:
        """Insert the vectors of chunks, ``None`` for a text that the embedder refused; those that are there already stay."""
        await self._connection.execute(
            STORE, {"owner_id": owner_id, "generation_id": generation_id, "ids": list(ids), "vectors": list(vectors)}
        )

    async def confirm(self, owner_id: UUID, generation_id: UUID, ids: Sequence[UUID], *, collection: str) -> bool:
        """Note that the index has these vectors; nothing is noted if the generation moved to another collection, or is gone.

        Returns whether it is still indexed by this collection.
        """
        here = select(IndexGenerationRow.id).where(
            IndexGenerationRow.owner_id == owner_id,
            IndexGenerationRow.id == generation_id,
            IndexGenerationRow.collection == collection,
        )
        if (await self._connection.execute(here.with_for_update(read=True))).first() is None:
            return False
        statement = (
            update(ChunkVectorRow)
            .where(
                ChunkVectorRow.owner_id == owner_id, ChunkVectorRow.generation_id == generation_id, ChunkVectorRow.chunk_id.in_(ids)
            )
            .values(indexed=True)
        )
        await self._connection.execute(statement)
        return True

    async def withdraw(self, owner_id: UUID, ids: Sequence[UUID]) -> None:
        """Note that the vectors of these chunks are about to be removed from the index, of every generation."""
        statement = update(ChunkVectorRow).where(
            ChunkVectorRow.owner_id == owner_id, ChunkVectorRow.chunk_id.in_(ids), ChunkVectorRow.vector.is_not(None)
        )
        await self._connection.execute(statement.where(ChunkVectorRow.indexed).values(indexed=False))

    async def unconfirm(self, owner_id: UUID, generation_id: UUID) -> None:
        """Note that the vector index has lost a generation; ``unindexed_documents`` names its documents from then on."""
        statement = update(ChunkVectorRow).where(
            ChunkVectorRow.owner_id == owner_id,
            ChunkVectorRow.generation_id == generation_id,
            ChunkVectorRow.indexed,
            ChunkVectorRow.vector.is_not(None),
        )
        await self._connection.execute(statement.values(indexed=False))

    async def searchable(
        self, owner_id: UUID, generation_id: UUID, *, within: Sequence[UUID] | None = None, unindexed_only: bool = False
    ) -> PackedVectors:
        """Return chunk ids and vectors of the owner's ready documents: all, of some documents, or those not confirmed yet."""
        statement = UNCONFIRMED if unindexed_only else SEARCHABLE
        parameters: dict[str, object] = {"owner_id": owner_id, "generation_id": generation_id}
        if within is not None:
            statement, parameters["within"] = statement.where(_WITHIN), list(within)
        ids, vectors = (await self._connection.execute(statement, parameters)).one()
        return PackedVectors(ids or b"", vectors or b"")

    async def embedded(self, owner_id: UUID, generation_id: UUID, document_id: UUID) -> dict[UUID, bool]:
        """Return the chunks of a document that were embedded, and whether they got a vector: the embedder may have refused one."""
        statement = (
            select(ChunkVectorRow.chunk_id, ChunkVectorRow.vector.is_not(None).label("has_vector"))
            .join(ChunkRow, ChunkRow.id == ChunkVectorRow.chunk_id)
            .where(
                ChunkVectorRow.owner_id == owner_id,
                ChunkVectorRow.generation_id == generation_id,
                ChunkRow.owner_id == owner_id,
                ChunkRow.document_id == document_id,
            )
        )
        return {row.chunk_id: row.has_vector for row in await self._connection.execute(statement)}

    async def missing(self, owner_id: UUID, generation_id: UUID, *, limit: int) -> list[Unembedded]:
        """Return live chunks that this generation has not embedded yet, in order."""
        embedded = select(ChunkVectorRow.chunk_id).where(
            ChunkVectorRow.owner_id == owner_id,
            ChunkVectorRow.generation_id == generation_id,
            ChunkVectorRow.chunk_id == ChunkRow.id,
        )
        statement = (
            select(*columns(ChunkRow, Unembedded))
            .join(DocumentRow, DocumentRow.id == ChunkRow.document_id)
            .where(
                ChunkRow.owner_id == owner_id,
                DocumentRow.owner_id == owner_id,
                DocumentRow.live_version == ChunkRow.version,
                DocumentRow.deleted_at.is_(None),
                ~embedded.exists(),
            )
            .order_by(ChunkRow.document_id, ChunkRow.ordinal)
            .limit(limit)
        )
        return [read(Unembedded, row) for row in await self._connection.execute(statement)]

    async def batch(self, owner_id: UUID, generation_id: UUID, *, after: UUID | None, limit: int) -> tuple[list[UUID], list[bytes]]:
        """Return chunk ids and vectors of a generation, in the order of the ids, from the one after ``after``."""
        statement = (
            select(ChunkVectorRow.chunk_id, ChunkVectorRow.vector)
            .where(
                ChunkVectorRow.owner_id == owner_id,
                ChunkVectorRow.generation_id == generation_id,
                ChunkVectorRow.vector.is_not(None),
            )
            .order_by(ChunkVectorRow.chunk_id)
            .limit(limit)
        )
        if after is not None:
            statement = statement.where(ChunkVectorRow.chunk_id > after)
        rows = (await self._connection.execute(statement)).all()
        return [row.chunk_id for row in rows], [row.vector for row in rows]

    async def index_only(self, owner_id: UUID, generation_id: UUID, *, chunk_ids: Sequence[UUID]) -> list[UUID]:
        """Note that the vector index has these vectors of a generation and no other; return those that still exist."""
        parameters = {"owner_id": owner_id, "generation_id": generation_id, "ids": list(chunk_ids)}
        await self._connection.execute(INDEX_ONLY, parameters)
        present = select(ChunkVectorRow.chunk_id).where(
            ChunkVectorRow.owner_id == owner_id, ChunkVectorRow.generation_id == generation_id, ChunkVectorRow.indexed
        )
        return list((await self._connection.execute(present.where(ChunkVectorRow.vector.is_not(None)))).scalars())

    async def indexed_count(self, owner_id: UUID, generation_id: UUID) -> int:
        """Return how many vectors of a generation the index should have at least: nobody is removing these from it."""
        statement = (
            select(func.count())
            .select_from(ChunkVectorRow)
            .join(ChunkRow, ChunkRow.id == ChunkVectorRow.chunk_id)
            .join(DocumentRow, DocumentRow.id == ChunkRow.document_id)
            .where(
                ChunkVectorRow.owner_id == owner_id,
                ChunkVectorRow.generation_id == generation_id,
                ChunkVectorRow.indexed,
                ChunkVectorRow.vector.is_not(None),
                ChunkRow.owner_id == owner_id,
                *is_wanted(owner_id),
            )
        )
        return int((await self._connection.execute(statement)).scalar_one())

    async def of_document(
        self, owner_id: UUID, generation_id: UUID, document_id: UUID, *, unindexed_only: bool
    ) -> tuple[list[UUID], list[bytes]]:
        """Return chunk ids and vectors of one document, whatever its status."""
        statement = (
            select(ChunkVectorRow.chunk_id, ChunkVectorRow.vector)
            .join(ChunkRow, ChunkRow.id == ChunkVectorRow.chunk_id)
            .where(
                ChunkVectorRow.owner_id == owner_id,
                ChunkVectorRow.generation_id == generation_id,
                ChunkVectorRow.vector.is_not(None),
                ChunkRow.owner_id == owner_id,
                ChunkRow.document_id == document_id,
            )
        )
        if unindexed_only:
            statement = statement.where(ChunkVectorRow.indexed.is_(False))
        rows = (await self._connection.execute(statement)).all()
        return [row.chunk_id for row in rows], [row.vector for row in rows]

    async def unindexed_documents(self) -> list[tuple[UUID, UUID]]:
        """Return (owner, document) of ready documents with vectors that neither the index nor a queued job has.

        Needs the system's view.
        """
        rows = await self._connection.execute(UNINDEXED)
        return [(row.owner_id, row.document_id) for row in rows]
