"""The vector index, compared with the vectors in PostgreSQL."""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Literal
from uuid import UUID

import numpy as np

from backend.core.errors import VectorIndexBrokenError
from backend.core.values.defect import MOST_NAMED, Compared, Defect, DefectKind
from backend.db.repositories.generations import Generation
from backend.db.repositories.stored import StoredVector
from backend.db.uow import UnitOfWork
from backend.ports.embedder import Vector
from backend.ports.vector_index import VectorIndex
from backend.rag.similarity import from_bytes

READ_AT_ONCE = 512
SAME = 0.99
"""The cosine from which two vectors are one: they are stored with half the digits, and the index scales them."""

NAME = re.compile(r"docent-([0-9a-f]{32})-[0-9a-f]{12}(?:-b)?")
"""What ``collection_name`` and ``other_collection`` make."""

Condition = Literal["sound", "empty", "missing", "broken"]


class VectorExaminer:
    """Looks at collections, in both directions, page by page."""

    def __init__(self, uow: UnitOfWork, index: VectorIndex, *, sole: bool) -> None:
        self._uow = uow
        self._index = index
        self._sole = sole

    async def look(self, owner_id: UUID, compared: Compared) -> AsyncIterator[Defect]:
        """Yield what is wrong with an owner's generations and their collections.

        Raises:
            VectorIndexUnavailableError: The index is away.
        """
        async with self._uow.of(owner_id) as tx:
            generations = await tx.generations.of_owner(owner_id)
        for generation in generations:
            found: dict[DefectKind, set[UUID | str]] = defaultdict(set)
            condition = await self._condition(generation)
            await self._stored(generation, condition, found, compared)
            if condition == "sound":
                condition = await self._listed(generation, found)
            if condition in {"missing", "broken"}:
                found = {kind: ids for kind, ids in found.items() if kind == "vector_damaged"}
                kind: DefectKind = "collection_missing" if condition == "missing" else "collection_broken"
                async with self._uow.of(owner_id) as tx:
                    expected = await tx.stored.expected(owner_id, generation.id)
                yield Defect(kind, owner_id, generation.collection, expected)
            for kind, ids in found.items():
                yield Defect(kind, owner_id, generation.collection, len(ids), frozenset(ids))

    async def orphans(self, owner_id: UUID | None) -> AsyncIterator[Defect]:
        """Yield collections that nothing uses: an owner's, or all. Copies that a move between servers left behind are such, too.

        On a server of somebody else's only those of accounts that exist are ours for sure.
        """
        names, strays = await self._index.collections(), set(await self._index.strays())
        async with self._uow.system() as tx:
            used = {found.collection for found in await tx.generations.all()}
            used |= await tx.stored.collections_in_work()
            owners = {
                name: owner for name in names if (name not in used or name in strays) and (owner := _owner_of(name)) is not None
            }
            known = await tx.consistency.existing(list(owners.values()))
        for name, owner in owners.items():
            if (self._sole or owner in known) and owner_id in {None, owner}:
                yield Defect("collection_orphan", owner if owner in known else None, name)

    async def _condition(self, generation: Generation) -> Condition:
        answers = generation.state in {"ready", "building"}
        async with self._uow.of(generation.owner_id) as tx:
            expected = await tx.stored.expected(generation.owner_id, generation.id) if answers else 0
        try:
            count = await self._index.count(generation.collection)
            if count and answers:
                # A collection of other dimensions, or with another space, counts and lists as if nothing were wrong.
                anything = np.zeros(generation.dimensions, dtype=np.float32)
                anything[0] = 1
                await self._index.query(generation.collection, anything, 1)
        except VectorIndexBrokenError:
            return "broken"
        return "sound" if count else "missing" if expected else "empty"

    async def _stored(
        self, generation: Generation, condition: Condition, found: dict[DefectKind, set[UUID | str]], compared: Compared
    ) -> None:
        after: UUID | None = None
        while True:
            async with self._uow.of(generation.owner_id) as tx:
                page = await tx.stored.vectors(generation.owner_id, generation.id, after=after, limit=READ_AT_ONCE)
            if not page:
                return
            after = page[-1].chunk_id
            compared.vectors += len(page)
            whole = [row for row in page if is_whole(row.vector, generation.dimensions)]
            _note(found, "vector_damaged", {row.chunk_id for row in page} - {row.chunk_id for row in whole})
            if condition == "sound" and generation.state in {"ready", "building"}:
                await self._compare(generation, [row for row in whole if row.live and row.indexed], found)

    async def _compare(
        self, generation: Generation, rows: Sequence[StoredVector], found: dict[DefectKind, set[UUID | str]]
    ) -> None:
        if not rows:
            return
        try:
            fetched = await self._index.fetch(generation.collection, [row.chunk_id for row in rows])
        except VectorIndexBrokenError:
            return  # Listing it will fail, too.
        stored = from_bytes([row.vector for row in rows], generation.dimensions)
        for row, vector in zip(rows, stored, strict=True):
            there = fetched.get(row.chunk_id)
            if there is None:
                _note(found, "vectors_missing", {row.chunk_id})
            elif not _alike(vector, there):
                _note(found, "vectors_wrong", {row.chunk_id})

    async def _listed(self, generation: Generation, found: dict[DefectKind, set[UUID | str]]) -> Condition:
        """Look whether somebody knows what the index lists."""
        owner_id = generation.owner_id
        try:
            async for page in self._index.ids(generation.collection):
                ids = [chunk_id for chunk_id in page if isinstance(chunk_id, UUID)]
                async with self._uow.of(owner_id) as tx:
                    unknown = set(page) - (await tx.stored.vectors_of(owner_id, generation.id, ids)).keys()
                if unknown:
                    async with self._uow.system() as tx:
                        foreign = await tx.stored.foreign(owner_id, [one for one in unknown if isinstance(one, UUID)])
                    _note(found, "vectors_foreign", foreign)
                    _note(found, "vectors_extra", unknown - foreign)
        except VectorIndexBrokenError:
            return "broken"
        return "sound"


def is_whole(vector: bytes, dimensions: int) -> bool:
    """Tell whether the bytes are a vector of so many dimensions, all of them numbers."""
    return len(vector) == 2 * dimensions and bool(np.isfinite(from_bytes([vector], dimensions)).all())


def _alike(stored: Vector, listed: Vector) -> bool:
    lengths = float(np.linalg.norm(stored) * np.linalg.norm(listed)) if stored.shape == listed.shape else 0.0
    return not stored.any() or (lengths > 0 and float(stored @ listed) / lengths >= SAME)


def _note(found: dict[DefectKind, set[UUID | str]], kind: DefectKind, ids: set[UUID] | set[UUID | str]) -> None:
    if ids:
        room = MOST_NAMED - len(found[kind])
        found[kind] |= set(sorted(ids, key=str)[:room])


def _owner_of(collection: str) -> UUID | None:
    """Return whose collection this is by its name; ``None`` if Docent gives no such names."""
    found = NAME.fullmatch(collection)
    return None if found is None else UUID(found[1])
