from uuid import UUID

import pytest

from backend.core.errors import DocumentEmptyError, DocumentNotFoundError, DocumentTypeError, DuplicateDocumentError
from backend.services.registry import Services
from tests.support.files import a_file


async def test_the_same_bytes_twice_is_a_duplicate_that_names_the_first(services: Services, alice: UUID) -> None:
    first = await services.documents.upload(alice, a_file("notes.md", b"hello"))

    with pytest.raises(DuplicateDocumentError) as refused:
        await services.documents.upload(alice, a_file("copy.md", b"hello"))

    assert refused.value.details == {"document_id": str(first.id)}
    assert [d.id for d in (await services.documents.page(alice, limit=10, after=None)).items] == [first.id]


async def test_an_indexed_document_is_ready_with_its_text_and_progress(services: Services, alice: UUID) -> None:
    document = await services.documents.upload(alice, a_file())

    await services.documents.index(alice, document.id)

    ready = await services.documents.get(alice, document.id)
    assert (ready.status, ready.attempts, ready.error_code) == ("ready", 1, None)
    assert ready.progress_done == ready.progress_total == ready.chunks > 0
    text, length, version = await services.documents.text(alice, document.id, start=2, end=8)
    assert (text, length > 100, version) == ("Whales", True, 1)


async def test_bad_files_are_refused_and_nothing_stays(services: Services, alice: UUID) -> None:
    for upload, error in ((a_file("empty.md", b""), DocumentEmptyError), (a_file("x.exe", b"MZ\x90\x00"), DocumentTypeError)):
        with pytest.raises(error):
            await services.documents.upload(alice, upload)

    assert (await services.documents.page(alice, limit=10, after=None)).items == []


async def test_somebody_elses_document_does_not_exist(services: Services, alice: UUID, bob: UUID) -> None:
    document = await services.documents.upload(alice, a_file())

    with pytest.raises(DocumentNotFoundError):
        await services.documents.get(bob, document.id)
    with pytest.raises(DocumentNotFoundError):
        await services.documents.delete(bob, document.id)

    assert (await services.documents.get(alice, document.id)).id == document.id
