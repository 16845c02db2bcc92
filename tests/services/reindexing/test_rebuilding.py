"""Collections are filled again from PostgreSQL: nothing is embedded, and what happens meanwhile is neither lost nor left behind."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from time import perf_counter
from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.core.failpoints import FailpointError, arm
from tests.support.files import long_text
from tests.support.soundness import assert_settled
from tests.support.two_models import TwoModels, do_all, do_next, ids_in
from tests.support.workshop import Workshop

TEXT = long_text(30).decode()
OTHER = long_text(12, "planet").decode()
QUESTION = "What was catalogued about subject 17?"
COLLECTION = "select collection from index_generations where owner_id = $1 and state = 'ready'"


async def collection_of(workshop: Workshop, owner_id: UUID) -> str:
    return str((await workshop.rows(COLLECTION, owner_id))[0]["collection"])


async def drop(workshop: Workshop, collection: str) -> None:
    await workshop.index.drop(collection)


async def shorten(workshop: Workshop, collection: str) -> None:
    await workshop.index.delete(collection, sorted(await ids_in(workshop.index, collection))[:1])


async def break_(workshop: Workshop, collection: str) -> None:
    workshop.index.broken.add(collection)
    await workshop.index.drop(collection)
    workshop.index.broken.add(collection)


@pytest.mark.parametrize("damage", [drop, shorten, break_])
async def test_a_collection_that_lost_something_is_found_and_filled_again_without_embedding(
    models: TwoModels, damage: Callable[[Workshop, str], Awaitable[None]]
) -> None:
    workshop = models.workshop
    alice = await workshop.user()
    await workshop.indexed(alice, TEXT)
    await workshop.services.reindexing.verify_index()
    assert await do_all(workshop, "rebuild_collection") == []
    before, calls = await collection_of(workshop, alice), models.large.calls

    await damage(workshop, before)
    await workshop.services.reindexing.verify_index()
    await workshop.services.reindexing.verify_index()
    found = await workshop.retriever.retrieve(alice, QUESTION, within=None)
    assert "subject 17 " in found.passages[0].text, "exact search answers meanwhile"
    assert await do_all(workshop, "rebuild_collection") == ["rebuild_collection"]
    await do_all(workshop)

    assert (await collection_of(workshop, alice) != before, models.large.calls) == (True, calls)
    assert await ids_in(workshop.index, before) == set()
    assert "subject 17 " in (await workshop.retriever.retrieve(alice, QUESTION, within=None)).passages[0].text
    await workshop.services.reindexing.verify_index()
    assert await do_all(workshop) == []
    await assert_settled(workshop, alice)


async def test_what_is_uploaded_replaced_and_deleted_during_a_rebuild_is_right_afterwards(models: TwoModels) -> None:
    workshop = models.workshop
    alice = await workshop.user()
    kept, gone = await workshop.indexed(alice, TEXT), await workshop.indexed(alice, OTHER)
    await do_all(workshop)
    before = await collection_of(workshop, alice)
    arm("rebuild.filled=sleep:4")
    await workshop.services.reindexing.rebuild()
    rebuilding = asyncio.create_task(do_next(workshop, "rebuild_collection"))
    async with asyncio.timeout(60):
        while len(await ids_in(workshop.index, f"{before}-b")) < kept.chunks + gone.chunks:  # noqa: ASYNC110 - Chroma does not say
            await asyncio.sleep(0.02)

    new = await workshop.indexed(alice, "Blue whales eat krill.")
    await workshop.services.documents.delete(alice, gone.id)
    await workshop.services.documents.purge(alice, gone.id)
    assert not rebuilding.done()
    await rebuilding
    arm("")
    await workshop.services.maintenance.reconcile()
    await do_all(workshop)

    assert await ids_in(workshop.index, before) == set()
    rows = await workshop.rows("select distinct document_id from chunks")
    assert {row["document_id"] for row in rows} == {kept.id, new.id}
    await assert_settled(workshop, alice)


@pytest.mark.parametrize("place", ["purge.vectors_removed", "tidy.vectors_removed"])
async def test_what_is_being_removed_while_its_collection_moves_is_removed_from_the_new_one(models: TwoModels, place: str) -> None:
    workshop = models.workshop
    alice = await workshop.user()
    document = await workshop.indexed(alice, TEXT)
    await do_all(workshop)
    arm(f"{place}=sleep:1.5")
    if place.startswith("purge"):
        await workshop.services.documents.delete(alice, document.id)
        removing = asyncio.create_task(workshop.services.documents.purge(alice, document.id))
    else:
        await workshop.rows("update documents set version = 2, live_version = 2 where id = $1", document.id)
        await workshop.rows("delete from lexemes")
        await workshop.rows("delete from corpus_sizes")
        removing = asyncio.create_task(workshop.services.documents.tidy(alice, document.id))
    before = await collection_of(workshop, alice)
    async with asyncio.timeout(60):
        while await ids_in(workshop.index, before):  # noqa: ASYNC110 - Chroma does not say
            await asyncio.sleep(0.02)
    await workshop.services.reindexing.verify_index()
    assert await do_all(workshop, "rebuild_collection") == [], "what is being removed is not lost"
    await workshop.services.reindexing.rebuild()
    await do_all(workshop, "rebuild_collection")
    assert len(await ids_in(workshop.index, f"{before}-b")) == document.chunks
    await removing

    assert await workshop.rows("select from chunks") == []
    await do_all(workshop, "drop_collection")
    await assert_settled(workshop, alice)


async def test_vectors_of_what_is_deleted_while_the_index_takes_them_do_not_stay_there(models: TwoModels) -> None:
    workshop, small = models.workshop, models.small
    alice = await workshop.user()
    document = await workshop.indexed(alice, OTHER)
    await do_all(workshop)
    await workshop.services.reindexing.change(small.identity)
    arm("build.stored=sleep:0.7@2")  # In PostgreSQL, and not yet in the index.
    building = asyncio.create_task(do_next(workshop, "build_generation"))
    async with asyncio.timeout(60):
        while (await workshop.services.reindexing.state()).chunks_missing:  # noqa: ASYNC110 - the database does not say
            await asyncio.sleep(0.02)
    await workshop.services.documents.delete(alice, document.id)
    await workshop.services.documents.purge(alice, document.id)
    await building
    await do_all(workshop)
    for row in await workshop.rows("select collection from index_generations"):
        assert await ids_in(workshop.index, row["collection"]) == set()


async def test_vectors_that_come_late_do_not_bring_a_dropped_collection_back(models: TwoModels) -> None:
    workshop = models.workshop
    alice = await workshop.user()
    await workshop.indexed(alice, TEXT)
    await do_all(workshop)
    before = await collection_of(workshop, alice)
    late = await workshop.uploaded(alice, OTHER)
    arm("index.planned=sleep:1.5")
    indexing = asyncio.create_task(workshop.attempted(late))
    await asyncio.sleep(0.5)
    await workshop.services.reindexing.rebuild()
    await do_all(workshop, "rebuild_collection", "drop_collection")
    await indexing
    await do_all(workshop)
    await workshop.services.maintenance.reconcile()
    await do_all(workshop)

    assert await ids_in(workshop.index, before) == set()
    await assert_settled(workshop, alice)


@pytest.mark.parametrize("place", ["rebuild.filled", "rebuild.moved"])
async def test_a_rebuild_that_dies_is_begun_again(models: TwoModels, place: str) -> None:
    workshop = models.workshop
    alice = await workshop.user()
    await workshop.indexed(alice, TEXT)
    await workshop.services.reindexing.rebuild()
    arm(f"{place}=raise@1")
    with pytest.raises(FailpointError):
        await do_all(workshop, "rebuild_collection")
    assert "subject 17 " in (await workshop.retriever.retrieve(alice, QUESTION, within=None)).passages[0].text
    await do_all(workshop)
    await assert_settled(workshop, alice)


async def test_a_generation_that_goes_while_it_is_filled_again_leaves_no_collection(models: TwoModels) -> None:
    workshop = models.workshop
    alice = await workshop.user()
    await workshop.indexed(alice, TEXT)
    before = await collection_of(workshop, alice)
    await workshop.services.reindexing.rebuild()
    arm("rebuild.filled=sleep:1")
    rebuilding = asyncio.create_task(do_next(workshop, "rebuild_collection"))
    async with asyncio.timeout(60):
        while not await ids_in(workshop.index, f"{before}-b"):  # noqa: ASYNC110 - Chroma does not say
            await asyncio.sleep(0.02)
    await workshop.rows("delete from index_generations")
    await rebuilding
    await do_all(workshop, "drop_collection")
    assert await ids_in(workshop.index, f"{before}-b") == set()


async def test_a_collection_that_lost_a_fifth_to_deletions_is_filled_again_by_the_clock(models: TwoModels) -> None:
    workshop = models.workshop
    alice = await workshop.user()
    await workshop.indexed(alice, TEXT)
    await do_all(workshop)
    before = await collection_of(workshop, alice)
    await workshop.rows("update index_generations set removed = 63")
    await workshop.services.reindexing.resume()
    assert await do_all(workshop) == [], "too few to be worth it"
    await workshop.rows("update index_generations set removed = 64")
    for _ in range(2):
        await workshop.services.reindexing.resume()
    assert await do_all(workshop) == ["rebuild_collection", "drop_collection"]
    assert (await workshop.rows("select removed from index_generations"))[0]["removed"] == 0
    assert await collection_of(workshop, alice) == f"{before}-b"
    await assert_settled(workshop, alice)


def clustered(count: int, dimensions: int) -> NDArray[np.float16]:
    """Vectors as texts have them, near to each other in groups: an index of pure noise takes far longer to fill."""
    random = np.random.default_rng(1)
    centres = random.standard_normal((200, dimensions))
    vectors = centres[random.integers(0, 200, count)] + random.standard_normal((count, dimensions))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype="<f2")


async def test_a_collection_is_filled_again_without_embedding_and_how_fast(models: TwoModels) -> None:
    workshop, count, dimensions = models.workshop, int(os.environ.get("REBUILT_VECTORS", "2000")), 384
    alice = await workshop.user()
    document = await workshop.indexed(alice, "Blue whales eat krill.")
    (generation,) = await workshop.rows("update index_generations set dimensions = $1 returning id", dimensions)
    await workshop.rows("delete from chunk_vectors")
    ids = [uuid4() for _ in range(count)]
    await workshop.rows(
        "insert into chunks (id, owner_id, document_id, ordinal, start_offset, end_offset, text, search_text, tsv, length)"
        " select u.id, $1, $2, u.n, 0, 1, 'x', 'x', ''::tsvector, 0 from unnest($3::uuid[]) with ordinality u (id, n)",
        alice, document.id, ids,
    )  # fmt: skip
    await workshop.rows(
        "insert into chunk_vectors (chunk_id, generation_id, owner_id, vector) select u.id, $1, $2, u.vector"
        " from unnest($3::uuid[], $4::bytea[]) u (id, vector)",
        generation["id"], alice, ids, [row.tobytes() for row in clustered(count, dimensions)],
    )  # fmt: skip
    calls, begun = models.large.calls, perf_counter()
    await workshop.services.reindexing.rebuild()
    await do_next(workshop, "rebuild_collection")
    seconds = perf_counter() - begun
    sys.stdout.write(f"\nrebuilt {count} vectors of {dimensions} dimensions in {seconds:.1f} s, {count / seconds:.0f} a second\n")
    assert (await workshop.in_index(alice), models.large.calls) == (count, calls)
