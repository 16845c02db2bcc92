"""Documents: listed, uploaded and waited for."""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator

from backend.api.mcp.call import Call, Tool
from backend.api.uploads.disposition import file_name
from backend.core.errors import DocumentNotFoundError, DocumentTooLargeError, UploadInvalidError
from backend.core.values.document import UNFINISHED, Document, Upload
from backend.core.values.page import Cursor
from backend.schemas.mcp import (
    LONGEST_WAIT_SECONDS,
    DocumentStatusIn,
    FileOut,
    ListDocumentsIn,
    ListDocumentsOut,
    UploadDocumentIn,
)


async def _list(call: Call, arguments: ListDocumentsIn) -> ListDocumentsOut:
    after = None if arguments.cursor is None else Cursor.decode(arguments.cursor)
    caller = call.caller
    page = await call.services.documents.page(caller.user_id, limit=arguments.limit, after=after, reach=caller.reach)
    return ListDocumentsOut.of(page)


async def _upload(call: Call, arguments: UploadDocumentIn) -> FileOut:
    data = _content(arguments)
    if len(data) > call.max_upload_bytes:
        raise DocumentTooLargeError
    upload = Upload(file_name(arguments.filename), arguments.title, _once(data))
    await call.services.usage.assert_may_store(call.caller.user_id, len(data))
    return FileOut.of(await call.services.documents.upload(call.caller.user_id, upload))


def _content(arguments: UploadDocumentIn) -> bytes:
    if arguments.content_base64 is None:
        return (arguments.text or "").encode()
    try:
        return base64.b64decode("".join(arguments.content_base64.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UploadInvalidError("`content_base64` is not valid base64.") from error


async def _once(data: bytes) -> AsyncIterator[bytes]:
    if data:
        yield data


async def _status(call: Call, arguments: DocumentStatusIn) -> FileOut:
    caller, document_id = call.caller, arguments.document_id
    if not caller.reach.covers([document_id]):
        raise DocumentNotFoundError
    document = await call.services.documents.get(caller.user_id, document_id)
    if document.status in UNFINISHED and arguments.wait_seconds:
        async with call.services.usage.enter_watch(caller.user_id):
            document = await _awaited(call, document, arguments.wait_seconds)
    return FileOut.of(document)


async def _awaited(call: Call, document: Document, seconds: int) -> Document:
    """Return the document once its indexing has ended, after so many seconds, or when the server is stopped."""
    watching = call.watches.begin(call.services.documents.watch, document.owner_id, document.id)
    await watching.opened(seconds)
    try:
        async with asyncio.timeout(seconds):
            while isinstance(found := await watching.take(), Document):
                document = found
    except TimeoutError:
        return document
    if found is not None:
        raise DocumentNotFoundError
    return document


LIST_DOCUMENTS = Tool(
    name="list_documents",
    title="List documents",
    description=(
        "List the user's documents, newest first, with their ids, which other tools take. Hand `next_cursor` back as `cursor` "
        "for the next part; it is null on the last one."
    ),
    scope="documents:read",
    arguments=ListDocumentsIn,
    result=ListDocumentsOut,
    run=_list,
)

UPLOAD_DOCUMENT = Tool(
    name="upload_document",
    title="Upload a document",
    description=(
        "Add a file to the user's documents: a text as `text`, anything else (PDF, Word, ...) as `content_base64`. It is indexed "
        "in the background: call `document_status` with `wait_seconds` until its status is `ready`, and it can be searched and "
        "asked about. The same bytes again are refused as `document_duplicate`, with the id of the document that has them."
    ),
    scope="documents:write",
    arguments=UploadDocumentIn,
    result=FileOut,
    run=_upload,
    adds=True,
    whole_reach=True,
)

DOCUMENT_STATUS = Tool(
    name="document_status",
    title="Status of a document",
    description=(
        "Tell the state of a document: `pending`, `processing`, `ready` or `failed`, and then why. With `wait_seconds` "
        f"({LONGEST_WAIT_SECONDS} at most) it waits for the indexing to end."
    ),
    scope="documents:read",
    arguments=DocumentStatusIn,
    result=FileOut,
    run=_status,
)
