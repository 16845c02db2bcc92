"""Vectors, the truth that Chroma is an index of."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, text, update

from backend.db.repositories.rows import Repository
from backend.models import ChunkRow, ChunkVectorRow, DocumentRow

STORE = text(
    "insert into chunk_vectors (chunk_id, generation_id, owner_id, vector)"
    " select u.id, :generation_id, :owner_id, u.vector"
    "   from unnest(cast(:ids as uuid[]), cast(:vectors as bytea[])) as u (id, vector)"
    " on conflict (chunk_id, generation_id) do nothing"
)

UNINDEXED = text(
    "select distinct c.owner_id, c.document_id from chunk_vectors v join chunks c on c.id = v.chunk_id"
    "  join documents d on d.id = c.document_id"
    " where not v.indexed and d.status = 'ready' and d.deleted_at is null"
    "   and not exists (select from procrastinate_jobs j where j.status in ('todo', 'doing')"
    "     and j.task_name = 'confirm_vectors' and j.args->>'document_id' = d.id::text)"
    " limit 1000"
)


class VectorRepository(Repository):
    """Reads and writes ``chunk_vectors``. Vectors are little-endian float16 bytes."""

    async def store(self, owner_id: UUID, generation_id: UUID, ids: Sequence[UUID], vectors: Sequence[bytes]) -> None:
        """Insert the vectors of chunks; those that are there already stay."""
        await self._connection.execute(
            STORE, {"owner_id": owner_id, "generation_id": generation_id, "ids": list(ids), "vectors": list(vectors)}
        )

    async def confirm(self, owner_id: UUID, generation_id: UUID, ids: Sequence[UUID]) -> None:
        """Note that the vector index has these vectors."""
        statement = (
            update(ChunkVectorRow)
            .where(
                ChunkVectorRow.owner_id == owner_id, ChunkVectorRow.generation_id == generation_id, ChunkVectorRow.chunk_id.in_(ids)
            )
            .values(indexed=True)
        )
        await self._connection.execute(statement)

    async def unconfirm(self, owner_id: UUID, generation_id: UUID) -> None:
        """Note that the vector index has lost a generation; ``unindexed_documents`` names its documents from then on."""
        statement = update(ChunkVectorRow).where(
            ChunkVectorRow.owner_id == owner_id, ChunkVectorRow.generation_id == generation_id, ChunkVectorRow.indexed
        )
        await self._connection.execute(statement.values(indexed=False))

    async def searchable(
        self, owner_id: UUID, generation_id: UUID, *, within: Sequence[UUID] | None = None, unindexed_only: bool = False
    ) -> tuple[list[UUID], list[bytes]]:
        """Return chunk ids and vectors of the owner's ready documents: all, of some documents, or those not confirmed yet."""
        statement = (
            select(ChunkVectorRow.chunk_id, ChunkVectorRow.vector)
            .join(ChunkRow, ChunkRow.id == ChunkVectorRow.chunk_id)
            .join(DocumentRow, DocumentRow.id == ChunkRow.document_id)
            .where(
                ChunkVectorRow.owner_id == owner_id,
                ChunkVectorRow.generation_id == generation_id,
                ChunkRow.owner_id == owner_id,
                DocumentRow.owner_id == owner_id,
                DocumentRow.status == "ready",
                DocumentRow.deleted_at.is_(None),
            )
        )
        if within is not None:
            statement = statement.where(ChunkRow.document_id.in_(within))
        if unindexed_only:
            statement = statement.where(ChunkVectorRow.indexed.is_(False))
        rows = (await self._connection.execute(statement)).all()
        return [row.chunk_id for row in rows], [row.vector for row in rows]

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
