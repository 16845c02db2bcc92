"""Documents."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, status
from fastapi.responses import StreamingResponse

from backend.api.deps import DocumentId, Documents, Page, Reader, WatchedDocument, Writer
from backend.api.downloads import Download
from backend.api.errors import problems
from backend.api.progress import OpenWatches, ProgressStream
from backend.api.reception import AcceptUpload, AcceptVersion
from backend.api.uploads.files import MOST_FILES
from backend.core.errors import (
    BlobNotFoundError,
    BlobStoreUnavailableError,
    DocumentEmptyError,
    DocumentNotFoundError,
    DocumentStateError,
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
from backend.core.values.document import DocumentStatus
from backend.schemas.base import NOT_BLANK, NotBlank, Storable
from backend.schemas.documents import DocumentOrUploads, DocumentOut, DocumentPage, DocumentPatch, SpanIn, TextOut

router = APIRouter(prefix="/chat", tags=["documents"], responses=problems(TokenInvalidError))

FILE: dict[str, Any] = {"type": "string", "contentMediaType": "application/octet-stream"}
TITLE: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 300, "description": "Has to come before the file."}


Named = Annotated[
    str | None,
    Query(alias="q", min_length=1, max_length=200, pattern=NOT_BLANK, description="Looks into titles and filenames, without case."),
    NotBlank,
    Storable,
]
Statuses = Annotated[list[DocumentStatus] | None, Query(alias="status", max_length=4, description="In one of these states only.")]


def multipart(title: str, **schema: object) -> dict[str, Any]:
    """Describe a body of parts: FastAPI sees none, for the body is read while it arrives."""
    described = {"title": title, "type": "object", "additionalProperties": False, **schema}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": described}}}}


ONE_FILE = multipart("VersionForm", required=["file"], properties={"title": TITLE, "file": FILE})
FILE_OR_FILES = multipart(
    "UploadForm",
    properties={"title": TITLE, "file": FILE, "files": {"type": "array", "minItems": 1, "maxItems": MOST_FILES, "items": FILE}},
    oneOf=[{"required": ["file"]}, {"required": ["files"]}],
    dependentRequired={"title": ["file"]},
)
FILE_PROBLEMS = problems(
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
)
EITHER: dict[int | str, dict[str, Any]] = {202: {"description": "The document, or of `files` what became of each."}}
WATCHED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events: `document` at first and whenever it has changed, or `deleted` at the end.",
        # This version of OpenAPI has no word for a stream: what is described is one event of it.
        "content": {
            "text/event-stream": {
                "schema": {
                    "title": "DocumentEvent",
                    "type": "object",
                    "required": ["event", "id", "data"],
                    "properties": {
                        "event": {"enum": ["document", "deleted"]},
                        "id": {"type": "string"},
                        "data": {"type": "string", "contentMediaType": "application/json"},
                    },
                }
            }
        },
    }
}


@router.post("/upload", status_code=status.HTTP_202_ACCEPTED, openapi_extra=FILE_OR_FILES, responses={**EITHER, **FILE_PROBLEMS})
async def upload_document(accept: AcceptUpload) -> DocumentOrUploads:
    """Accept a file, or several. Each becomes searchable when its status turns to `ready`.

    One is sent as `file`, with a `title` before it or without. Of 1 to 20 `files` each is accepted or refused on its own. Where the
    body breaks in their middle, the problem has the members `accepted` and `rejected` too: what was accepted stays so.
    """
    return await accept()


@router.get("/documents")
async def list_documents(
    caller: Reader, documents: Documents, page: Page, named: Named = None, statuses: Statuses = None
) -> DocumentPage:
    """List the caller's documents, newest first."""
    return DocumentPage.of(
        await documents.page(
            caller.user_id, limit=page.limit, after=page.after, search=named, statuses=statuses, reach=caller.reach
        )
    )


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

    Texts of earlier versions stay, so a citation of an old answer can be read with its `version`. With `context` it comes with what
    stands `before` and `after` it.
    """
    return TextOut.of(await documents.excerpt(caller.user_id, document_id, **span.model_dump()))


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


@router.put("/documents/{document_id}/file", status_code=status.HTTP_202_ACCEPTED, openapi_extra=ONE_FILE, responses=FILE_PROBLEMS)
async def replace_document(accept: AcceptVersion) -> DocumentOut:
    """Accept a new version of a document. The one before answers until this one is `ready`, and goes on if it fails.

    The bytes that the document has already are no new version; where they failed, they are tried again.
    """
    return await accept()


@router.post(
    "/documents/{document_id}/retry",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(DocumentNotFoundError, DocumentStateError),
)
async def retry_document(document_id: DocumentId, caller: Writer, documents: Documents) -> DocumentOut:
    """Queue the indexing of a document that failed once more."""
    return DocumentOut.of(await documents.retry(caller.user_id, document_id))


@router.post("/documents/{document_id}/cancel", responses=problems(DocumentNotFoundError, DocumentStateError))
async def cancel_document(document_id: DocumentId, caller: Writer, documents: Documents) -> DocumentOut:
    """End the indexing of a document: it is `failed` with the code `cancelled`. A version before it goes on answering."""
    return DocumentOut.of(await documents.cancel(caller.user_id, document_id))


@router.get(
    "/documents/{document_id}/events",
    response_class=StreamingResponse,
    responses={**WATCHED, **problems(DocumentNotFoundError)},
)
async def watch_document(
    document_id: DocumentId, caller: Reader, documents: Documents, watches: OpenWatches, _watched: WatchedDocument
) -> ProgressStream:
    """Watch a document until its indexing has ended, for a quarter of an hour at most."""
    return watches.stream(documents.watch, caller.user_id, document_id)
