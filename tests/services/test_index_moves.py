"""The index moves to another collection, or lacks what an attempt that was cut off had stored, while documents are indexed."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from backend.ports.embedder import Vectors
from tests.support.files import long_text
from tests.support.workshop import Workshop

TEXT = long_text(60).decode()
CONFIRMED = "select chunk_id from chunk_vectors where owner_id = $1 and indexed order by chunk_id"
OTHER = long_text(12, "planet").decode()


async def test_a_collection_that_is_rebuilt_while_a_document_is_indexed_is_not_made_anew(workshop: Workshop) -> None:
    alice = await workshop.user()
    before = await workshop.indexed(alice, OTHER)
    document = await workshop.uploaded(alice, TEXT)
    (old,) = await workshop.rows("select id, collection from index_generations where owner_id = $1", alice)
    workshop.embedder.mend()

    async def rebuild(call: int) -> None:
        if call == 3:
            await workshop.services.reindexing.rebuild_collection(alice, old["id"])
            await workshop.services.reindexing.drop_collection(old["collection"])

    workshop.embedder.before = rebuild
    ready = await workshop.attempted(document)
    await workshop.services.documents.confirm(alice, document.id)

    (new,) = await workshop.rows("select collection from index_generations where owner_id = $1", alice)
    assert new["collection"] != old["collection"]
    mine = [name for name in await workshop.index.collections() if alice.hex in name]
    assert mine == [new["collection"]]
    assert await workshop.in_index(alice) == ready.chunks + before.chunks


async def test_a_collection_that_moves_while_vectors_are_written_to_it_is_dropped_again(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.uploaded(alice, TEXT)
    workshop.embedder.fail(RuntimeError("a crash"), at=3)
    with pytest.raises(RuntimeError):
        await workshop.attempted(document)
    workshop.embedder.mend()
    (old,) = await workshop.rows("select id, collection from index_generations where owner_id = $1", alice)
    moved = f"{old['collection']}-b"

    await workshop.rows("update chunk_vectors set indexed = false where owner_id = $1", alice)
    confirmed = await workshop.rows(CONFIRMED, alice)
    upsert = workshop.index.upsert

    async def late(collection: str, ids: Sequence[UUID], vectors: Vectors) -> None:
        await upsert(collection, ids, vectors)
        # As a rebuild does at its end, here between the writing of the vectors and the note that the index has them.
        await workshop.rows("update index_generations set collection = $1 where id = $2", moved, old["id"])

    workshop.index.upsert = late  # type: ignore[method-assign] # of this one object
    await workshop.services.documents.confirm(alice, document.id)

    jobs = await workshop.rows("select args->>'collection' as name from procrastinate_jobs where task_name = 'drop_collection'")
    assert [job["name"] for job in jobs] == [old["collection"]]
    assert await workshop.rows(CONFIRMED, alice) == confirmed


async def test_what_an_attempt_that_was_cut_off_may_not_have_given_to_the_index_is_offered_again(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.uploaded(alice, TEXT)
    workshop.embedder.fail(RuntimeError("a crash"), at=3)
    with pytest.raises(RuntimeError):
        await workshop.attempted(document)
    workshop.embedder.mend()

    ready = await workshop.attempted(document)

    assert (await workshop.jobs(document)).count("confirm_vectors") == 1
    await workshop.services.documents.confirm(alice, document.id)
    assert await workshop.in_index(alice) == ready.chunks
