"""Batches on their way into the stores: each is stored, and given to the index, while the next ones are embedded."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any
from uuid import UUID

from backend.core.failpoints import reach
from backend.core.values.document import Chunk
from backend.ports.embedder import Embedder
from backend.services.indexing.chunks import embedded_text
from backend.services.indexing.embedding import LosslessEmbedding
from backend.services.indexing.offering import UPSERT_BATCH
from backend.services.indexing.stages import stage

Packed = bytes | None
"""A vector as it is stored; ``None`` where the embedder refused the text."""

Store = Callable[[Sequence[Chunk], Sequence[Packed], int], Awaitable[None]]
"""Stores a batch; the number is how many chunks are stored with it."""

Offer = Callable[[Sequence[UUID], Sequence[Packed]], Coroutine[Any, Any, bool]]
"""Gives vectors to the index; returns whether it took them."""

MOST_WAITING = 512
"""How many stored vectors may wait for the index before everything else waits for it too."""
LAST_SECONDS = 2.0
"""How long an attempt that ends early waits for what it has begun."""


async def embed_all(chunks: Sequence[Chunk], embedder: Embedder, *, store: Store, offer: Offer) -> bool:
    """Embed chunks batch by batch, in order, and equal ones once; return whether the index took all of them.

    At most one batch is being stored at a time, and a bounded number of vectors waits for the index: memory does not grow with the
    document. What was embedded is stored even if the next batch fails, and nothing goes on behind the caller's back.

    Raises:
        EmbedderUnavailableError, EmbeddingRefusedError: See ``LosslessEmbedding``; and what ``store`` and ``offer`` raise.
    """
    embedding, offering = _EmbeddingOnce(embedder, chunks), _Offering(offer)

    async def stored(batch: Sequence[Chunk], vectors: Sequence[Packed], done: int) -> None:
        with stage("storing"):
            await store(batch, vectors, done)
        await reach("index.stored")
        await offering.add([chunk.id for chunk in batch], vectors)

    storing: asyncio.Task[None] | None = None
    begin = 0
    try:
        while begin < len(chunks):
            batch = chunks[begin : begin + embedding.batch_size]
            begin += len(batch)
            vectors = await embedding.vectors(batch)
            await reach("index.embedded")
            if storing is not None:
                await storing
            storing = asyncio.create_task(stored(batch, vectors, begin))
        if storing is not None:
            await storing
        return await offering.rest()
    except BaseException:
        await _settled(storing, offering)
        raise


class _EmbeddingOnce:
    """Embeds what a document says more than once at its first occurrence: headers and footers, licences, empty forms."""

    def __init__(self, embedder: Embedder, chunks: Sequence[Chunk]) -> None:
        self._lossless = LosslessEmbedding(embedder)
        counted = Counter((chunk.heading, chunk.text) for chunk in chunks)
        self._repeated = {said for said, times in counted.items() if times > 1}
        self._known: dict[tuple[str | None, str], Packed] = {}

    @property
    def batch_size(self) -> int:
        return self._lossless.batch_size

    async def vectors(self, batch: Sequence[Chunk]) -> list[Packed]:
        """Return a vector for each chunk."""
        said = [(chunk.heading, chunk.text) for chunk in batch]
        fresh = [one for one in dict.fromkeys(said) if one not in self._known]
        found = await self._lossless.embed([embedded_text(*one) for one in fresh]) if fresh else []
        known = dict(zip(fresh, found, strict=True))
        self._known |= {one: vector for one, vector in known.items() if one in self._repeated}
        return [known[one] if one in known else self._known[one] for one in said]


class _Offering:
    """Gives the index what was stored, one request after the other; what comes meanwhile waits, and goes together."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self._waiting: list[tuple[UUID, Packed]] = []
        self._away = False
        self.request: asyncio.Task[bool] | None = None

    async def add(self, ids: Sequence[UUID], vectors: Sequence[Packed]) -> None:
        """Offer vectors as soon as the index is free, and wait for it where too many wait already."""
        self._waiting += zip(ids, vectors, strict=True)
        if self.request is None or self.request.done() or len(self._waiting) >= MOST_WAITING:
            await self._next()

    async def rest(self) -> bool:
        """Offer whatever waits; return whether the index took everything."""
        while self._waiting:
            await self._next()
        if self.request is not None:
            self._away |= not await self.request
        return not self._away

    async def _next(self) -> None:
        if self.request is not None:
            self._away |= not await self.request
        given, self._waiting = self._waiting[:UPSERT_BATCH], self._waiting[UPSERT_BATCH:]
        if not self._away:  # If it is away, whatever comes is offered to it later, all at once.
            ids, vectors = zip(*given, strict=True)
            self.request = asyncio.create_task(self._offer(ids, vectors))


async def _settled(storing: asyncio.Task[None] | None, offering: _Offering) -> None:
    """Let what was begun come to its end, which nobody waits for any longer than seconds."""

    async def last() -> None:
        if storing is not None:
            await asyncio.wait([storing])
        await offering.rest()

    ending = asyncio.create_task(last())
    # The index finishes what it was told, whoever listens: what is not wanted any more is only removed afterwards.
    await asyncio.wait([ending], timeout=LAST_SECONDS)
    begun = [task for task in (ending, storing, offering.request) if task is not None]
    for task in begun:
        task.cancel()
    await asyncio.gather(*begun, return_exceptions=True)  # What ended this attempt is told by another one.
