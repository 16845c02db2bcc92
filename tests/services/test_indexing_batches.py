"""Batches: embedded, stored and given to the index beside each other, in order, and bounded."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from backend.core.values.document import Chunk
from backend.services.indexing.batches import MOST_WAITING, embed_all
from tests.support.parts import CountingEmbedder

Packed = bytes | None


def chunks(*texts: str, heading: str | None = None) -> list[Chunk]:
    return [Chunk(uuid4(), ordinal, None, heading, 0, len(text), text) for ordinal, text in enumerate(texts)]


class Stores:
    """A database and an index that wait where they are told to."""

    def __init__(self) -> None:
        self.stored: list[list[str]] = []
        self.vectors: dict[UUID, Packed] = {}
        self.done: list[int] = []
        self.offered: list[list[UUID]] = []
        self.storing, self.offering = asyncio.Event(), asyncio.Event()
        self.storing.set()
        self.offering.set()
        self.many = asyncio.Event()
        self.takes = True

    async def store(self, batch: Sequence[Chunk], vectors: Sequence[Packed], done: int) -> None:
        await self.storing.wait()
        self.stored.append([chunk.text for chunk in batch])
        self.vectors |= dict(zip((chunk.id for chunk in batch), vectors, strict=True))
        self.done.append(done)
        if done >= MOST_WAITING:
            self.many.set()

    async def offer(self, ids: Sequence[UUID], vectors: Sequence[Packed]) -> bool:
        await self.offering.wait()
        assert all(self.vectors[one] == vector for one, vector in zip(ids, vectors, strict=True)), "stored before it is offered"
        self.offered.append(list(ids))
        return self.takes


async def until(condition: asyncio.Event) -> None:
    async with asyncio.timeout(30):
        await condition.wait()


async def test_every_chunk_is_stored_and_offered_once_and_in_order() -> None:
    stores, some = Stores(), chunks(*(f"Text number {number}." for number in range(10)))

    assert await embed_all(some, CountingEmbedder(), store=stores.store, offer=stores.offer)

    assert [text for batch in stores.stored for text in batch] == [chunk.text for chunk in some]
    assert stores.done == [4, 8, 10]
    assert [one for request in stores.offered for one in request] == [chunk.id for chunk in some]


async def test_the_next_batch_is_embedded_while_one_is_stored_and_no_batch_beyond_that() -> None:
    stores, embedder = Stores(), CountingEmbedder()
    stores.storing.clear()
    third = asyncio.Event()

    async def before(call: int) -> None:
        if call == 2:
            asyncio.get_running_loop().call_later(0.1, stores.storing.set)
        if call == 3:
            assert stores.stored, "the third batch waits until the first is stored"
            third.set()

    embedder.before = before
    await embed_all(chunks(*map(str, range(12))), embedder, store=stores.store, offer=stores.offer)

    assert third.is_set()


async def test_equal_chunks_are_embedded_once_and_all_of_them_get_the_vector() -> None:
    stores, embedder = Stores(), CountingEmbedder()
    some = chunks("footer", "one", "footer", "two", "three", "footer", "four") + chunks("footer", heading="Another section")

    await embed_all(some, embedder, store=stores.store, offer=stores.offer)

    embedded = [text for batch in embedder.batches for text in batch]
    assert sorted(embedded) == sorted(["footer", "one", "two", "three", "four", "Another section\nfooter"])
    assert len({stores.vectors[chunk.id] for chunk in some if chunk.text == "footer"}) == 2, "a heading makes it another text"
    assert all(stores.vectors[chunk.id] for chunk in some)


async def test_what_waits_for_a_slow_index_is_bounded_and_goes_together() -> None:
    stores, embedder = Stores(), CountingEmbedder()
    stores.offering.clear()
    some = chunks(*(f"Text number {number}." for number in range(2 * MOST_WAITING)))
    working = asyncio.create_task(embed_all(some, embedder, store=stores.store, offer=stores.offer))
    await until(stores.many)
    for _ in range(1000):
        await asyncio.sleep(0)
    stored, embedded = sum(map(len, stores.stored)), sum(map(len, embedder.batches))
    stores.offering.set()

    assert await working
    assert stored <= embedded <= MOST_WAITING + 4 * embedder.batch_size
    assert len(stores.offered) < len(stores.stored), "one request for several batches"


async def test_an_index_that_is_away_is_not_asked_again_and_everything_is_stored() -> None:
    stores, some = Stores(), chunks(*map(str, range(20)))
    stores.takes = False

    assert not await embed_all(some, CountingEmbedder(), store=stores.store, offer=stores.offer)

    assert len(stores.offered) == 1
    assert len(stores.vectors) == 20


async def test_what_was_embedded_before_a_failure_is_stored_and_offered() -> None:
    stores, embedder = Stores(), CountingEmbedder()
    embedder.fail(ZeroDivisionError("a defect"), at=3)

    with pytest.raises(ZeroDivisionError):
        await embed_all(chunks(*map(str, range(12))), embedder, store=stores.store, offer=stores.offer)

    assert stores.done == [4, 8]
    assert sum(map(len, stores.offered)) == 8


async def test_nothing_goes_on_after_the_attempt_was_cancelled() -> None:
    stores, embedder, reached = Stores(), CountingEmbedder(), asyncio.Event()
    stores.offering.clear()

    async def before(call: int) -> None:
        if call == 3:
            reached.set()
            await asyncio.Event().wait()

    embedder.before = before
    working = asyncio.create_task(embed_all(chunks(*map(str, range(12))), embedder, store=stores.store, offer=stores.offer))
    await until(reached)
    others = asyncio.all_tasks() - {working}
    working.cancel()
    await asyncio.wait([working], timeout=30)

    assert working.cancelled()
    assert stores.offered == []
    assert not [task for task in others if "offer" in repr(task) and not task.done()]
