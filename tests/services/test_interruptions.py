"""What ends an attempt from outside: somebody who does not want it any more, a database that is away, a disk that is full."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest

from backend.bootstrap.application import Replacements, open_application
from backend.core.errors import DatabaseUnavailableError, DocumentNotFoundError, EmbeddingRefusedError, StorageFullError
from backend.core.failpoints import FailpointError, arm
from tests.conftest import registered
from tests.support.cluster import Cluster, Database
from tests.support.files import a_file, long_text
from tests.support.parts import CountingEmbedder, PlainTextParser, SwitchableIndex
from tests.support.soundness import assert_settled
from tests.support.two_models import do_all
from tests.support.workshop import Workshop
from tests.worker.watching import settled

TEXT = long_text(40).decode()
WAITING = "select scheduled_at > now() as waits from procrastinate_jobs where task_name = 'index_document' and status = 'todo'"


async def finished(workshop: Workshop) -> None:
    """Do all jobs, and what the clock finds left to do afterwards."""
    await do_all(workshop)
    await workshop.services.maintenance.reconcile()
    await do_all(workshop)


@asynccontextmanager
async def slowly(workshop: Workshop) -> AsyncIterator[asyncio.Event]:
    """Let the second batch take for ever; the event tells that it has begun."""
    reached = asyncio.Event()

    async def block(call: int) -> None:
        if call == 2:
            reached.set()
            await asyncio.Event().wait()

    workshop.embedder.before = block
    yield reached
    workshop.embedder.mend()


@pytest.mark.parametrize("ended_by", ["cancel", "delete", "replace"])
async def test_an_attempt_that_nobody_wants_any_more_does_not_go_on_for_ever(workshop: Workshop, ended_by: str) -> None:
    alice = await workshop.user()
    document = await workshop.uploaded(alice, TEXT)
    service = workshop.services.documents
    async with slowly(workshop) as reached:
        attempt = asyncio.create_task(service.index(alice, document.id))
        await reached.wait()
        if ended_by == "replace":
            await service.replace(alice, document.id, a_file("new.txt", b"Blue whales eat krill."))
        else:
            await getattr(service, ended_by)(alice, document.id)
        begun = monotonic()
        await asyncio.wait_for(attempt, 30)
        sys.stdout.write(f"\nstopped {monotonic() - begun:.2f} s after it was not wanted any more\n")
    await do_all(workshop)
    if ended_by == "delete":
        with pytest.raises(DocumentNotFoundError):
            await service.get(alice, document.id)
    else:
        found = await service.get(alice, document.id)
        assert (found.status, found.error_code) == (("failed", "cancelled") if ended_by == "cancel" else ("ready", None))
    await assert_settled(workshop, alice)


@pytest.mark.parametrize("error", [DatabaseUnavailableError(), StorageFullError()])
async def test_an_outage_of_the_database_or_a_full_disk_is_not_counted_as_an_attempt(workshop: Workshop, error: Exception) -> None:
    alice = await workshop.user()
    document = await workshop.uploaded(alice, TEXT)
    for _ in range(4):
        workshop.embedder.fail(error, at=2 if workshop.embedder.batches == [] else 1)
        await workshop.services.documents.index(alice, document.id)
        found = await workshop.services.documents.get(alice, document.id)
        assert (found.status, found.attempts, found.error_code) == ("pending", 0, None)
        assert found.waiting_for == (error.message if isinstance(error, StorageFullError) else None)
    workshop.embedder.mend()
    await finished(workshop)
    assert (await workshop.services.documents.get(alice, document.id)).status == "ready"
    await assert_settled(workshop, alice)


async def test_what_somebody_asks_for_does_not_wait_for_the_end_of_an_outage(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.uploaded(alice, TEXT)
    await workshop.rows("delete from procrastinate_jobs")
    workshop.embedder.fail(StorageFullError(), at=1)
    await workshop.services.documents.index(alice, document.id)
    assert [row["waits"] for row in await workshop.rows(WAITING)] == [True]

    await workshop.services.documents.cancel(alice, document.id)
    await workshop.services.documents.retry(alice, document.id)

    assert not any(row["waits"] for row in await workshop.rows(WAITING)), "the queue keeps jobs of one lock in order"


@pytest.mark.parametrize(
    "place", ["index.parsed", "index.embedded", "index.stored", "index.upserted", "index.finishing", "index.ready"]
)
async def test_an_attempt_that_dies_at_any_place_is_made_good_by_the_next(workshop: Workshop, place: str) -> None:
    alice = await workshop.user()
    document = await workshop.uploaded(alice, TEXT)
    arm(f"{place}=raise@1")
    try:
        with pytest.raises(FailpointError):
            await workshop.services.documents.index(alice, document.id)
    finally:
        arm("")
    await finished(workshop)
    found = await workshop.services.documents.get(alice, document.id)
    assert (found.status, found.progress_done, found.tokens_embedded) == ("ready", found.chunks, found.tokens_extracted)
    await assert_settled(workshop, alice)


async def test_one_passage_that_the_model_refuses_is_found_by_its_words_and_told_in_the_coverage(workshop: Workshop) -> None:
    alice = await workshop.user()
    text = TEXT.replace("subject 7 ", "zyzzyva 7 ")
    document = await workshop.uploaded(alice, text)
    real = workshop.embedder.embed_documents

    class Refusing:
        async def __call__(self, texts: list[str]) -> object:
            if any("zyzzyva" in one for one in texts):
                raise EmbeddingRefusedError
            return await real(texts)

    workshop.embedder.embed_documents = Refusing()  # type: ignore[method-assign, assignment] # the model of this one document
    arm("index.stored=raise@3")
    with pytest.raises(FailpointError):
        await workshop.services.documents.index(alice, document.id)
    arm("")
    await finished(workshop)

    ready = await workshop.services.documents.get(alice, document.id)
    refused = await workshop.rows(
        "select c.start_offset, c.end_offset, c.text from chunk_vectors v join chunks c on c.id = v.chunk_id where v.vector is null"
    )
    assert [("zyzzyva" in row["text"]) for row in refused] == [True]
    lost = await workshop.rows("select 1 from regexp_matches($1, '\\w+|[^\\w\\s]', 'g')", refused[0]["text"])
    assert ready.tokens_extracted is not None
    assert (ready.status, ready.tokens_embedded) == ("ready", ready.tokens_extracted - len(lost))
    found = await workshop.retriever.retrieve(alice, "zyzzyva", within=None)
    assert "zyzzyva 7" in found.passages[0].text
    await assert_settled(workshop, alice)


async def test_a_document_can_be_replaced_and_indexed_while_its_tidying_waits_for_the_index(
    cluster: Cluster, database: Database, tmp_path: Path
) -> None:
    index = SwitchableIndex(cluster.chroma_url)
    parts = Replacements(parser=PlainTextParser(), embedder=CountingEmbedder(), index=index)
    async with open_application(cluster.settings(database, tmp_path), replacing=parts) as app, app.worker.running(alone=True):
        documents = app.services.documents
        alice = await registered(app.services, "alice")
        document = await documents.upload(alice, a_file(data=b"The first one. Whales eat krill."))
        await settled(app.services, document)
        index.down = True
        for number in (2, 3, 4):
            await documents.replace(alice, document.id, a_file(data=f"Number {number}. Whales eat krill.".encode()))
            found = await settled(app.services, document)
            assert (found.status, found.live_version) == ("ready", number)
        index.down = False
