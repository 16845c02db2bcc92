"""Vectors as they are stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class PackedVectors:
    """Vectors one after the other, each of as many bytes, and the ids of their chunks in the same order, 16 bytes each.

    Thousands of rows are made into objects for a handful that is wanted: these are looked at where they are.
    """

    ids: bytes = b""
    vectors: bytes = b""

    def __len__(self) -> int:
        return len(self.ids) // _ID_BYTES

    def __iter__(self) -> Iterator[tuple[UUID, bytes]]:
        """Yield each id with its vector."""
        size = len(self.vectors) // max(len(self), 1)
        for row in range(len(self)):
            yield self.id_at(row), self.vectors[row * size : (row + 1) * size]

    def id_at(self, row: int) -> UUID:
        """Return the id of the chunk whose vector is the ``row``-th, counted from 0."""
        return UUID(bytes=self.ids[row * _ID_BYTES : (row + 1) * _ID_BYTES])
