"""Deleted means deleted, everywhere."""

import pytest

from backend.core.errors import DocumentNotFoundError, VectorIndexUnavailableError
from tests.support.files import long_text
from tests.support.workshop import Workshop

TEXT = long_text(30).decode()
OTHER = long_text(30, "planet").decode()


async def everything_of(workshop: Workshop, document_id: object) -> int:
    counts = await workshop.rows(
        "select (select count(*) from chunks where document_id = $1) + (select count(*) from document_texts where document_id = $1)"
        " + (select count(*) from documents where id = $1)"
        " + (select count(*) from chunk_vectors v where not exists (select from chunks c where c.id = v.chunk_id)) as rows",
        document_id,
    )
    return int(counts[0]["rows"])


async def test_a_purged_document_is_nowhere_and_its_neighbour_is_untouched(workshop: Workshop) -> None:
    alice = await workshop.user()
    document, other = await workshop.indexed(alice, TEXT), await workshop.indexed(alice, OTHER)
    service = workshop.services.documents

    await service.delete(alice, document.id)
    for read in (service.get(alice, document.id), service.file(alice, document.id), service.delete(alice, document.id)):
        with pytest.raises(DocumentNotFoundError):
            await read
    found = await workshop.retriever.retrieve(alice, "What was catalogued about subject 17?", within=None)
    assert {passage.document_id for passage in found.passages} <= {other.id}

    await service.purge(alice, document.id)
    assert len(workshop.blobs()) == 2, "kept for backups that are running"
    waiting = await workshop.rows("select scheduled_at > now() + interval '50 minutes' as later from procrastinate_jobs"
                                  " where task_name = 'purge_file'")  # fmt: skip
    assert [row["later"] for row in waiting] == [True]
    await service.purge_file(alice, document.id)
    await service.purge(alice, document.id)
    await service.purge_file(alice, document.id)

    assert await everything_of(workshop, document.id) == 0
    assert len(workshop.blobs()) == 1
    assert await workshop.in_index(alice) == other.chunks
    assert (await workshop.uploaded(alice, TEXT)).id != document.id


async def test_a_purge_waits_for_an_index_that_is_away(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.indexed(alice, TEXT)
    await workshop.services.documents.delete(alice, document.id)
    workshop.index.down = True
    with pytest.raises(VectorIndexUnavailableError):
        await workshop.services.documents.purge(alice, document.id)

    workshop.index.down = False
    await workshop.services.documents.purge(alice, document.id)
    assert await workshop.in_index(alice) == 0


async def test_a_broken_index_holds_no_deleted_vector_back_and_is_filled_again(workshop: Workshop) -> None:
    alice = await workshop.user()
    document, other = await workshop.indexed(alice, TEXT), await workshop.indexed(alice, OTHER)
    collections = await workshop.rows("select collection from index_generations")
    workshop.index.broken = {row["collection"] for row in collections}

    await workshop.services.documents.delete(alice, document.id)
    await workshop.services.documents.purge(alice, document.id)

    assert await workshop.in_index(alice) == 0
    await workshop.services.maintenance.reconcile()
    assert (await workshop.jobs(other))[-1] == "confirm_vectors"
    await workshop.services.documents.confirm(alice, other.id)
    assert await workshop.in_index(alice) == other.chunks


async def test_a_document_that_is_not_deleted_cannot_be_purged(workshop: Workshop) -> None:
    alice, bob = await workshop.user("alice"), await workshop.user("bob")
    document = await workshop.indexed(alice, TEXT)
    deleted = await workshop.indexed(alice, OTHER)
    await workshop.services.documents.delete(alice, deleted.id)

    for owner, target in ((alice, document), (bob, document), (bob, deleted)):
        await workshop.services.documents.purge(owner, target.id)
        await workshop.services.documents.purge_file(owner, target.id)

    assert await workshop.in_index(alice) == document.chunks + deleted.chunks
    assert len(workshop.blobs()) == 2
    assert (await workshop.services.documents.get(alice, document.id)).status == "ready"


async def test_work_whose_job_got_lost_is_queued_again_once(workshop: Workshop) -> None:
    alice = await workshop.user()
    waiting, gone = await workshop.uploaded(alice, TEXT), await workshop.indexed(alice, OTHER)
    await workshop.services.documents.delete(alice, gone.id)
    await workshop.rows("delete from procrastinate_jobs")
    await workshop.services.maintenance.reconcile()
    assert await workshop.jobs(waiting) == [], "a moment ago is not lost"
    await workshop.rows(
        "update documents set updated_at = now() - interval '2 minutes', deleted_at = deleted_at - interval '1 hour'"
    )

    for _ in range(2):
        await workshop.services.maintenance.reconcile()
        assert (await workshop.jobs(waiting), await workshop.jobs(gone)) == (["index_document"], ["purge_document"])


async def test_no_job_of_a_purged_document_waits_behind_the_removal_of_its_file(workshop: Workshop) -> None:
    alice = await workshop.user()
    workshop.index.down = True
    document = await workshop.indexed(alice, TEXT)
    workshop.index.down = False
    assert "confirm_vectors" in await workshop.jobs(document)

    await workshop.services.documents.delete(alice, document.id)
    await workshop.services.documents.purge(alice, document.id)

    # It has the same lock, and begins in an hour.
    assert {"confirm_vectors", "tidy_document"} & set(await workshop.jobs(document)) == set()
    assert "purge_file" in await workshop.jobs(document)
