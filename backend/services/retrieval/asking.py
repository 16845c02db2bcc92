"""Asking the vector index, which may have to load a collection first: bounded, and never waited for in vain twice."""

import asyncio
from collections.abc import Sequence

from backend.ports.embedder import Vector
from backend.ports.vector_index import Neighbour, VectorIndex
from backend.services.retrieval.legs import LateError, deadline

MOST_AT_ONCE = 16
"""Searches that the index has at the same time. A collection that it has ready takes milliseconds; more would pile up."""


class IndexQueries:
    """Asks the index for neighbours, a bounded number of searches at once.

    What nobody waits for any more goes on to its end, within the index's own time limit: a collection that is being loaded is there
    for the next question. ``loading`` are the collections of which that is so.
    """

    def __init__(self, index: VectorIndex, *, most_at_once: int = MOST_AT_ONCE) -> None:
        self._index = index
        self._places = asyncio.Semaphore(most_at_once)
        self._running: dict[asyncio.Task[list[list[Neighbour]]], str] = {}
        self._left: set[asyncio.Task[list[list[Neighbour]]]] = set()

    @property
    def loading(self) -> set[str]:
        """The collections whose answers are late."""
        return {self._running[task] for task in self._left}

    async def nearest(self, collection: str, vectors: Sequence[Vector], depth: int, *, until: float) -> list[list[Neighbour]]:
        """Return what is nearest to each vector. Errors as ``VectorIndex.query``.

        Raises:
            LateError: The moment ``until`` of the loop's clock came first, also where others were still being answered.
        """
        task: asyncio.Task[list[list[Neighbour]]] | None = None
        try:
            async with deadline(until):
                await self._places.acquire()
                task = asyncio.create_task(self._ask(collection, vectors, depth))
                self._running[task] = collection
                task.add_done_callback(self._ended)
                return await asyncio.shield(task)
        except LateError:
            if task in self._running:
                self._left.add(task)
            raise

    async def _ask(self, collection: str, vectors: Sequence[Vector], depth: int) -> list[list[Neighbour]]:
        return list(await asyncio.gather(*(self._index.query(collection, vector, depth) for vector in vectors)))

    def _ended(self, task: asyncio.Task[list[list[Neighbour]]]) -> None:
        self._places.release()
        del self._running[task]
        self._left.discard(task)
        if not task.cancelled():
            task.exception()  # Whoever waits for it is told. Of one that nobody waits for, the next question finds out.
