"""How attempts at indexing end that do not end well."""

import asyncio
from datetime import UTC, datetime

import pytest

from backend.core.errors import EmbedderUnavailableError, EmbeddingRefusedError, ParsingError
from tests.support.files import a_file, long_text
from tests.support.workshop import Workshop

TEXT = long_text(40).decode()
PARSER_CODES = (
    "document_unreadable",
    "document_encrypted",
    "document_without_text",
    "parser_timeout",
    "parser_out_of_memory",
    "parser_crashed",
    "document_too_complex",
)


async def test_a_file_that_cannot_be_read_ends_failed_with_the_parsers_reason(workshop: Workshop) -> None:
    alice = await workshop.user()
    for code in PARSER_CODES:
        workshop.parser.failure = ParsingError(f"A sentence about {code}.", code=code)
        failed = await workshop.indexed(alice, f"a file for {code}")
        assert (failed.status, failed.error_code, failed.error_message) == ("failed", code, f"A sentence about {code}.")
    workshop.parser.failure = None
    blank = await workshop.indexed(alice, " \n \n ")
    assert (blank.status, blank.error_code) == ("failed", "document_without_text")


async def test_an_embedder_that_refuses_everything_fails_the_document_and_nothing_of_it_stays(workshop: Workshop) -> None:
    alice = await workshop.user()

    async def refuse(_: int) -> None:
        raise EmbeddingRefusedError

    workshop.embedder.before = refuse

    failed = await workshop.indexed(alice, TEXT)

    assert (failed.status, failed.error_code, failed.chunks, failed.progress_total) == ("failed", "embedding_refused", 0, 0)
    for table in ("chunks", "chunk_vectors", "document_texts", "lexemes", "corpus_sizes"):
        assert await workshop.rows(f"select * from {table}") == []  # noqa: S608 - the names above
    assert await workshop.in_index(alice) == 0


async def test_an_embedder_that_is_down_is_waited_for_without_counting_the_attempt(workshop: Workshop) -> None:
    alice = await workshop.user()
    workshop.embedder.fail(EmbedderUnavailableError(), at=3)

    document = await workshop.uploaded(alice, TEXT)
    for _ in range(4):  # An outage of more attempts than a defect gets.
        waiting = await workshop.attempted(document)
        workshop.embedder.calls = 2
        assert (waiting.status, waiting.attempts, waiting.waiting_for) == ("pending", 0, EmbedderUnavailableError.message)
        assert waiting.error_code is None
    jobs = await workshop.rows("select scheduled_at from procrastinate_jobs where scheduled_at is not null")
    assert len(jobs) == 4
    assert all(job["scheduled_at"] > datetime.now(UTC) for job in jobs)

    workshop.embedder.mend()
    ready = await workshop.attempted(document)
    assert (ready.status, ready.attempts, ready.waiting_for, ready.error_code) == ("ready", 1, None, None)


async def test_a_defect_gets_three_attempts_and_then_the_document_is_given_up(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.uploaded(alice, TEXT)
    for attempt in (1, 2, 3):
        workshop.embedder.fail(ZeroDivisionError("a defect"), at=2 if attempt == 1 else 1)
        with pytest.raises(ZeroDivisionError):
            await workshop.attempted(document)
        found = await workshop.services.documents.get(alice, document.id)
        assert (found.status, found.attempts) == ("failed" if attempt == 3 else "processing", attempt)

    assert found.error_code == "indexing_failed"
    await workshop.services.documents.tidy(alice, document.id)
    assert await workshop.in_index(alice) == 0
    workshop.embedder.mend()
    assert (await workshop.attempted(document)).status == "failed", "an ended document is left alone"


async def test_a_file_that_kills_its_process_is_given_up_after_three_times(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.uploaded(alice, TEXT)
    await workshop.rows("update documents set status = 'processing', attempts = 3 where id = $1", document.id)

    failed = await workshop.attempted(document)

    assert (failed.status, failed.error_code, workshop.embedder.calls) == ("failed", "indexing_crashed", 0)


async def test_a_shutdown_hands_the_document_back_and_the_next_process_finishes_it(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.uploaded(alice, TEXT)
    reached = asyncio.Event()

    async def block(call: int) -> None:
        if call == 3:
            reached.set()
            await asyncio.Event().wait()

    workshop.embedder.before = block
    attempt = asyncio.create_task(workshop.attempted(document))
    await reached.wait()
    attempt.cancel()
    await asyncio.wait([attempt])

    found = await workshop.services.documents.get(alice, document.id)
    assert (attempt.cancelled(), found.status, found.attempts) == (True, "pending", 0)
    workshop.embedder.mend()
    assert (await workshop.attempted(document)).status == "ready"


@pytest.mark.parametrize("error", [EmbedderUnavailableError(), EmbeddingRefusedError(), asyncio.CancelledError()])
async def test_an_attempt_that_was_overtaken_leaves_a_ready_document_alone(workshop: Workshop, error: BaseException) -> None:
    alice = await workshop.user()
    document = await workshop.uploaded(alice, TEXT)
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def block(call: int) -> None:
        if call == 1:
            reached.set()
            await go_on.wait()
            raise error

    workshop.embedder.before = block
    slow = asyncio.create_task(workshop.services.documents.index(alice, document.id))
    await reached.wait()
    await workshop.attempted(document)
    counted = await workshop.rows("select * from lexemes order by lexeme")
    go_on.set()
    await asyncio.wait([slow])

    found = await workshop.attempted(document)
    assert (found.status, found.chunks > 0, found.error_code) == ("ready", True, None)
    assert await workshop.rows("select * from lexemes order by lexeme") == counted


async def test_the_same_bytes_after_a_failure_retry_the_document_with_the_new_file_and_type(workshop: Workshop) -> None:
    alice = await workshop.user()
    workshop.parser.failure = ParsingError()
    failed = await workshop.indexed(alice, TEXT, filename="page.html")
    await workshop.services.documents.rename(alice, failed.id, "My page")
    (lost,) = workshop.blobs()
    lost.unlink()
    workshop.parser.failure = None

    retried = await workshop.uploaded(alice, TEXT, filename="page.txt")
    assert (retried.id, retried.status, retried.attempts, retried.error_code) == (failed.id, "pending", 0, None)
    assert (retried.title, retried.filename, retried.media_type) == ("My page", "page.txt", "text/plain")
    assert len(workshop.blobs()) == 1
    assert (await workshop.attempted(retried)).status == "ready"


async def test_a_file_that_was_lost_fails_its_document_and_uploading_it_again_mends_it(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.uploaded(alice, TEXT)
    (lost,) = workshop.blobs()
    lost.unlink()
    assert (await workshop.attempted(document)).error_code == "blob_not_found"

    again = await asyncio.gather(
        *(workshop.services.documents.upload(alice, a_file("copy.txt", TEXT.encode())) for _ in range(5)), return_exceptions=True
    )

    assert [type(one).__name__ for one in again].count("DuplicateDocumentError") == 4
    assert len(workshop.blobs()) == 1
    assert (await workshop.attempted(document)).status == "ready"
