"""Taking vectors out of the index whose chunks are gone."""

from collections.abc import Sequence
from uuid import UUID

import structlog

from backend.core.errors import UnavailableError, VectorIndexBrokenError
from backend.ports.vector_index import VectorIndex

log = structlog.get_logger(__name__)


async def forget(index: VectorIndex, collections: Sequence[str], ids: Sequence[UUID]) -> None:
    """Remove vectors from collections. Where the index is away or broken they stay behind, and the log says so."""
    for collection in collections if ids else ():
        try:
            await index.delete(collection, ids)
        except (UnavailableError, VectorIndexBrokenError) as error:
            # No text belongs to these vectors any more, so they cannot be found; a rebuild of the index drops them.
            log.warning("vectors_left_behind", code=error.code, vectors=len(ids))
