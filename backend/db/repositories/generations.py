"""Generations of vector indexes."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from backend.db.repositories.rows import Repository, columns, read
from backend.models import IndexGenerationRow


@dataclass(frozen=True, slots=True)
class Generation:
    """The vectors of one owner by one embedder, and the collection that indexes them."""

    id: UUID
    embedder: str
    dimensions: int
    collection: str
    state: str


class GenerationRepository(Repository):
    """Reads and writes ``index_generations``."""

    async def get(self, owner_id: UUID, embedder: str) -> Generation | None:
        """Return the owner's generation of this embedder."""
        statement = select(*columns(IndexGenerationRow, Generation)).where(
            IndexGenerationRow.owner_id == owner_id, IndexGenerationRow.embedder == embedder
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else read(Generation, row)

    async def ensure(self, owner_id: UUID, embedder: str, *, generation_id: UUID, dimensions: int, collection: str) -> Generation:
        """Return the owner's generation of this embedder, making it with these values where there is none."""
        statement = insert(IndexGenerationRow).values(
            id=generation_id, owner_id=owner_id, embedder=embedder, dimensions=dimensions, collection=collection, state="ready"
        )
        await self._connection.execute(statement.on_conflict_do_nothing(index_elements=["owner_id", "embedder"]))
        generation = await self.get(owner_id, embedder)
        assert generation is not None  # noqa: S101 - it was inserted above, or had been before
        return generation

    async def of_owner(self, owner_id: UUID) -> list[Generation]:
        """Return all generations of an owner."""
        statement = select(*columns(IndexGenerationRow, Generation)).where(IndexGenerationRow.owner_id == owner_id)
        return [read(Generation, row) for row in await self._connection.execute(statement)]

    async def exist(self) -> bool:
        """Return whether anybody's documents were indexed. Needs the system's view."""
        return (await self._connection.execute(select(IndexGenerationRow.id).limit(1))).first() is not None
