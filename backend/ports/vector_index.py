"""The vector index: an approximate nearest-neighbour search that can be rebuilt from PostgreSQL at any time."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from backend.ports.embedder import Vector, Vectors


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A chunk near a question; ``similarity`` is the cosine, -1 to 1."""

    chunk_id: UUID
    similarity: float


class VectorIndex(Protocol):
    """Collections of vectors under chunk ids.

    Every method may raise ``VectorIndexUnavailableError``, and those that name a collection ``VectorIndexBrokenError``: it has
    another space or other dimensions than it should, or answers nonsense.
    """

    async def upsert(self, collection: str, ids: Sequence[UUID], vectors: Vectors) -> None:
        """Store vectors under their ids, replacing what was there. Creates the collection where there is none."""
        ...

    async def query(self, collection: str, vector: Vector, limit: int) -> list[Neighbour]:
        """Return the nearest chunks, best first; an empty list where there is no such collection."""
        ...

    async def delete(self, collection: str, ids: Sequence[UUID]) -> None:
        """Remove vectors; ids and collections that do not exist are ignored."""
        ...

    async def drop(self, collection: str) -> None:
        """Remove a collection; one that does not exist is ignored."""
        ...

    async def count(self, collection: str) -> int:
        """Return how many vectors a collection holds, 0 where there is none."""
        ...

    async def collections(self) -> list[str]:
        """Return the names of all collections that the index holds, whoever made them."""
        ...

    async def strays(self) -> list[str]:
        """Return the names of collections that are held where nobody looks for them, as on a server that they have moved away from.

        The same name may be a collection in use elsewhere.
        """
        ...

    async def drop_strays(self, collection: str) -> None:
        """Remove the copies of a collection that are held where nobody looks for them, and not the one that is in use."""
        ...

    def ids(self, collection: str) -> AsyncIterator[list[UUID | str]]:
        """Yield every id of a collection, a page of bounded size at a time; nothing where there is no such collection.

        What is stored under a name that is no chunk's id comes as that name, a ``str``. An id that is there from the first page to
        the last is yielded, unless others are deleted meanwhile: a row that seems to be missing is asked for with ``fetch``.
        """
        ...

    async def fetch(self, collection: str, ids: Sequence[UUID]) -> dict[UUID, Vector]:
        """Return the vectors that are stored under these ids; an id that is not there is left out.

        The index may have scaled a vector to length 1 again: its last digit can differ from what was given.
        """
        ...

    async def check(self) -> None:
        """Return if the index answers."""
        ...

    async def aclose(self) -> None:
        """Close connections; afterwards the object is not used again."""
        ...
