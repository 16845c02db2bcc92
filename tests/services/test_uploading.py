"""An upload is stored with its job, or not at all."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from backend.core.config import plain_url
from backend.core.errors import ConflictError, DatabaseUnavailableError, DocumentEmptyError, DuplicateDocumentError
from backend.core.values.document import Upload
from tests.support.files import a_file, in_pieces
from tests.support.workshop import Workshop


async def test_of_twenty_uploads_of_one_file_at_once_one_is_accepted(workshop: Workshop) -> None:
    alice = await workshop.user()

    outcomes = await asyncio.gather(
        *(workshop.services.documents.upload(alice, a_file("a.txt", b"the same bytes")) for _ in range(20)), return_exceptions=True
    )

    refused = [one for one in outcomes if isinstance(one, DuplicateDocumentError)]
    (accepted,) = [one for one in outcomes if not isinstance(one, BaseException)]
    assert len(refused) == 19
    assert {one.details["document_id"] for one in refused} == {str(accepted.id)}
    assert len(await workshop.rows("select from documents")) == 1
    assert await workshop.jobs(accepted) == ["index_document"]
    assert len(workshop.blobs()) == 1


async def test_the_same_bytes_of_two_owners_are_two_documents(workshop: Workshop) -> None:
    first = await workshop.uploaded(await workshop.user("alice"), "a letter to both")
    second = await workshop.uploaded(await workshop.user("bob"), "a letter to both")

    assert (first.id, first.blob_key) != (second.id, second.blob_key)
    assert len(workshop.blobs()) == 2


async def test_an_upload_whose_transaction_fails_leaves_neither_row_nor_job_nor_file(workshop: Workshop) -> None:
    with pytest.raises(ConflictError):
        await workshop.uploaded(uuid4(), "of an account that was deleted meanwhile")
    alice = await workshop.user()
    await workshop.rows("alter function procrastinate_defer_jobs_v1(procrastinate_job_to_defer_v1[]) rename to away")
    with pytest.raises(Exception, match="procrastinate_defer_jobs_v1"):
        await workshop.uploaded(alice, "without a queue")

    assert await workshop.rows("select from documents") == []
    assert await workshop.rows("select from procrastinate_jobs") == []
    assert workshop.blobs() == []


async def test_an_upload_while_the_database_is_down_is_refused_and_leaves_no_file(workshop: Workshop) -> None:
    alice = await workshop.user()
    last = await asyncpg.connect(plain_url(workshop.database.app_url))
    await workshop.rows(f"alter database {workshop.database.app_url.rpartition('/')[2]} with connection limit 0")
    await last.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and usename = current_user and pid <> pg_backend_pid()"
    )
    await last.close()
    with pytest.raises(DatabaseUnavailableError):
        await workshop.uploaded(alice, "nobody to remember it")
    assert workshop.blobs() == []


async def test_a_client_that_leaves_in_the_middle_leaves_nothing(workshop: Workshop) -> None:
    alice = await workshop.user()

    class GoneError(Exception):
        pass

    async def pieces(cut: bool) -> object:
        yield b"x" * 100_000
        if cut:
            raise GoneError

    with pytest.raises(GoneError):
        await workshop.services.documents.upload(alice, Upload("a.txt", None, pieces(cut=True)))  # type: ignore[arg-type]
    assert workshop.blobs() == []


@pytest.mark.parametrize(
    ("filename", "title", "expected"), [("report.final.md", None, "report.final"), (".md", None, ".md"), ("a.md", "Mine", "Mine")]
)
async def test_a_document_is_called_by_its_title_or_its_file(
    workshop: Workshop, filename: str, title: str | None, expected: str
) -> None:
    alice = await workshop.user()
    document = await workshop.services.documents.upload(alice, a_file(filename, b"text", title))
    assert (document.title, document.filename) == (expected, filename)


async def test_empty_pieces_before_the_first_bytes_do_not_matter(workshop: Workshop) -> None:
    alice = await workshop.user()

    async def slow(data: bytes) -> object:
        yield b""
        async for piece in in_pieces(data, 1):
            yield piece
            yield b""

    document = await workshop.services.documents.upload(alice, Upload("a.txt", None, slow(b"abc")))  # type: ignore[arg-type]
    assert document.size == 3
    with pytest.raises(DocumentEmptyError):
        await workshop.services.documents.upload(alice, Upload("b.txt", None, slow(b"")))  # type: ignore[arg-type]
