"""Exact search over stored vectors."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.core.values.packed import PackedVectors
from backend.ports.embedder import Vector, Vectors

_ROWS_AT_ONCE = 8192
_UNSURE = 1e-5
"""More than the last bits of a product of float32, which depend on where in the matrix its row stands."""
_MOST_TIES = 1000
_OTHER_DIMENSIONS = "stored vectors do not have {} dimensions"


def exact_top(query: Vector, matrix: NDArray[np.float16] | Vectors, limit: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows nearest to the query, best first, and their dot products.

    ``matrix`` has the shape (n, d) and the query (d,); vectors of length 1 make the product the cosine. At most ``limit`` rows come
    back; equal scores keep the order of the rows. A float16 matrix is widened a slice at a time, so memory stays bounded.
    """
    scores = np.empty(len(matrix), dtype=np.float32)
    wide_query = query.astype(np.float32, copy=False)
    for start in range(0, len(matrix), _ROWS_AT_ONCE):
        rows = matrix[start : start + _ROWS_AT_ONCE].astype(np.float32, copy=False)
        scores[start : start + _ROWS_AT_ONCE] = rows @ wide_query
    limit = min(max(limit, 0), scores.size)
    if limit == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    # Everything that may reach the limit-th best score is kept before the stable sort, or ties would fall as the partition likes.
    # What is told is summed anew, each row in the same way, or equal passages would be ordered anew whenever their rows have moved.
    last = np.partition(scores, scores.size - limit)[scores.size - limit]
    candidates = np.flatnonzero(scores >= last - _UNSURE)
    candidates = candidates[np.argsort(-scores[candidates], kind="stable")[: limit + _MOST_TIES]]
    told = (matrix[candidates].astype(np.float64) * query.astype(np.float64)).sum(axis=1).astype(np.float32)
    order = np.argsort(-told, kind="stable")[:limit]
    return candidates[order].astype(np.int64, copy=False), told[order]


def to_bytes(vectors: Vectors) -> list[bytes]:
    """Return every row as little-endian float16, two bytes a dimension."""
    packed = np.ascontiguousarray(vectors, dtype="<f2")
    return [row.tobytes() for row in packed]


def from_bytes(blobs: Sequence[bytes], dimensions: int) -> Vectors:
    """Return the rows that ``to_bytes`` packed, as float32 of shape (len(blobs), dimensions).

    Raises:
        ValueError: The bytes are not those of vectors with so many dimensions.
    """
    if any(len(blob) != 2 * dimensions for blob in blobs):
        raise ValueError(_OTHER_DIMENSIONS.format(dimensions))
    return from_packed(PackedVectors(bytes(16 * len(blobs)), b"".join(blobs)), dimensions)


def from_packed(packed: PackedVectors, dimensions: int) -> Vectors:
    """Return the same of vectors that come in one piece.

    Raises:
        ValueError: As ``from_bytes``.
    """
    if len(packed.vectors) != 2 * dimensions * len(packed):
        raise ValueError(_OTHER_DIMENSIONS.format(dimensions))
    return np.frombuffer(packed.vectors, dtype="<f2").reshape(len(packed), dimensions).astype(np.float32)
