"""Generations of vector indexes."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from backend.db.repositories.rows import Repository, columns, read
from backend.models import ChunkVectorRow, IndexGenerationRow

FEWEST_REMOVED = 64
"""A collection that lost fewer vectors to deletions is not worth rebuilding."""

MISSING = text(
    "select count(*) from index_generations g join documents d on d.owner_id = g.owner_id and d.deleted_at is null"
    "  join chunks c on c.document_id = d.id and c.version = d.live_version"
    " where g.state in ('building', 'ready')"
    "   and not exists (select from chunk_vectors v where v.chunk_id = c.id and v.generation_id = g.id)"
)


@dataclass(frozen=True, slots=True)
class Generation:
    """The vectors of one owner by one embedder, and the collection that indexes them.

    ``removed`` counts the vectors that were deleted from the collection since it was made.
    """

    id: UUID
    owner_id: UUID
    embedder: str
    dimensions: int
    collection: str
    state: str
    removed: int


# Every question asks this: it is put together once.
READY = select(*columns(IndexGenerationRow, Generation)).where(
    IndexGenerationRow.owner_id == bindparam("owner_id"), IndexGenerationRow.state == "ready"
)


class GenerationRepository(Repository):
    """Reads and writes ``index_generations``. An owner has at most one that is ready: the one that answers."""

    async def get(self, owner_id: UUID, generation_id: UUID) -> Generation | None:
        """Return one generation."""
        return await self._one(IndexGenerationRow.owner_id == owner_id, IndexGenerationRow.id == generation_id)

    async def ready(self, owner_id: UUID) -> Generation | None:
        """Return the generation that answers, or ``None`` while the owner has none."""
        row = (await self._connection.execute(READY, {"owner_id": owner_id})).one_or_none()
        return None if row is None else read(Generation, row)

    async def hold(self, owner_id: UUID, generation_id: UUID) -> bool:
        """Keep a generation the one that answers until the transaction ends; return whether it is that."""
        statement = select(IndexGenerationRow.id).where(
            IndexGenerationRow.owner_id == owner_id, IndexGenerationRow.id == generation_id, IndexGenerationRow.state == "ready"
        )
        return (await self._connection.execute(statement.with_for_update(read=True))).first() is not None

    async def ensure(
        self, owner_id: UUID, embedder: str, *, generation_id: UUID, dimensions: int, collection: str, building: bool = False
    ) -> Generation:
        """Return the owner's generation of this embedder, making it with these values where there is none.

        With ``building`` one that was retired is built again.
        """
        state = "building" if building else "ready"
        statement = insert(IndexGenerationRow).values(
            id=generation_id, owner_id=owner_id, embedder=embedder, dimensions=dimensions, collection=collection, state=state
        )
        await self._connection.execute(statement.on_conflict_do_nothing())
        if building:
            await self._connection.execute(
                update(IndexGenerationRow)
                .where(
                    IndexGenerationRow.owner_id == owner_id,
                    IndexGenerationRow.embedder == embedder,
                    IndexGenerationRow.state == "retired",
                )
                .values(state="building")
            )
        mine = (IndexGenerationRow.owner_id == owner_id, IndexGenerationRow.embedder == embedder)
        # Two documents of a new owner meet here, with two embedders where the choice has just changed: the first one decided.
        generation = await self._one(*mine) or await self.ready(owner_id)
        assert generation is not None  # noqa: S101 - it was inserted above, or had been before
        return generation

    async def switch(self, owner_id: UUID, generation_id: UUID) -> None:
        """Let a generation answer from now on, and retire the one before it; one that does not exist changes nothing."""
        if await self.get(owner_id, generation_id) is None:
            return
        mine = update(IndexGenerationRow).where(IndexGenerationRow.owner_id == owner_id)
        await self._connection.execute(mine.where(IndexGenerationRow.state == "ready").values(state="retired"))
        await self._connection.execute(mine.where(IndexGenerationRow.id == generation_id).values(state="ready"))

    async def lock(self, owner_id: UUID) -> None:
        """Hold all generations of an owner until the transaction ends: no document becomes live meanwhile."""
        statement = select(IndexGenerationRow.id).where(IndexGenerationRow.owner_id == owner_id)
        await self._connection.execute(statement.order_by(IndexGenerationRow.id).with_for_update())

    async def move(self, owner_id: UUID, generation_id: UUID, collection: str) -> None:
        """Let a generation be indexed by another collection, which nothing was removed from yet."""
        await self._connection.execute(
            update(IndexGenerationRow)
            .where(IndexGenerationRow.owner_id == owner_id, IndexGenerationRow.id == generation_id)
            .values(collection=collection, removed=0)
        )

    async def retire(self, owner_id: UUID, generation_id: UUID) -> None:
        """Stop a generation from being built: it is kept as it is."""
        await self._connection.execute(
            update(IndexGenerationRow)
            .where(
                IndexGenerationRow.owner_id == owner_id,
                IndexGenerationRow.id == generation_id,
                IndexGenerationRow.state == "building",
            )
            .values(state="retired")
        )

    async def count_removed(self, owner_id: UUID, generation_id: UUID, vectors: int) -> None:
        """Note that vectors were deleted from a generation's collection."""
        await self._connection.execute(
            update(IndexGenerationRow)
            .where(IndexGenerationRow.owner_id == owner_id, IndexGenerationRow.id == generation_id)
            .values(removed=IndexGenerationRow.removed + vectors)
        )

    async def remove(self, owner_id: UUID, generation_id: UUID) -> None:
        """Remove a generation with its vectors."""
        await self._connection.execute(
            delete(IndexGenerationRow).where(IndexGenerationRow.owner_id == owner_id, IndexGenerationRow.id == generation_id)
        )

    async def of_owner(self, owner_id: UUID, *, hold: bool = False) -> list[Generation]:
        """Return all generations of an owner; with ``hold`` none of them moves to another collection until the transaction ends."""
        statement = (
            select(*columns(IndexGenerationRow, Generation))
            .where(IndexGenerationRow.owner_id == owner_id)
            .order_by(IndexGenerationRow.id)
        )
        rows = await self._connection.execute(statement.with_for_update(read=True) if hold else statement)
        return [read(Generation, row) for row in rows]

    async def all(self, *, state: str | None = None) -> list[Generation]:
        """Return everybody's generations, or those in one state. Needs the system's view."""
        statement = select(*columns(IndexGenerationRow, Generation)).order_by(IndexGenerationRow.owner_id, IndexGenerationRow.id)
        if state is not None:
            statement = statement.where(IndexGenerationRow.state == state)
        return [read(Generation, row) for row in await self._connection.execute(statement)]

    async def worn(self) -> list[Generation]:
        """Return generations whose collections lost over a fifth of what they held to deletions. Needs the system's view."""
        held = (
            select(func.count())
            .where(ChunkVectorRow.generation_id == IndexGenerationRow.id, ChunkVectorRow.vector.is_not(None))
            .scalar_subquery()
        )
        statement = select(*columns(IndexGenerationRow, Generation)).where(
            IndexGenerationRow.removed >= FEWEST_REMOVED,
            IndexGenerationRow.state.in_(("building", "ready")),
            IndexGenerationRow.removed * 4 > held,
        )
        return [read(Generation, row) for row in await self._connection.execute(statement)]

    async def missing_chunks(self) -> int:
        """Return how many live chunks the generations that answer or are being built lack. Needs the system's view."""
        return int((await self._connection.execute(MISSING)).scalar_one())

    async def indexed_by(self, collection: str) -> bool:
        """Return whether a generation is indexed by this collection. Needs the system's view."""
        statement = select(IndexGenerationRow.id).where(IndexGenerationRow.collection == collection)
        return (await self._connection.execute(statement)).first() is not None

    async def exist(self) -> bool:
        """Return whether anybody's documents were indexed. Needs the system's view."""
        return (await self._connection.execute(select(IndexGenerationRow.id).limit(1))).first() is not None

    async def _one(self, *conditions: ColumnElement[bool]) -> Generation | None:
        statement = select(*columns(IndexGenerationRow, Generation)).where(*conditions)
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else read(Generation, row)
