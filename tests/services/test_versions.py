"""New versions: the old one answers until the new one is ready, and no question meets both or neither."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest

from backend.core.errors import DocumentNotFoundError, DuplicateDocumentError, EmbeddingRefusedError, ParsingError
from backend.core.values.document import Document
from tests.support.files import a_file, long_text
from tests.support.soundness import assert_settled, assert_statistics
from tests.support.two_models import do_all
from tests.support.workshop import Workshop

LONG = long_text(24).decode()


def edition(number: int) -> str:
    return f"Edition {number}: whales eat krill.\n\n" + long_text(6, f"matter{number}x").decode()


async def replaced(workshop: Workshop, document: Document, text: str) -> Document:
    return await workshop.services.documents.replace(document.owner_id, document.id, a_file("new.txt", text.encode()))


async def versions(workshop: Workshop, owner_id: UUID, question: str) -> set[int]:
    return {passage.version for passage in (await workshop.retriever.retrieve(owner_id, question, within=None)).passages}


async def text_of(workshop: Workshop, document: Document, version: int | None = None) -> str:
    return (await workshop.services.documents.text(document.owner_id, document.id, start=0, end=10**6, version=version))[0]


async def test_the_old_version_answers_until_the_new_one_is_ready_and_its_text_stays_for_citations(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.indexed(alice, edition(1))
    waiting = await replaced(workshop, document, edition(2))
    assert (waiting.id, waiting.version, waiting.live_version, waiting.status) == (document.id, 2, 1, "pending")
    seen: list[set[int]] = []

    async def ask(_: int) -> None:
        seen.append(await versions(workshop, alice, "What do whales eat? krill"))

    workshop.embedder.calls, workshop.embedder.before = 0, ask
    await workshop.services.documents.index(alice, document.id)

    assert len(seen) > 0
    assert all(found == {1} for found in seen)
    assert await versions(workshop, alice, "What do whales eat? krill") == {2}
    assert 1 not in await versions(workshop, alice, "matter1x"), "what only the old one said is not found any more"
    await do_all(workshop)
    assert [await text_of(workshop, document, version) for version in (1, 2, None)] == [edition(1), edition(2), edition(2)]
    await assert_settled(workshop, alice)


@pytest.mark.parametrize("end", ["fails", "is refused", "is cancelled"])
async def test_a_new_version_that_comes_to_nothing_leaves_the_old_one_answering(workshop: Workshop, end: str) -> None:
    alice = await workshop.user()
    document = await workshop.indexed(alice, edition(1))
    await replaced(workshop, document, LONG)

    async def stop(call: int) -> None:
        if end == "is refused":
            raise EmbeddingRefusedError
        if call == 2:
            await workshop.services.documents.cancel(alice, document.id)

    workshop.embedder.calls = 0
    workshop.parser.failure = ParsingError() if end == "fails" else None
    workshop.embedder.before = None if end == "fails" else stop
    await do_all(workshop)
    workshop.embedder.mend()

    found = await workshop.services.documents.get(alice, document.id)
    assert (found.status, found.version, found.live_version, found.chunks) == ("failed", 2, 1, document.chunks)
    assert await versions(workshop, alice, "What do whales eat? krill") == {1}
    with pytest.raises(DocumentNotFoundError):
        await text_of(workshop, document, 2)
    await assert_settled(workshop, alice)

    workshop.parser.failure = None
    await workshop.services.documents.retry(alice, document.id)
    await do_all(workshop)
    assert (await workshop.services.documents.get(alice, document.id)).live_version == 2
    await assert_settled(workshop, alice)


async def test_a_version_that_was_replaced_before_it_was_read_leaves_nothing(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.uploaded(alice, LONG)
    workshop.embedder.fail(RuntimeError("a crash"), at=2)
    with pytest.raises(RuntimeError):
        await workshop.services.documents.index(alice, document.id)
    workshop.embedder.mend()

    await replaced(workshop, document, edition(2))
    await do_all(workshop)

    assert [row["version"] for row in await workshop.rows("select version from document_texts")] == [2]
    assert (await workshop.services.documents.get(alice, document.id)).live_version == 2
    await assert_settled(workshop, alice)


async def test_an_attempt_that_a_new_version_overtakes_stores_nothing_more(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.uploaded(alice, LONG)

    async def replace(call: int) -> None:
        if call == 2:
            await replaced(workshop, document, edition(2))

    workshop.embedder.before = replace
    await workshop.services.documents.index(alice, document.id)
    assert {row["version"] for row in await workshop.rows("select version from chunks")} == {1}
    assert len(await workshop.rows("select from chunks")) == 4
    workshop.embedder.mend()
    await do_all(workshop)
    assert (await workshop.services.documents.get(alice, document.id)).live_version == 2
    await assert_settled(workshop, alice)


async def test_no_question_meets_two_versions_at_once(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.indexed(alice, edition(1))
    over, met = asyncio.Event(), Counter[tuple[int, ...]]()

    async def ask() -> None:
        while not over.is_set():
            met[tuple(sorted(await versions(workshop, alice, "What do whales eat? krill")))] += 1

    asking = [asyncio.create_task(ask()) for _ in range(2)]
    for number in range(2, 7):
        await replaced(workshop, document, edition(number))
        await workshop.services.documents.index(alice, document.id)
        await assert_statistics(workshop, alice)
        await workshop.services.documents.tidy(alice, document.id)
    over.set()
    await asyncio.gather(*asking)

    assert all(len(found) <= 1 for found in met), met
    assert len(met) >= 5


async def test_the_same_bytes_change_nothing_and_those_of_another_document_are_refused(workshop: Workshop) -> None:
    alice = await workshop.user()
    document, other = await workshop.indexed(alice, edition(1)), await workshop.indexed(alice, edition(2))
    same = await replaced(workshop, document, edition(1))
    assert (same.version, same.status) == (1, "ready")
    with pytest.raises(DuplicateDocumentError) as refused:
        await replaced(workshop, document, edition(2))
    assert refused.value.details["document_id"] == str(other.id)
    bob = await workshop.user("bob")
    with pytest.raises(DocumentNotFoundError):
        await workshop.services.documents.replace(bob, document.id, a_file("x.txt", b"mine"))
    assert len(workshop.blobs()) == 2


async def test_a_document_is_replaced_again_and_again_while_the_index_is_away(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.indexed(alice, edition(1))
    workshop.index.down = True
    for number in (2, 3):
        await replaced(workshop, document, edition(number))
        await workshop.services.documents.index(alice, document.id)
    workshop.index.down = False
    await do_all(workshop)
    await workshop.services.maintenance.reconcile()
    await do_all(workshop)
    assert await versions(workshop, alice, "What do whales eat? krill") == {3}
    await assert_settled(workshop, alice)
