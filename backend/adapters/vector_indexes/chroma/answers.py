"""Reading what Chroma answers."""

import math
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from backend.core.errors import VectorIndexBrokenError
from backend.ports.embedder import Vector
from backend.ports.vector_index import Neighbour

if TYPE_CHECKING:
    from chromadb.api.types import GetResult, QueryResult


def neighbours(answer: "QueryResult") -> list[Neighbour]:
    """Return the rows of an answer.

    Raises:
        VectorIndexBrokenError: It is nonsense.
    """
    ids, distances = answer["ids"][0], (answer["distances"] or [[]])[0]
    # JSON has no NaN: it arrives as null.
    if len(ids) != len(distances) or not all(
        isinstance(distance, int | float) and math.isfinite(distance) for distance in distances
    ):
        raise VectorIndexBrokenError
    try:
        # Rounding may put a distance a hair outside of 0 to 2.
        return [
            Neighbour(UUID(chunk_id), max(-1.0, min(1.0, 1.0 - distance)))
            for chunk_id, distance in zip(ids, distances, strict=True)
        ]
    except ValueError as error:
        raise VectorIndexBrokenError from error


def identity(name: str) -> UUID | str:
    """Return the chunk's id that a row of Chroma is stored under, or the name itself where no id of ours is written like that."""
    try:
        chunk_id = UUID(name)
    except ValueError:
        return name
    # UUID() reads many ways of writing, and a row is found under the one that we store only.
    return chunk_id if str(chunk_id) == name else name


def vectors(answer: "GetResult") -> dict[UUID, Vector]:
    """Return the vectors of an answer by their ids.

    Raises:
        VectorIndexBrokenError: It is nonsense.
    """
    ids, rows = answer["ids"], answer["embeddings"]
    try:
        if rows is None or len(rows) != len(ids):
            raise VectorIndexBrokenError
        return {UUID(name): np.asarray(row, dtype=np.float32) for name, row in zip(ids, rows, strict=True)}
    except (ValueError, TypeError) as error:  # A name that is no id, or a null among the numbers.
        raise VectorIndexBrokenError from error
