"""Indexing: again from any point it gives the same result, and it never waits for anything inside a transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import numpy as np
import pytest

from backend.core.errors import DocumentNotFoundError, EmbedderUnavailableError
from backend.core.transactions import transaction_open
from backend.core.values.document import Document
from tests.support.files import long_text
from tests.support.workshop import Workshop

TEXT = long_text(60).decode()
CHUNKS = "select ordinal, start_offset, end_offset, text, tsv::text, length from chunks where document_id = $1 order by ordinal"


async def chunks_of(workshop: Workshop, document: Document) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await workshop.rows(CHUNKS, document.id)]


async def unconfirmed(workshop: Workshop) -> int:
    return len(await workshop.rows("select from chunk_vectors where not indexed"))


async def test_every_vector_is_in_postgresql_and_confirmed_by_the_index(workshop: Workshop) -> None:
    alice = await workshop.user()

    document = await workshop.indexed(alice, TEXT)

    assert document.status == "ready"
    assert document.progress_done == document.progress_total == document.chunks > 8
    stored = await workshop.rows("select vector from chunk_vectors where owner_id = $1 and indexed", alice)
    assert len(stored) == document.chunks == await workshop.in_index(alice)
    assert all(len(row["vector"]) == 2 * 512 for row in stored)
    text, length, _ = await workshop.services.documents.text(alice, document.id, start=0, end=len(TEXT) + 10)
    assert (text, length) == (TEXT, len(TEXT))
    for row in await workshop.rows(CHUNKS, document.id):
        assert row["text"] == TEXT[row["start_offset"] : row["end_offset"]]


@pytest.mark.parametrize(
    ("start", "end", "expected"), [(2**31 - 1, 2**31 - 1, ""), (5, 2, ""), (0, 2**31 - 1, TEXT), (3, 4, TEXT[3])]
)
async def test_any_range_of_a_text_can_be_asked_for(workshop: Workshop, start: int, end: int, expected: str) -> None:
    alice = await workshop.user()
    document = await workshop.indexed(alice, TEXT)

    assert await workshop.services.documents.text(alice, document.id, start=start, end=end) == (expected, len(TEXT), 1)


async def test_a_second_attempt_embeds_only_what_is_missing_and_gives_the_same_chunks(workshop: Workshop) -> None:
    alice, bob = await workshop.user("alice"), await workshop.user("bob")
    whole = await workshop.indexed(bob, TEXT)
    needed = [text for batch in workshop.embedder.batches for text in batch]
    workshop.embedder.mend()
    document = await workshop.uploaded(alice, TEXT)
    workshop.embedder.fail(RuntimeError("a crash"), at=3)
    with pytest.raises(RuntimeError):
        await workshop.attempted(document)
    first = [text for batch in workshop.embedder.batches for text in batch]
    interrupted = await workshop.services.documents.get(alice, document.id)
    assert (interrupted.progress_done, interrupted.progress_total) == (8, whole.chunks)

    workshop.embedder.mend()
    ready = await workshop.attempted(document)

    second = [text for batch in workshop.embedder.batches for text in batch]
    assert len(first) == 8
    assert first + second == needed
    assert (ready.status, ready.attempts, ready.progress_done) == ("ready", 1, whole.chunks)
    assert await chunks_of(workshop, document) == await chunks_of(workshop, whole)
    assert (await workshop.in_index(alice), await unconfirmed(workshop)) == (whole.chunks, 0)


async def test_what_an_attempt_stored_that_is_no_chunk_any_more_goes_from_the_index_too(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.uploaded(alice, TEXT)
    workshop.embedder.fail(RuntimeError("a crash"), at=3)
    with pytest.raises(RuntimeError):
        await workshop.attempted(document)
    workshop.embedder.mend()

    # A release in between reads the file in another way.
    (blob,) = workshop.blobs()
    blob.write_text("Something else, and short.")
    ready = await workshop.attempted(document)

    assert (ready.status, ready.chunks) == ("ready", 1)
    assert await workshop.in_index(alice) == len(await chunks_of(workshop, document)) == 1


async def test_an_index_that_is_away_delays_nobody_and_is_handed_the_vectors_later(workshop: Workshop) -> None:
    alice = await workshop.user()
    workshop.index.down = True

    document = await workshop.indexed(alice, TEXT)

    assert document.status == "ready"
    assert await unconfirmed(workshop) == document.chunks
    question = "What was catalogued about subject 17?"
    found = await workshop.retriever.retrieve(alice, question, within=None)
    best = found.passages[0]
    assert ("subject 17 " in best.text, found.degraded) == (True, ())

    await workshop.services.documents.confirm(alice, document.id)
    assert await unconfirmed(workshop) == document.chunks, "it is still away"
    workshop.index.down = False
    assert await workshop.in_index(alice) == 0
    assert (await workshop.retriever.retrieve(alice, question, within=None)).passages[0].chunk_id == best.chunk_id

    await workshop.services.maintenance.reconcile()
    assert await workshop.jobs(document) == ["index_document", "confirm_vectors"]
    embedded = workshop.embedder.calls
    await workshop.services.documents.confirm(alice, document.id)
    assert (await unconfirmed(workshop), await workshop.in_index(alice)) == (0, document.chunks)
    assert workshop.embedder.calls == embedded
    assert (await workshop.retriever.retrieve(alice, question, within=None)).passages[0].chunk_id == best.chunk_id


async def test_a_document_deleted_while_it_is_indexed_is_dropped_and_purged_completely(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.uploaded(alice, TEXT)

    async def delete(call: int) -> None:
        if call == 3:
            await workshop.services.documents.delete(alice, document.id)

    workshop.embedder.before = delete
    await workshop.services.documents.index(alice, document.id)
    assert workshop.embedder.calls == 4, "one batch is embedded while the one before is stored, and no other"
    with pytest.raises(DocumentNotFoundError):
        await workshop.services.documents.get(alice, document.id)
    await workshop.services.documents.purge(alice, document.id)

    for table in ("chunks", "chunk_vectors", "document_texts", "lexemes"):
        assert await workshop.rows(f"select * from {table}") == []  # noqa: S608 - the names above
    assert await workshop.in_index(alice) == 0


async def test_an_outage_after_a_deletion_leaves_no_work_behind(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.uploaded(alice, TEXT)

    async def delete(call: int) -> None:
        await workshop.services.documents.delete(alice, document.id)
        raise EmbedderUnavailableError

    workshop.embedder.before = delete
    await workshop.services.documents.index(alice, document.id)

    assert await workshop.jobs(document) == ["index_document", "purge_document"]


async def test_documents_of_one_owner_that_finish_and_vanish_at_once_do_not_deadlock(workshop: Workshop) -> None:
    alice = await workshop.user()
    paragraphs = TEXT.split("\n\n")
    texts = ["\n\n".join(paragraphs[::step]) for step in (1, -1, 3, -3)]

    documents = await asyncio.wait_for(asyncio.gather(*(workshop.indexed(alice, text) for text in texts)), 30)
    assert [document.status for document in documents] == ["ready"] * 4
    for document in documents[:2]:
        await workshop.services.documents.delete(alice, document.id)
    *_, late = await asyncio.wait_for(
        asyncio.gather(
            *(workshop.services.documents.purge(alice, document.id) for document in documents[:2]),
            workshop.indexed(alice, "\n\n".join(paragraphs[::-2])),
        ),
        30,
    )
    assert isinstance(late, Document)
    assert late.status == "ready"


async def test_no_part_can_be_called_inside_a_transaction(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.indexed(alice, TEXT)
    vector = np.zeros((1, 512), dtype=np.float32)
    services, ids = workshop.services, [uuid4()]

    async def opened(owner_id: UUID) -> None:
        async with workshop.uow.of(owner_id):
            pass

    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "index.upsert": lambda: workshop.index.upsert("docent-x", ids, vector),
        "index.query": lambda: workshop.index.query("docent-x", vector[0], 1),
        "index.delete": lambda: workshop.index.delete("docent-x", ids),
        "index.drop": lambda: workshop.index.drop("docent-x"),
        "index.count": lambda: workshop.index.count("docent-x"),
        "index.check": workshop.index.check,
        "embed_documents": lambda: workshop.embedder.embed_documents(["a"]),
        "embed_query": lambda: workshop.embedder.embed_query("a"),
        "upload": lambda: workshop.uploaded(alice, "b"),
        "open": lambda: _first_piece(workshop, document),
        "a second transaction": lambda: opened(alice),
        "checks": services.status.services,
    }
    for name, call in calls.items():
        async with workshop.uow.of(alice):
            with pytest.raises(RuntimeError, match="inside an open transaction"):
                await call()
        assert not transaction_open.get(), name


async def _first_piece(workshop: Workshop, document: Document) -> None:
    _, pieces = await workshop.services.documents.file(document.owner_id, document.id)
    assert b"".join([piece async for piece in pieces])
