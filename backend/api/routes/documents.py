"""Documents."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status
from fastapi.responses import StreamingResponse

from backend.api.deps import DocumentId, Documents, IncomingFile, Page, Reader, Writer
from backend.api.downloads import Download
from backend.api.errors import problems
from backend.api.idempotency import REPLAYED, Once, assert_same_file
from backend.core.errors import (
    BlobNotFoundError,
    BlobStoreUnavailableError,
    DocumentEmptyError,
    DocumentNotFoundError,
    DocumentTooLargeError,
    DocumentTypeError,
    DuplicateDocumentError,
    IdempotencyKeyBusyError,
    IdempotencyKeyReusedError,
    QuotaExceededError,
    StorageFullError,
    TokenInvalidError,
    UploadInvalidError,
)
from backend.core.values.document import Document
from backend.core.values.idempotency import StoredOutcome
from backend.schemas.documents import DocumentOut, DocumentPage, DocumentPatch, SpanIn, TextOut

router = APIRouter(prefix="/chat", tags=["documents"], responses=problems(TokenInvalidError))

MULTIPART = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "title": {
                            "type": "string",
                            "minLength": 1,
                            "maxLength": 300,
                            "description": "Has to come before the file.",
                        },
                        "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                    },
                }
            }
        },
    }
}


@router.post(
    "/upload",
    status_code=status.HTTP_202_ACCEPTED,
    openapi_extra=MULTIPART,
    responses=problems(
        DocumentEmptyError,
        UploadInvalidError,
        DocumentTypeError,
        DuplicateDocumentError,
        DocumentTooLargeError,
        DocumentNotFoundError,
        IdempotencyKeyBusyError,
        IdempotencyKeyReusedError,
        QuotaExceededError,
        StorageFullError,
    ),
)
async def upload_document(
    upload: IncomingFile, caller: Writer, documents: Documents, once: Once, response: Response
) -> DocumentOut:
    """Accept a file. It becomes searchable when its status turns to `ready`."""

    async def accept(key: str | None) -> Document:
        return await documents.upload(caller.user_id, once.kept_alive(caller, upload), idempotency_key=key)

    async def replay(earlier: StoredOutcome) -> Document:
        await assert_same_file(earlier, upload)
        response.headers.update(REPLAYED)
        return await documents.get(caller.user_id, earlier.made)

    document = await once.run(caller, "upload", accept, replay)
    response.headers["Location"] = f"/api/v1/chat/documents/{document.id}"
    return DocumentOut.of(document)


@router.get("/documents")
async def list_documents(caller: Reader, documents: Documents, page: Page) -> DocumentPage:
    """List the caller's documents, newest first."""
    return DocumentPage.of(await documents.page(caller.user_id, limit=page.limit, after=page.after, reach=caller.reach))


@router.get("/documents/{document_id}", responses=problems(DocumentNotFoundError))
async def read_document(document_id: DocumentId, caller: Reader, documents: Documents) -> DocumentOut:
    """Return a document with the state of its indexing."""
    return DocumentOut.of(await documents.get(caller.user_id, document_id))


@router.patch("/documents/{document_id}", responses=problems(DocumentNotFoundError))
async def update_document(document_id: DocumentId, body: DocumentPatch, caller: Writer, documents: Documents) -> DocumentOut:
    """Change a document's title."""
    return DocumentOut.of(await documents.rename(caller.user_id, document_id, body.title))


@router.delete("/documents/{document_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(DocumentNotFoundError))
async def delete_document(document_id: DocumentId, caller: Writer, documents: Documents) -> None:
    """Delete a document. It is gone from every answer at once, and from disk within about an hour."""
    await documents.delete(caller.user_id, document_id)


@router.get("/documents/{document_id}/text", responses=problems(DocumentNotFoundError))
async def read_document_text(
    document_id: DocumentId, span: Annotated[SpanIn, Query()], caller: Reader, documents: Documents
) -> TextOut:
    """Return the document's text at [start:end], code points from 0: what the offsets of a citation point to.

    Texts of earlier versions stay, so a citation of an old answer can be read with its `version`.
    """
    text, length, version = await documents.text(caller.user_id, document_id, start=span.start, end=span.end, version=span.version)
    return TextOut(text=text, version=version, start=span.start, end=span.start + len(text), length=length)


@router.get(
    "/documents/{document_id}/file",
    response_class=StreamingResponse,
    responses={
        **problems(DocumentNotFoundError, BlobNotFoundError, BlobStoreUnavailableError),
        200: {"content": {"application/octet-stream": {}}, "description": "The file."},
    },
)
async def download_document(document_id: DocumentId, caller: Reader, documents: Documents) -> Download:
    """Return the original file, always as a download."""
    return Download.of(*await documents.file(caller.user_id, document_id))
